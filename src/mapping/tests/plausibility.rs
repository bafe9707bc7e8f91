//! Figures that contradict each other.

use serde_json::{Value, json};

use super::{changed, guid, judging, preview, sheet, shipped};
use crate::mapping::{Amounts, Plausibility};
use crate::message::Severity;

/// Shares of the first item's accounts.
fn accounts(shares: &[Value]) -> Value {
    let account = |share: &Value| {
        let mut account = share.clone();
        account["P_GUID"] = json!(guid(1));
        account["COST_CTR"] = json!("1");
        account
    };
    let second = json!({"P_GUID": guid(2), "DISTR_PERC": 100, "COST_CTR": "1"});
    shares.iter().map(account).chain([second]).collect()
}

fn percents(shares: &[f64]) -> Value {
    accounts(&shares.iter().map(|share| json!({"DISTR_PERC": share})).collect::<Vec<_>>())
}

const FREE: &str =
    "ITEM.VALUE of item 1 (NUMBER_INT 0000000001) is 120; expected 0: QUANTITY 12 x PRICE 0, PRICE is 0 or missing";

fn quantities(shares: [f64; 2]) -> Value {
    accounts(&shares.map(|share| json!({"DIST_IND": "Q", "DIST_QUAN": share})))
}

fn values(shares: [f64; 3]) -> Value {
    accounts(&shares.map(|share| json!({"DIST_IND": "V", "DIST_VALUE": share})))
}

/// A change of the cart, and the warning that comes of it.
type Row = (&'static str, Value, Option<&'static str>);

fn table() -> Vec<Row> {
    [sums_of_shares(), shares_beyond_their_whole(), values_and_totals()].concat()
}

fn sums_of_shares() -> Vec<Row> {
    let mixed = |percent: f64| {
        accounts(&[
            json!({"DISTR_PERC": percent}),
            json!({"DIST_IND": "Q", "DIST_QUAN": 3}),
            json!({"DIST_IND": "V", "DIST_VALUE": 30}),
        ])
    };
    vec![
        (
            "/ACCOUNT",
            percents(&[100.0, 100.0]),
            Some(
                "ACCOUNT.DISTR_PERC of item 1 (NUMBER_INT 0000000001): the shares of 2 accounts add up to 200; expected 100 percent",
            ),
        ),
        (
            "/ACCOUNT",
            percents(&[60.0]),
            Some("(NUMBER_INT 0000000001): the shares of 1 account add up to 60; expected 100 percent"),
        ),
        ("/ACCOUNT", percents(&[33.0, 33.0, 33.0]), Some("add up to 99")),
        ("/ACCOUNT", percents(&[33.33, 33.33, 33.33]), None),
        ("/ACCOUNT", percents(&[16.67, 16.67, 16.67, 16.67, 16.67, 16.67]), None),
        ("/ACCOUNT", quantities([7.0, 5.0]), None),
        (
            "/ACCOUNT",
            quantities([7.0, 6.0]),
            Some(
                "ACCOUNT.DIST_QUAN of item 1 (NUMBER_INT 0000000001): the shares of 2 accounts add up to 13; expected 12, the item's QUANTITY",
            ),
        ),
        ("/ACCOUNT", values([40.0, 40.0, 40.01]), None),
        (
            "/ACCOUNT",
            values([40.0, 40.0, 41.0]),
            Some(
                "ACCOUNT.DIST_VALUE of item 1 (NUMBER_INT 0000000001): the shares of 3 accounts add up to 121; expected 120, the item's VALUE",
            ),
        ),
        ("/ACCOUNT", mixed(50.0), None),
        ("/ACCOUNT", mixed(60.0), Some("add up to 110")),
    ]
}

