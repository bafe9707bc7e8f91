//! Each kind of difference, by the text and the report that it becomes.

use serde_json::{Value, json};

use super::difference::{Change, differences};
use super::*;
use crate::mapping::Amounts;

const SHEET: &str = "target,source,as,absent,remark\n\
    externalId,ID,text,refuse,\n\
    reference,ID,text,omit,\n\
    regionCode,HEADER.REGION,table:regions,refuse,\n\
    note,HEADER.NOTE,text,omit,\n\
    ship.city,HEADER.CITY,text,omit,\n\
    lines[].lineNumber,ITEM.NUMBER_INT,integer,refuse,\n\
    lines[].unit,ITEM.UNIT,text,omit,\n\
    lines[].allocations[].center,ACCOUNT.COST_CTR,id,omit,\n";

const REGIONS: &str = "region,code\nS,EMEA-SOUTH\nN,EMEA-NORTH\n";

fn folder(sheet: &str, regions: &str) -> Folder {
    Folder::of(&[("purchase-order.csv", sheet), ("tables/regions.csv", regions)])
}

fn mapping(sheet: &str, regions: &str) -> Mapping {
    Mapping::compile(&folder(sheet, regions), Amounts::Unshifted).unwrap()
}

/// A cart of two items, each with an account.
fn cart(number: usize, region: &str) -> String {
    let guid = |item: usize| format!("{number:016x}{item:016x}");
    let item = |item: usize| json!({ "GUID": guid(item), "NUMBER_INT": item.to_string(), "UNIT": "H" });
    let account = |item: usize| json!({ "P_GUID": guid(item), "COST_CTR": "0000001000" });
    json!({
        "HEADER": { "GUID": guid(0), "OBJECT_ID": number.to_string(), "REGION": region, "NOTE": "n", "CITY": "Lyon" },
        "ITEM": [item(1), item(2)],
        "ACCOUNT": [account(1), account(2)],
    })
    .to_string()
}

/// Compares on carts of the south and, every third one, of the north.
fn compared<'m>(old: &'m Mapping, new: &'m Mapping, count: usize) -> Comparison<'m> {
    let mut comparison = Comparison::new(old, new);
    for number in 1..=count {
        let text = cart(number, if number % 3 == 0 { "N" } else { "S" });
        comparison.add(&Cart::parse(&text).unwrap(), "unnamed");
    }
    comparison
}

/// A change of the sheet or its table, and what the line for the log says of it.
const CHANGES: [(&str, &str, &str, &str); 14] = [
    ("a remark", ",refuse,\n", ",refuse,why\n", "0 of 9: no difference"),
    ("a value", "EMEA-SOUTH", "EMEA-CENTRAL", "6 of 9: regionCode \"EMEA-SOUTH\" → \"EMEA-CENTRAL\" (6)"),
    ("a field that goes", "note,HEADER.NOTE,text,omit,\n", "", "9 of 9: note \"n\" → (absent) (9)"),
    (
        "a field that comes",
        "ship.city",
        "extra,HEADER.NOTE,text,omit,\nship.city",
        "9 of 9: extra (absent) → \"n\" (9)",
    ),
    ("an object that goes", "ship.city,HEADER.CITY,text,omit,\n", "", "9 of 9: ship.city \"Lyon\" → (absent) (9)"),
    ("a field of lines", "ITEM.UNIT,text", ",constant:D", "9 of 9: lines[].unit \"H\" → \"D\" (18)"),
    (
        "a type",
        "lines[].lineNumber,ITEM.NUMBER_INT,integer",
        "lines[].lineNumber,ITEM.NUMBER_INT,text",
        "9 of 9: lines[].lineNumber 1 → \"1\" (9); lines[].lineNumber 2 → \"2\" (9)",
    ),
    (
        "a line that goes",
        "lines[].unit",
        "lines[],ITEM[NUMBER_INT=1],skip,,\nlines[].unit",
        "9 of 9: lines[] an entry fewer (9)",
    ),
    (
        "a list that is emptied",
        "lines[].allocations[].center,ACCOUNT.COST_CTR,id,omit,\n",
        "",
        "9 of 9: lines[].allocations[] an entry fewer (18)",
    ),
    ("a refusal", "N,EMEA-NORTH\n", "", "3 of 9: refused now: 012 HEADER.REGION is \"N\""),
    ("an id", "reference,ID,text", "reference,HEADER.OBJECT_ID,text", "9 of 9: another id: reference"),
    (
        "an id of lines",
        "lines[].unit",
        "lines[].order,ID,text,omit,\nlines[].unit",
        "9 of 9: another id: lines[].order",
    ),
    (
        "an object instead of a value",
        "note,HEADER.NOTE",
        "note.text,HEADER.NOTE",
        "9 of 9: note \"n\" → {\"text\":\"n\"} (9)",
    ),
    (
        "rows in another order",
        "note,HEADER.NOTE,text,omit,\nship.city,HEADER.CITY,text,omit,\n",
        "ship.city,HEADER.CITY,text,omit,\nnote,HEADER.NOTE,text,omit,\n",
        "0 of 9: no difference",
    ),
];

