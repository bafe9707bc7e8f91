//! Carts and what the sheet makes of them: entries that are skipped or demanded, choices, limits.

mod flags;
mod plausibility;
mod spreadsheets;
mod values;
mod whole_files;
mod words;

use serde_json::{Value, json};

use super::{Amounts, Folder, IdField, Mapping, MappingOptions, Plausibility, Preview, SHEET};
use crate::cart::Cart;
use crate::message::Message;

const HEADER: &str = "target,source,as,absent,remark\n";

fn shipped() -> Mapping {
    let folder = Folder::read("mapping".as_ref()).unwrap();
    Mapping::compile(&folder, Amounts::Unshifted).unwrap()
}

fn sheet(rows: &str) -> Mapping {
    let tables = [
        ("tables/kinds.csv", "kind,value\n0,zero\nA,letter\n"),
        ("tables/three.csv", "one,two,three,value\nA,B,C,letters\n"),
    ];
    let text = format!("{HEADER}{rows}");
    let folder = Folder::of(&[&[(SHEET, text.as_str())], tables.as_slice()].concat());
    let options =
        MappingOptions { plausibility: Plausibility::Off, id_field: IdField::Nowhere, ..MappingOptions::default() };
    Mapping::compile_with(&folder, &options).unwrap()
}

/// The mapping with another setting for figures that contradict each other.
fn judging(mut mapping: Mapping, plausibility: Plausibility) -> Mapping {
    mapping.plausibility = plausibility;
    mapping
}

/// A cart with two items of 120 EUR, each with its account, and one supplier and ship-to for both.
fn cart() -> Value {
    let item = |number: u32| {
        json!({"GUID": guid(number), "NUMBER_INT": format!("{number:010}"), "DESCRIPTION": format!("Gloves {number}"),
            "QUANTITY": 12.0, "UNIT": "ST", "PRICE": 10.0, "PRICE_UNIT": 1, "VALUE": 120.0, "CURRENCY": "EUR"})
    };
    json!({
        "HEADER": {"GUID": guid(0), "OBJECT_ID": "3000000001", "CURRENCY": "EUR", "TOTAL_VALUE": 240.0,
            "ZZ_SALES_ORG": "1010", "ZZ_CUST_CATEGORY": "A"},
        "ITEM": [item(1), item(2)],
        "ACCOUNT": [{"P_GUID": guid(1), "DISTR_PERC": 100, "DIST_IND": "", "COST_CTR": "0000002100"},
            {"P_GUID": guid(2), "DISTR_PERC": 100, "DIST_IND": "", "COST_CTR": "0000002100"}],
        "PARTNER": [{"P_GUID": guid(0), "PARTNER_FCT": "00000019", "PARTNER_ID": "0000400555"},
            {"P_GUID": guid(0), "PARTNER_FCT": "00000027", "COUNTRY": "DE", "REGION": "08"}],
    })
}

fn guid(number: u32) -> String {
    format!("42010aef4c1d1edca5b1c2d3{number:08x}")
}

/// The cart after changes: each a JSON pointer and the value that goes there.
fn changed<const N: usize>(changes: [(&str, Value); N]) -> Value {
    let mut cart = cart();
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        match cart.pointer_mut(parent).unwrap() {
            Value::Object(object) => drop(object.insert(name.to_owned(), value)),
            Value::Array(list) if name == "-" => list.push(value),
            Value::Array(list) => list[name.parse::<usize>().unwrap()] = value,
            other => panic!("{pointer}: {other}"),
        }
    }
    cart
}

fn preview(mapping: &Mapping, cart: &Value) -> Preview {
    mapping.preview(&Cart::parse(&cart.to_string()).unwrap())
}

/// The order of a cart without mistakes.
fn order(mapping: &Mapping, cart: &Value) -> Value {
    let Preview { order, messages, .. } = preview(mapping, cart);
    order.unwrap_or_else(|| panic!("{messages:#?}"))
}

/// The texts of a cart's mistakes.
fn mistakes(mapping: &Mapping, cart: &Value) -> Vec<String> {
    let preview = preview(mapping, cart);
    assert_eq!(preview.order, None, "{:#?}", preview.messages);
    preview.messages.into_iter().map(|message: Message| message.message).collect()
}

fn status(item: u32, stat: &str, inact: &str) -> Value {
    json!({"P_GUID": guid(item), "STAT": stat, "INACT": inact})
}

/// Number and skipping row of each item that is left out.
fn skipped(mapping: &Mapping, cart: &Value) -> Vec<(usize, String)> {
    preview(mapping, cart).skipped.into_iter().map(|entry| (entry.item, entry.source)).collect()
}