fn values_and_totals() -> Vec<Row> {
    vec![
        // The price may be rounded by half a cent for each of 12 units, the value by a cent.
        ("/ITEM/0/VALUE", json!(120.02), None),
        ("/ITEM/0/PRICE", json!(10.01), Some("ITEM.VALUE of item 1 (NUMBER_INT 0000000001) is 120; expected 120.12")),
        (
            "/ITEM/0/PRICE",
            json!(11.0),
            Some(
                "ITEM.VALUE of item 1 (NUMBER_INT 0000000001) is 120; expected 132: QUANTITY 12 x PRICE 11 / PRICE_UNIT 1",
            ),
        ),
        (
            "/ITEM/0/PRICE_UNIT",
            json!(100),
            Some(
                "ITEM.VALUE of item 1 (NUMBER_INT 0000000001) is 120; expected 1.2: QUANTITY 12 x PRICE 10 / PRICE_UNIT 100",
            ),
        ),
        ("/ITEM/0/PRICE_UNIT", json!(0), None),
        ("/HEADER/TOTAL_VALUE", json!(240.02), None),
        (
            "/HEADER/TOTAL_VALUE",
            json!(240.03),
            Some("HEADER.TOTAL_VALUE is 240.03; the values of the 2 items that are ordered add up to 240"),
        ),
        ("/HEADER/TOTAL_VALUE", json!(120), Some("HEADER.TOTAL_VALUE is 120;")),
        ("/ITEM/0/PRICE", json!(0), Some(FREE)),
        ("/ITEM/0/PRICE", json!("0.00"), Some(FREE)),
        ("/ITEM/0/PRICE", json!(null), Some(FREE)),
        // The sum of the values can't be compared then.
        (
            "/ITEM/0/CURRENCY",
            json!("USD"),
            Some(
                "ITEM.CURRENCY of item 1 (NUMBER_INT 0000000001) is \"USD\", HEADER.CURRENCY is \"EUR\"; the values have no sum",
            ),
        ),
        ("/ITEM/1/CURRENCY", json!("USD"), Some("ITEM.CURRENCY of item 2 (NUMBER_INT 0000000002) is \"USD\"")),
        ("/ITEM/1/CURRENCY", json!("eur"), None),
        ("/ITEM/1/CURRENCY", json!(null), None),
    ]
}

fn shares_beyond_their_whole() -> Vec<Row> {
    vec![
        // Shares that make a whole, and are no parts of it.
        (
            "/ACCOUNT",
            percents(&[150.0, -50.0]),
            Some(
                "ACCOUNT.DISTR_PERC of item 1 (NUMBER_INT 0000000001): an account has the share 150; expected a share from 0 to 100 percent",
            ),
        ),
        (
            "/ACCOUNT",
            percents(&[-0.5, 100.5]),
            Some("an account has the share -0.5; expected a share from 0 to 100 percent"),
        ),
        ("/ACCOUNT", percents(&[100.01, -0.01]), None),
        (
            "/ACCOUNT",
            quantities([13.0, -1.0]),
            Some("an account has the share 13; expected a share from 0 to 12, the item's QUANTITY"),
        ),
        (
            "/ACCOUNT",
            values([-20.0, 60.0, 80.0]),
            Some("an account has the share -20; expected a share from 0 to 120, the item's VALUE"),
        ),
        (
            "/ACCOUNT",
            accounts(&[json!({"DISTR_PERC": 150}), json!({"DIST_IND": "Q", "DIST_QUAN": -6})]),
            Some("an account has the share 150; expected a share from 0 to 100 percent"),
        ),
    ]
}

#[test]
fn contradictions_are_warned_of_and_roundings_are_none() {
    let mapping = shipped();
    for (pointer, value, expected) in table() {
        let cart = changed([(pointer, value)]);
        let preview = preview(&mapping, &cart);
        assert!(preview.order.is_some(), "{cart} {:#?}", preview.messages);
        let texts: Vec<_> = preview.messages.iter().map(|message| message.message.as_str()).collect();
        assert_eq!(texts.len(), usize::from(expected.is_some()), "{cart} {texts:#?}");
        assert!(texts.iter().all(|text| text.contains(expected.unwrap_or_default())), "{texts:#?}");
        assert!(
            preview
                .messages
                .iter()
                .all(|message| (message.severity, message.number.as_str()) == (Severity::Warning, "020"))
        );
    }
}

#[test]
fn contradictions_are_mistakes_or_nothing_where_so_set() {
    let [refusing, silent] = [Plausibility::Refuse, Plausibility::Off].map(|setting| judging(shipped(), setting));
    for (pointer, value, expected) in table() {
        let cart = changed([(pointer, value)]);
        let refused = preview(&refusing, &cart);
        assert_eq!(refused.order.is_none(), expected.is_some(), "{cart}");
        assert!(refused.messages.iter().all(|message| message.severity == Severity::Error));
        assert_eq!(preview(&silent, &cart).messages, [], "{cart}");
    }
    assert_eq!(refusing.version(), silent.version());
}

#[test]
fn deleted_and_skipped_rows_do_not_count() {
    let mapping = judging(shipped(), Plausibility::Refuse);
    let total = ("/HEADER/TOTAL_VALUE", json!(120));
    let deleted = changed([total.clone(), ("/ITEM/1/DEL_IND", json!("X"))]);
    let outline = changed([total, ("/ITEM/1/ITM_TYPE", json!("HIER"))]);
    for cart in [deleted, outline] {
        assert_eq!(preview(&mapping, &cart).messages, [], "{cart}");
    }
}