#[test]
fn each_kind_of_change_is_told_in_one_line_both_ways() {
    for (name, before, after, expected) in CHANGES {
        assert!(SHEET.contains(before) || REGIONS.contains(before), "{name}: the change is none");
        let old = mapping(SHEET, REGIONS);
        let new = mapping(&SHEET.replace(before, after), &REGIONS.replace(before, after));
        let summary = compared(&old, &new, 9).summary();
        assert!(summary.starts_with(expected), "{name}: {summary}");
        let back = compared(&new, &old, 9);
        let counts = |summary: &str| summary.split(':').next().unwrap().to_owned();
        assert_eq!(counts(&back.summary()), counts(expected), "{name}, back: {}", back.summary());
        assert_eq!(back.is_without_difference(), expected.contains("no difference"), "{name}");
    }
}

#[test]
fn what_was_refused_before_and_what_both_refuse_is_told_apart() {
    let without = mapping(SHEET, "region,code\nS,EMEA-SOUTH\n");
    let with = mapping(SHEET, REGIONS);
    let summary = compared(&without, &with, 9).summary();
    assert!(summary.starts_with("3 of 9: no longer refused: 012 HEADER.REGION is \"N\""), "{summary}");
    let neither = mapping(SHEET, "region,code\nX,Y\n");
    let both = compared(&without, &neither, 3);
    let report = both.report();
    assert_eq!((report.differing, report.refused_by_both), (2, 1));
    assert!(!both.is_without_difference() && report.refused_otherwise.groups.is_empty());
    let other = mapping(&SHEET.replace("table:regions", "integer"), REGIONS);
    let otherwise = compared(&without, &other, 3).report().refused_otherwise.groups;
    assert_eq!(otherwise.iter().map(|entry| entry.change).collect::<Vec<_>>(), [Some("added"), Some("removed")]);
}

#[test]
fn a_warning_that_comes_or_goes_is_a_difference_and_no_order_differs() {
    use crate::mapping::Plausibility;
    let sheet = format!(
        "{SHEET}totalAmount,HEADER.TOTAL_VALUE,decimal,omit,\nlines[].amount,ITEM.VALUE,decimal,omit,\n\
         lines[].quantity,ITEM.QUANTITY,decimal,omit,\nlines[].unitPrice,ITEM.PRICE,decimal,omit,\n"
    );
    let (mut off, on) = (mapping(&sheet, REGIONS), mapping(&sheet, REGIONS));
    off.plausibility = Plausibility::Off;
    let text = cart(1, "S").replace("\"UNIT\":\"H\"", "\"UNIT\":\"H\",\"QUANTITY\":2,\"PRICE\":3,\"VALUE\":7");
    for (old, new, expected) in
        [(&off, &on, "warning new: 020"), (&on, &off, "warning gone: 020"), (&on, &on, "no diff")]
    {
        let mut comparison = Comparison::new(old, new);
        comparison.add(&Cart::parse(&text).unwrap(), "unnamed");
        let summary = comparison.summary();
        assert!(summary.starts_with(&format!("0 of 1: {expected}")), "{summary}");
        assert_eq!(comparison.is_without_difference(), expected == "no diff");
    }
}