#[test]
fn an_item_is_ordered_unless_its_own_active_status_or_type_says_otherwise() {
    let table: [(&str, Value, &[u64]); 9] = [
        ("/STATUS", json!([status(0, "I1129", ""), status(1, "I1129", ""), status(2, "I1016", "")]), &[1]),
        ("/STATUS", json!([status(1, "I1016", "X"), status(2, "I1016", "")]), &[1]),
        ("/STATUS", json!([status(1, "I1016", ""), status(2, "I1016", "X")]), &[2]),
        ("/STATUS", json!([{"P_GUID": guid(2), "STAT": "I1016"}]), &[1]),
        ("/STATUS", json!([{"P_GUID": guid(2), "STAT": "I1016", "INACT": false}]), &[1]),
        ("/STATUS", json!([{"P_GUID": guid(2), "STAT": "I1016", "INACT": "false"}]), &[1]),
        ("/STATUS", json!([{"P_GUID": guid(2), "STAT": "I1016", "INACT": true}]), &[1, 2]),
        // The header's own status says nothing about one item.
        ("/STATUS", json!([status(0, "I1016", "")]), &[1, 2]),
        ("/ITEM/0/ITM_TYPE", json!("HIER"), &[2]),
    ];
    let mapping = shipped();
    for (pointer, value, numbers) in table {
        let cart = changed([(pointer, value)]);
        let order = order(&mapping, &cart);
        let lines = order["lines"].as_array().unwrap();
        assert_eq!(
            lines.iter().map(|line| line["lineNumber"].as_u64().unwrap()).collect::<Vec<_>>(),
            numbers,
            "{cart}"
        );
    }
    let all = changed([("/ITEM/0/ITM_TYPE", json!("HIER")), ("/STATUS", json!([status(2, "I1016", "")]))]);
    let found = mistakes(&mapping, &all);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(
        found[0].starts_with("ITEM: nothing is left to order: item 1 (NUMBER_INT 0000000001) skipped by row"),
        "{found:?}"
    );
    assert!(found[0].contains("rejected by its approver"), "{found:?}");
    assert!(preview(&mapping, &all).fields.iter().all(|field| !field.target.starts_with("lines")));
}

#[test]
fn what_is_skipped_is_listed_with_the_row_that_says_so() {
    let cart = changed([("/STATUS", json!([status(2, "I1016", "")]))]);
    let skipped = preview(&shipped(), &cart).skipped;
    assert_eq!(skipped.len(), 1);
    assert_eq!((skipped[0].target.as_str(), skipped[0].item, skipped[0].account), ("lines[]", 2, None));
    assert_eq!(
        (skipped[0].source.as_str(), skipped[0].remark.as_str()),
        ("STATUS[STAT=I1016][INACT=]", "rejected by its approver")
    );
    let line = std::fs::read_to_string("mapping/purchase-order.csv").unwrap();
    let line = line.lines().nth(usize::try_from(skipped[0].row).unwrap() - 1).unwrap().to_owned();
    assert!(line.starts_with("lines[],STATUS[STAT=I1016][INACT=],skip"), "{line}");
}

#[test]
fn a_skipped_item_has_no_say_and_no_mistakes() {
    // Another supplier, another country, no unit, no quantity, no account: all of an item that is not ordered.
    let partner = json!({"P_GUID": guid(2), "PARTNER_FCT": "00000019", "PARTNER_ID": "0000400777"});
    let ship_to = json!({"P_GUID": guid(2), "PARTNER_FCT": "00000027", "COUNTRY": "XX"});
    let cart = changed([
        ("/PARTNER/-", partner),
        ("/PARTNER/-", ship_to),
        ("/ITEM/1/UNIT", json!("nonsense")),
        ("/ITEM/1/QUANTITY", json!(0)),
        ("/ACCOUNT/1/P_GUID", json!(guid(1))),
        ("/ACCOUNT/0/DISTR_PERC", json!(50)),
        ("/ACCOUNT/1/DISTR_PERC", json!(50)),
        ("/STATUS", json!([status(2, "I1016", "")])),
    ]);
    let order = order(&shipped(), &cart);
    assert_eq!(order["supplier"]["externalId"], "400555");
    assert_eq!(order["lines"].as_array().unwrap().len(), 1);
}