#[test]
fn whole_units_of_a_currency_without_decimals_are_its_roundings() {
    let forint = |total: u32| {
        changed([
            ("/HEADER/CURRENCY", json!("HUF")),
            ("/ITEM/0/CURRENCY", json!("HUF")),
            ("/ITEM/1/CURRENCY", json!("")),
            ("/HEADER/TOTAL_VALUE", json!(total)),
        ])
    };
    let (plain, shifted) = (shipped(), shipped().with_amounts(Amounts::Shifted));
    for (total, warnings) in [(240, [0, 0]), (242, [0, 1]), (243, [1, 1])] {
        let found = [&plain, &shifted].map(|mapping| preview(mapping, &forint(total)).messages.len());
        assert_eq!(found, warnings, "{total}");
    }
}

#[test]
fn figures_that_are_missing_are_not_judged() {
    let mapping = judging(shipped(), Plausibility::Refuse);
    let free = changed([("/ITEM/1/VALUE", json!(0)), ("/ITEM/1/PRICE", json!(0)), ("/HEADER/TOTAL_VALUE", json!(120))]);
    let without_values = changed([("/ITEM/0/VALUE", json!("")), ("/ITEM/1/VALUE", json!(null))]);
    for cart in [free, without_values] {
        assert_eq!(preview(&mapping, &cart).messages, [], "{cart}");
    }
}

#[test]
fn a_value_without_quantity_or_price_is_one_of_nothing_unless_it_is_a_limit() {
    let reading = "lines[].quantity,ITEM.QUANTITY,decimal,use:0,\nlines[].price,ITEM.PRICE,decimal,use:0,\n\
                   lines[].limit,LIMIT.LIMIT,amount,omit,\n";
    let (reading, unread) = (sheet(reading), sheet("lines[].value,ITEM.VALUE,decimal,omit,\n"));
    let without = |field: &str, value: Value| (format!("/ITEM/0/{field}"), value);
    for ((pointer, value), read, not_read) in [
        (without("QUANTITY", json!(0)), true, true),
        (without("QUANTITY", json!(null)), true, false),
        (without("PRICE", json!("0.00")), true, true),
        (without("PRICE", json!("")), true, false),
        (without("PRICE", json!("free")), false, false),
    ] {
        for (mapping, expected) in [(&reading, read), (&unread, not_read)] {
            let mapping = judging(mapping.clone(), Plausibility::Warn);
            let found = preview(&mapping, &changed([(pointer.as_str(), value.clone())])).messages;
            let warned = found.iter().any(|message| message.message.contains("expected 0: QUANTITY"));
            assert_eq!(warned, expected, "{pointer} {value}: {found:#?}");
        }
    }
    let mapping = judging(reading, Plausibility::Refuse);
    for limit in [
        changed([("/ITEM/0/QUANTITY", json!(0)), ("/LIMIT", json!([{"P_GUID": guid(1), "LIMIT": 500}]))]),
        changed([("/ITEM/0/PRICE", json!(0)), ("/ITEM/0/ITM_TYPE", json!("LIMI"))]),
        changed([("/ITEM/0/PRICE", json!(0)), ("/ITEM/0/QUANTITY", json!(0))]),
    ] {
        assert_eq!(preview(&mapping, &limit).messages, [], "{limit}");
    }
}

#[test]
fn shares_of_what_is_sent_back_are_negative() {
    let back = |shares: [f64; 2]| {
        let account = |share| json!({"P_GUID": guid(1), "DIST_IND": "V", "DIST_VALUE": share, "COST_CTR": "1"});
        let second = json!({"P_GUID": guid(2), "DISTR_PERC": 100, "COST_CTR": "1"});
        changed([
            ("/ITEM/0/QUANTITY", json!(-12)),
            ("/ITEM/0/VALUE", json!(-120)),
            ("/HEADER/TOTAL_VALUE", json!(0)),
            ("/ACCOUNT", json!([account(shares[0]), account(shares[1]), second])),
        ])
    };
    assert_eq!(preview(&shipped(), &back([-100.0, -20.0])).messages, []);
    let found = preview(&shipped(), &back([20.0, -140.0])).messages;
    assert!(
        found.len() == 1 && found[0].message.contains("has the share 20; expected a share from 0 to -120"),
        "{found:#?}"
    );
}