#[test]
fn values_are_told_apart_by_type_and_long_ones_by_their_end() {
    let long = |end: &str| format!("{}{end}", "x".repeat(200));
    for (old, new, is_different) in [
        (json!("10"), json!(10), true),
        (json!(10), json!(10.0), true),
        (json!(null), json!(""), true),
        (json!(true), json!("true"), true),
        (json!(long("a")), json!(long("b")), true),
        (json!(long("a")), json!(long("a")), false),
        (json!([1, 2]), json!([2, 1]), true),
    ] {
        let found = differences(&json!({ "a": old }), &json!({ "a": new }));
        assert_eq!(!found.is_empty(), is_different, "{old} {new}");
        for (_, change) in found {
            let Change::Value { old: Some(old), new: Some(new) } = change else { panic!("{change:?}") };
            assert!(old != new && old.chars().count() < 100, "{old} {new}");
            assert!(serde_json::from_str::<Value>(&old).is_ok(), "{old}");
        }
    }
}

#[test]
fn entries_are_compared_by_position_unless_one_list_is_longer() {
    let lines = |numbers: &[i32], unit: &str| json!({ "l": numbers.iter().map(|n| json!({ "n": n, "u": unit })).collect::<Vec<_>>() });
    let named = |old: &Value, new: &Value| -> Vec<String> {
        differences(old, new).into_iter().map(|(path, change)| format!("{path} {change:?}")).collect()
    };
    let value = |path: &str, old: &str, new: &str| {
        format!("{path} {:?}", Change::Value { old: Some(old.to_owned()), new: Some(new.to_owned()) })
    };
    let h = |numbers: &[i32]| lines(numbers, "h");
    assert_eq!(named(&h(&[1, 2]), &h(&[1, 3])), [value("l[].n", "2", "3")]);
    assert_eq!(named(&h(&[1, 2, 3]), &h(&[1, 3])), ["l[] EntryRemoved"], "the line in the middle");
    assert_eq!(named(&h(&[2, 3]), &h(&[1, 2, 3, 4])), ["l[] EntryAdded", "l[] EntryAdded"]);
    assert_eq!(
        named(&h(&[1]), &h(&[5, 6])),
        [value("l[].n", "1", "5"), "l[] EntryAdded".to_owned()],
        "nothing in common"
    );
    assert_eq!(named(&json!({}), &h(&[1, 2])), ["l[] EntryAdded", "l[] EntryAdded"]);
    assert_eq!(named(&json!({ "l": [1, 2] }), &json!({ "l": [1] })), ["l[] EntryRemoved"]);
}

#[test]
fn a_field_that_differs_in_each_order_takes_one_line_and_bounded_memory() {
    let (old, new) = (mapping(SHEET, REGIONS), mapping(&SHEET.replace("HEADER.NOTE", "HEADER.OBJECT_ID"), REGIONS));
    let comparison = compared(&old, &new, 1_500);
    let summary = comparison.summary();
    assert_eq!(summary, "1500 of 1500: note, more than 1000 different changes (1500)");
    let report = comparison.report().fields;
    assert_eq!((report.groups.len(), report.further_groups, report.places_beyond), (1_000, 0, 500));
    let text = comparison.to_string();
    assert!(text.lines().count() < 12 && text.contains("note \"n\" → \"1\" (1)"), "{text}");
}

#[test]
fn a_reload_is_compared_on_its_examples_with_their_own_form_of_amounts() {
    let text = cart(1, "S");
    let files = [
        ("purchase-order.csv", SHEET),
        ("tables/regions.csv", REGIONS),
        ("examples/a.cart.json", text.as_str()),
        ("examples/a.order.json", "{}"),
        ("examples/b.unshifted.cart.json", text.as_str()),
        ("examples/broken.cart.json", "["),
    ];
    let folder = Folder::of(&files);
    let old = mapping(SHEET, REGIONS);
    let new = mapping(SHEET, &REGIONS.replace("EMEA-SOUTH", "EMEA-CENTRAL"));
    let comparison = Comparison::of_examples(&old, &new, &folder);
    assert_eq!(comparison.carts(), 3);
    let summary = comparison.summary();
    assert_eq!(summary, "2 of 3: regionCode \"EMEA-SOUTH\" → \"EMEA-CENTRAL\" (2); no cart: it is no cart (1)");
}