#[test]
fn lists_divide_items_and_accounts_between_them() {
    let mapping = sheet(
        "id,ID,text,refuse,\ngoods[],ITEM[KIND=S],skip,,\ngoods[].number,ITEM.NUMBER_INT,integer,refuse,\n\
         services[],ITEM[KIND=],skip,,\nservices[].number,ITEM.NUMBER_INT,integer,refuse,\n\
         goods[].costs[],ACCOUNT[COST_CTR=2100],skip,,not ours\ngoods[].costs[].center,ACCOUNT.COST_CTR,id,refuse,\n",
    );
    let cart = changed([("/ITEM/1/KIND", json!("S"))]);
    let expected = json!({"id": guid(0), "goods": [{"number": 1}], "services": [{"number": 2}]});
    assert_eq!(order(&mapping, &cart), expected);
    let both = changed([("/ACCOUNT/0/COST_CTR", json!(7))]);
    assert_eq!(order(&mapping, &both)["goods"], json!([{"number": 1, "costs": [{"center": "7"}]}, {"number": 2}]));
    assert_eq!(preview(&mapping, &both).skipped.iter().filter(|entry| entry.account == Some(1)).count(), 1);
    // By a row of its accounts, an item is skipped too.
    let by_account = sheet("lines[],ACCOUNT[ACC_CAT=AS],skip,,\nlines[].number,ITEM.NUMBER_INT,integer,refuse,\n");
    let cart = changed([("/ACCOUNT/0/ACC_CAT", json!("AS"))]);
    assert_eq!(order(&by_account, &cart), json!({"lines": [{"number": 2}]}));
    assert_eq!(skipped(&by_account, &cart), [(1, "ACCOUNT[ACC_CAT=AS]".to_owned())]);
}

#[test]
fn a_line_without_accounts_is_refused_in_every_form_of_none() {
    let mapping = shipped();
    for none in [json!([]), json!(null), json!("")] {
        let found = mistakes(&mapping, &changed([("/ACCOUNT", none.clone())]));
        let expected = |item| {
            format!(
                "ACCOUNT of item {item} (NUMBER_INT 000000000{item}) has no row that can be ordered; lines[].allocations[] needs at least one"
            )
        };
        assert_eq!(found, [expected(1), expected(2)], "{none}");
    }
    let one = changed([("/ACCOUNT/1/P_GUID", json!(guid(1)))]);
    assert!(mistakes(&mapping, &one)[0].starts_with("ACCOUNT of item 2 (NUMBER_INT 0000000002) has no row"));
    // Rows that can't be joined or read are one mistake.
    let orphan = changed([("/ACCOUNT/1/P_GUID", json!(guid(9)))]);
    assert_eq!(mistakes(&mapping, &orphan).len(), 1);
    assert_eq!(mistakes(&mapping, &changed([("/ACCOUNT", json!(7))])).len(), 1);
}

#[test]
fn demanded_rows_may_have_conditions_and_have_to_hold_something() {
    let mapping = sheet(
        "lines[].number,ITEM.NUMBER_INT,integer,refuse,\nlines[].costs[],ACCOUNT[ACC_CAT=CC],rows,refuse,\n\
         lines[].costs[].center,ACCOUNT.COST_CTR,id,omit,\n",
    );
    let table = [(json!("AS"), json!("1")), (json!("CC"), json!("")), (json!(""), json!("1"))];
    for (category, center) in table {
        let cart = changed([
            ("/ACCOUNT/0/ACC_CAT", category),
            ("/ACCOUNT/0/COST_CTR", center),
            ("/ACCOUNT/1/ACC_CAT", json!("CC")),
        ]);
        let found = mistakes(&mapping, &cart);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("ACCOUNT[ACC_CAT=CC] of item 1 (NUMBER_INT 0000000001) has no row"), "{found:?}");
    }
}

#[test]
fn exactly_one_share_of_an_account_is_there() {
    let mapping = shipped();
    let table: [(Value, Option<&str>); 9] = [
        (json!({"DISTR_PERC": 60, "DIST_IND": "P"}), Some("found none: DIST_IND is \"P\", DISTR_PERC is \"60\"")),
        (
            json!({"DISTR_PERC": 0, "DIST_IND": "", "DIST_QUAN": 7.0, "DIST_VALUE": 0}),
            Some("found none: DIST_IND is blank, DIST_QUAN is"),
        ),
        (json!({"DIST_IND": "Q", "DIST_VALUE": 5}), Some("found none: DIST_IND is \"Q\", DIST_VALUE is \"5\"")),
        (json!({"DIST_IND": "V"}), Some("found none: DIST_IND is \"V\"")),
        (json!({}), Some("found none: DIST_IND is blank")),
        (
            json!({"DISTR_PERC": "much"}),
            Some("ACCOUNT[DIST_IND=].DISTR_PERC of item 1 (NUMBER_INT 0000000001) is \"much\"; expected a decimal"),
        ),
        (json!({"DISTR_PERC": 100, "DIST_QUAN": 12}), None),
        (json!({"DIST_IND": "Q", "DIST_QUAN": 12}), None),
        (json!({"DIST_IND": "V", "DIST_VALUE": 120, "DISTR_PERC": 100}), None),
    ];
    for (mut account, expected) in table {
        account["P_GUID"] = json!(guid(1));
        account["COST_CTR"] = json!("1");
        let cart = changed([("/ACCOUNT/0", account.clone())]);
        let messages = preview(&mapping, &cart).messages;
        let Some(expected) = expected else {
            assert_eq!(messages, [], "{account}");
            continue;
        };
        assert_eq!(messages.len(), 1, "{account} {messages:#?}");
        assert!(messages[0].message.contains(expected), "{account} {messages:#?}");
        assert_eq!((messages[0].row, messages[0].parameter.as_str()), (1, "ACCOUNT"));
        if expected.starts_with("found") {
            let fields = "DISTR_PERC (DIST_IND blank), DIST_QUAN (DIST_IND Q), DIST_VALUE (DIST_IND V)";
            assert!(messages[0].message.starts_with(&format!(
                "ACCOUNT 1 of item 1 (NUMBER_INT 0000000001): exactly one of {fields} has to be there"
            )));
            assert_eq!(messages[0].field, "DIST_IND");
        }
    }
}

