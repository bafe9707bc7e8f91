//! The inputs of this folder, one for each kind of cart that was once ordered wrongly or refused without reason, and what
//! each becomes by the mapping that the repository ships: a whole snapshot, and what is right about it.

use std::path::Path;

use purchase_order_webhook::mapping::{Amounts, Folder, Mapping, Preview};
use serde_json::{Value, json};

use crate::snapshot_files::assert_snapshot;
use crate::{case, preview, shipped};

/// What a cart has to become.
enum Right {
    /// An order with this value at this place, and nothing to check.
    Order(&'static str, Value),
    /// The same, of a sender that shifts amounts.
    Shifted(&'static str, Value),
    /// An order with the value, and so many things that were skipped.
    Skipping(usize, &'static str, Value),
    /// An order with a warning that has these words.
    Warned(&'static str),
    /// No order, and only mistakes that have these words.
    Refused(&'static str),
}

fn becomes(input: &str, snapshot: &str, right: &Right) {
    let amounts = if matches!(right, Right::Shifted(..)) { Amounts::Shifted } else { Amounts::Unshifted };
    let mapping = Mapping::compile(&Folder::read(Path::new("mapping")).unwrap(), amounts).unwrap();
    let Preview { order, skipped, messages, .. } = preview(&mapping, &case(input));
    let texts: Vec<&str> = messages.iter().map(|message| message.message.as_str()).collect();
    match right {
        Right::Order(place, value) | Right::Shifted(place, value) | Right::Skipping(_, place, value) => {
            let order = order.as_ref().unwrap_or_else(|| panic!("{input}: {texts:#?}"));
            assert_eq!(order.pointer(place), Some(value), "{input}");
            assert_eq!(texts, Vec::<&str>::new(), "{input}");
            let expected = if let Right::Skipping(count, ..) = right { *count } else { 0 };
            assert_eq!(skipped.len(), expected, "{input}");
        }
        Right::Warned(words) => {
            assert!(order.is_some() && texts.len() == 1 && texts[0].contains(words), "{input}: {texts:#?}");
        }
        Right::Refused(words) => {
            assert_eq!(order, None, "{input}");
            assert!(!texts.is_empty() && texts.iter().all(|text| text.contains(words)), "{input}: {texts:#?}");
        }
    }
    let skipped: Vec<Value> =
        skipped.iter().map(|entry| json!({ "item": entry.item, "source": entry.source })).collect();
    let found = json!({ "order": order, "skipped": skipped, "messages": messages });
    assert_snapshot(snapshot, &serde_json::to_string_pretty(&found).unwrap());
}

#[test]
fn an_account_that_is_deleted_is_not_ordered() {
    let live = json!([{ "percent": "100", "glAccount": "410000", "costCenter": "2200" }]);
    becomes("01-account-deleted.json", "carts/01-account-deleted.snap", &Right::Order("/lines/0/allocations", live));
}

#[test]
fn a_share_that_no_indicator_names_is_refused() {
    let words = "exactly one of DISTR_PERC (DIST_IND blank), DIST_QUAN (DIST_IND Q), DIST_VALUE (DIST_IND V)";
    let right = Right::Refused(words);
    becomes("02-share-by-unknown-indicator.json", "carts/02-share-by-unknown-indicator.snap", &right);
    becomes("03-share-in-another-field.json", "carts/03-share-in-another-field.snap", &right);
}

#[test]
fn accounts_are_found_inside_of_their_item_and_demanded() {
    let nested = Right::Order("/lines/0/allocations/0/costCenter", json!("2100"));
    becomes("04-accounts-nested-in-item.json", "carts/04-accounts-nested-in-item.snap", &nested);
    let none = Right::Refused("ACCOUNT of item 1 (NUMBER_INT 0000000001) has no row that can be ordered");
    becomes("05-no-accounts.json", "carts/05-no-accounts.snap", &none);
    becomes("16-empty-object-for-a-list.json", "carts/16-empty-object-for-a-list.snap", &none);
}

#[test]
fn codes_of_zeros_and_names_that_nobody_reads_keep_no_cart_from_being_ordered() {
    let company = || Right::Order("/companyCode", json!("0010"));
    becomes("06-division-zero-zero.json", "carts/06-division-zero-zero.snap", &company());
    becomes("15-names-that-fold.json", "carts/15-names-that-fold.snap", &company());
}

#[test]
fn forints_are_shifted_by_the_decimals_that_sap_delivers() {
    let price = Right::Shifted("/lines/0/unitPrice", json!("5000"));
    becomes("07-forint.shifted.json", "carts/07-forint.shifted.snap", &price);
}

#[test]
fn rows_are_found_under_the_names_that_gateways_put_around_them() {
    let center = || Right::Order("/lines/0/allocations/0/costCenter", json!("2100"));
    becomes("08-rows-under-item.json", "carts/08-rows-under-item.snap", &center());
    becomes("09-results-with-count.json", "carts/09-results-with-count.snap", &center());
}

#[test]
fn dates_have_times_and_ids_are_doubles() {
    let date = Right::Order("/orderDate", json!("2018-01-31"));
    becomes("10-date-with-time.json", "carts/10-date-with-time.snap", &date);
    let supplier = Right::Order("/supplier/externalId", json!("400555"));
    becomes("11-ids-as-doubles.json", "carts/11-ids-as-doubles.snap", &supplier);
}

#[test]
fn rejected_items_and_outlines_are_left_out() {
    let first = Right::Skipping(1, "/lines/0/lineNumber", json!(1));
    becomes("12-item-rejected.json", "carts/12-item-rejected.snap", &first);
    let second = Right::Skipping(1, "/lines/0/lineNumber", json!(2));
    becomes("13-outline.json", "carts/13-outline.snap", &second);
}

#[test]
fn limits_and_numbers_that_come_twice_are_refused() {
    let limit = Right::Refused(
        "LIMIT.LIMIT of item 1 (NUMBER_INT 0000000001) is \"8000.0\": a limit item has a value and no quantity",
    );
    becomes("14-limit.json", "carts/14-limit.snap", &limit);
    let twice = Right::Refused("ITEM.NUMBER_INT of item 2 is \"0000000001\", the number of item 1 too");
    becomes("17-line-number-twice.json", "carts/17-line-number-twice.snap", &twice);
}

#[test]
fn shares_of_200_percent_are_warned_of() {
    let shares = Right::Warned("the shares of 2 accounts add up to 200; expected 100 percent");
    becomes("18-shares-of-200.json", "carts/18-shares-of-200.snap", &shares);
}

#[test]
fn no_serializer_changes_what_a_cart_is() {
    // The same cart as four senders wrote it; the GUID and the number of each differ.
    let lines = |input: &str| preview(&shipped(), &case(input)).order.unwrap()["lines"].clone();
    let plain = lines("06-division-zero-zero.json");
    for input in ["04-accounts-nested-in-item.json", "08-rows-under-item.json", "09-results-with-count.json"] {
        assert_eq!(lines(input), plain, "{input}");
    }
}
