//! Figures that contradict each other.

use serde_json::{Value, json};

use super::{changed, guid, judging, preview, shipped};
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

fn table() -> Vec<(&'static str, Value, Option<&'static str>)> {
    let quantities = |shares: [f64; 2]| accounts(&shares.map(|share| json!({"DIST_IND": "Q", "DIST_QUAN": share})));
    let values = |shares: [f64; 3]| accounts(&shares.map(|share| json!({"DIST_IND": "V", "DIST_VALUE": share})));
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
        // Nothing to compare with.
        ("/ITEM/0/CURRENCY", json!("USD"), None),
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