#[test]
fn a_choice_holds_in_the_header_and_across_sections_and_refuses_several() {
    let mapping = sheet(
        "plant.sap,HEADER.PLANT,text,one-of:plant,\nplant.own,HEADER.ZZ_PLANT,text,one-of:plant,\n\
         lines[].quantity,ITEM.QUANTITY,decimal,one-of:measure,\nlines[].limit.amount,LIMIT.LIMIT,amount,one-of:measure,\n",
    );
    let limit = json!([{"P_GUID": guid(2), "LIMIT": 8000.0}]);
    let good = [("/HEADER/PLANT", json!("0001")), ("/ITEM/1/QUANTITY", json!(0)), ("/LIMIT", limit.clone())];
    let expected = json!({"plant": {"sap": "0001"}, "lines": [{"quantity": "12"}, {"limit": {"amount": "8000"}}]});
    assert_eq!(order(&mapping, &changed(good)), expected);
    let both = mistakes(
        &mapping,
        &changed([("/HEADER/PLANT", json!("1")), ("/HEADER/ZZ_PLANT", json!("2")), ("/LIMIT", limit)]),
    );
    assert_eq!(
        both[0],
        "ITEM of item 2 (NUMBER_INT 0000000002): exactly one of QUANTITY, LIMIT.LIMIT has to be there, found 2: QUANTITY is \"12.0\", LIMIT is \"8000.0\""
    );
    assert_eq!(
        both[1],
        "HEADER: exactly one of PLANT, ZZ_PLANT has to be there, found 2: PLANT is \"1\", ZZ_PLANT is \"2\""
    );
    let none = mistakes(&mapping, &cart());
    assert_eq!(
        none,
        ["HEADER: exactly one of PLANT, ZZ_PLANT has to be there, found none: they are all missing or initial"]
    );
}

#[test]
fn a_limit_is_refused_by_a_sheet_that_does_not_read_it() {
    let mapping = shipped();
    let gaps = [("/ITEM/0/QUANTITY", json!(0)), ("/ITEM/0/UNIT", json!("")), ("/ITEM/0/PRICE", json!(0))];
    let limit = ("/LIMIT", json!([{"P_GUID": guid(1), "LIMIT": 8000.0, "EXP_VALUE": 5000.0, "CURRENCY": "EUR"}]));
    let [quantity, unit, price] = gaps.clone();
    let cart = changed([quantity, unit, price, limit.clone()]);
    let found = mistakes(&mapping, &cart);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(
        found[0].starts_with(
            "LIMIT.LIMIT of item 1 (NUMBER_INT 0000000001) is \"8000.0\": a limit item has a value and no quantity"
        ),
        "{found:?}"
    );
    let message = &preview(&mapping, &cart).messages[0];
    assert_eq!((message.number.as_str(), message.row, message.field.as_str()), ("014", 1, "LIMIT"));
    // With a quantity it would be an ordinary line, free of charge.
    assert_eq!(mistakes(&mapping, &changed([limit.clone()])).len(), 1);
    // The item's type alone explains what is missing.
    let [quantity, unit, price] = gaps;
    let of_type = changed([quantity, unit, price, ("/ITEM/0/ITM_TYPE", json!("LIMI"))]);
    let found = mistakes(&mapping, &of_type);
    assert!(
        found.len() == 1
            && found[0].starts_with("ITEM.ITM_TYPE of item 1 (NUMBER_INT 0000000001) is \"LIMI\": a limit item"),
        "{found:?}"
    );
    assert_eq!(order(&mapping, &changed([("/ITEM/0/ITM_TYPE", json!("LIMI"))]))["lines"].as_array().unwrap().len(), 2);
    // A skipped one is not ordered; a row in LIMIT that belongs to nothing is of interest to nobody.
    let rejected = changed([limit, ("/STATUS", json!([status(1, "I1016", "")]))]);
    assert_eq!(order(&mapping, &rejected)["lines"].as_array().unwrap().len(), 1);
    assert_eq!(preview(&mapping, &changed([("/LIMIT", json!([{"P_GUID": guid(9)}]))])).messages, []);
}
