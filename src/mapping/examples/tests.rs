//! Examples: what differs, what is expected of a refusal, what is written, and what a change changes.

use serde_json::{Value, json};

use super::difference::text;
use super::layout::order_text;
use super::pair::examples;
use super::refusal;
use super::update::ExampleUpdate;
use crate::mapping::difference::Pairing;
use crate::mapping::{Amounts, Folder, Mapping, SHEET};
use crate::message::{Message, MessageCode};

const SHEET_TEXT: &str = "target,source,as,absent,remark\nexternalId,ID,text,refuse,\norg,HEADER.ORG,text,refuse,\n\
     total,HEADER.TOTAL,decimal,omit,\nlines[].unit,ITEM.UNIT,text,refuse,\n";

fn compiled(files: &[(&str, &str)]) -> (Folder, Mapping) {
    let folder = Folder::of(files);
    let mapping = Mapping::compile(&folder, Amounts::Unshifted).unwrap();
    (folder, mapping)
}

/// A folder with one example: a cart and its expectation.
fn with_example(cart: &Value, ending: &str, expectation: &str) -> (Folder, Mapping) {
    let (cart, file) = (cart.to_string(), format!("examples/a.{ending}.json"));
    compiled(&[(SHEET, SHEET_TEXT), ("examples/a.cart.json", &cart), (&file, expectation)])
}

fn cart() -> Value {
    json!({"HEADER": {"OBJECT_ID": "1", "ORG": "1010", "TOTAL": "160.50"}, "ITEM": [{"UNIT": "H"}]})
}

fn refused_cart() -> Value {
    json!({"HEADER": {"OBJECT_ID": "1", "ORG": ""}, "ITEM": [{"UNIT": "H"}, {"UNIT": ""}]})
}

fn lines(folder: &Folder, mapping: &Mapping) -> Vec<String> {
    mapping.compare_examples(folder).defects().iter().map(ToString::to_string).collect()
}

#[test]
fn every_difference_has_its_path_and_types_are_told_apart() {
    let table = [
        (json!({"a": "160.5"}), json!({"a": "160.5"}), vec![]),
        (json!({"a": "1", "b": 2}), json!({"b": 2, "a": "1"}), vec![]),
        (json!({"a": "1"}), json!({"a": "2"}), vec!["a is \"1\", expected \"2\""]),
        (json!({"a": "160.5"}), json!({"a": 160.5}), vec!["a is \"160.5\" (text), expected 160.5 (number)"]),
        (json!({"a": true}), json!({"a": "true"}), vec!["a is true (true or false), expected \"true\" (text)"]),
        (json!({"a": null}), json!({}), vec!["a is null (null), expected nothing"]),
        (json!({}), json!({"a": {"b": 1}}), vec!["a is missing, expected {\"b\":1} (object)"]),
        (
            json!({"a": {"b": 1}}),
            json!({"a": {"b": 2, "c": "x"}}),
            vec!["a.b is 1, expected 2", "a.c is missing, expected \"x\" (text)"],
        ),
        (
            json!({"l": [{"x": 1}, {"x": 2}]}),
            json!({"l": [{"x": 3}]}),
            vec!["l has 2 entries, expected 1", "l[0].x is 1, expected 3"],
        ),
        (json!({"l": [1]}), json!({"l": []}), vec!["l has 1 entry, expected 0"]),
        (json!({"l": []}), json!({"l": {}}), vec!["l is [] (list), expected {} (object)"]),
        (json!({"a": 1}), json!([1]), vec!["the order is {\"a\":1} (object), expected [1] (list)"]),
    ];
    for (found, expected, texts) in table {
        let differences: Vec<String> = Pairing::Position.differences(&found, &expected).iter().map(text).collect();
        assert_eq!(differences, texts, "{found} {expected}");
    }
}

#[test]
fn each_difference_of_each_example_is_reported_and_counted() {
    let cart = cart().to_string();
    let (folder, mapping) = compiled(&[
        (SHEET, SHEET_TEXT),
        ("examples/a.cart.json", &cart),
        ("examples/a.order.json", r#"{"externalId":"1","org":"2020","total":160.5,"lines":[{"unit":"H"}]}"#),
        ("examples/b.cart.json", &cart),
        (
            "examples/b.order.json",
            "\u{feff}{\"externalId\":\"1\",\"org\":\"1010\",\"total\":\"160.5\",\"lines\":[{\"unit\":\"H\"}]}",
        ),
        ("examples/c.cart.json", &cart),
        ("examples/d.order.json", "{}"),
        ("examples/e.cart.json", "{"),
        ("examples/e.order.json", "{}"),
        ("examples/f.cart.json", &cart),
        ("examples/f.order.json", "{\n1}"),
        ("examples/g.cart.json", &cart),
        ("examples/g.order.json", "{}"),
        ("examples/g.refused.json", "[]"),
        ("examples/notes.json", "no example"),
    ]);
    let report = mapping.compare_examples(&folder);
    assert_eq!((report.count(), report.differing()), (7, 6));
    assert_eq!(report.count_text().unwrap(), "6 of 7 examples differ");
    let expected = [
        "examples/a.cart.json: not as in examples/a.order.json: org is \"1010\", expected \"2020\"",
        "examples/a.cart.json: not as in examples/a.order.json: total is \"160.5\" (text), expected 160.5 (number)",
        "examples/c.cart.json: examples/c.order.json is missing; expected the order that this cart becomes, or \
         examples/c.refused.json with the messages that refuse it",
        "examples/d.order.json: there is no cart of this name beside it",
        "examples/e.cart.json: ",
        "examples/f.order.json: is no JSON: key must be a string at line 2 column 1",
        "examples/g.cart.json: has both examples/g.order.json and examples/g.refused.json; expected one of them",
    ];
    let found = lines(&folder, &mapping);
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    assert!(found.iter().zip(expected).all(|(found, expected)| found.starts_with(expected)), "{found:#?}");
    let summary = report.summary().unwrap().to_string();
    assert!(summary.starts_with("examples: 6 of 7 examples differ; the first: examples/a.cart.json: "), "{summary}");
}

#[test]
fn a_refusal_is_compared_by_what_is_told_of_its_messages() {
    let org = r#"{"number":"010","field":"ORG","row":0}"#;
    let unit = r#"{"number":"010","field":"UNIT","row":2}"#;
    let table = [
        (format!("[{org},{unit}]"), vec![]),
        (format!("[{unit},{org}]"), vec![]),
        (r#"[{"number":"010"},{"row":2}]"#.to_owned(), vec![]),
        // The vague one has to leave the message that only the other one can have.
        (r#"[{"number":"010"},{"field":"ORG"}]"#.to_owned(), vec![]),
        (
            format!("[{org}]"),
            vec!["is refused with {\"number\":\"010\",\"field\":\"UNIT\",\"row\":2} too: ITEM.UNIT of item 2"],
        ),
        (
            format!("[{org},{unit},{{\"number\":\"011\"}}]"),
            vec!["not as in examples/a.refused.json: is not refused with {\"number\":\"011\"}"],
        ),
        (
            format!("[{org},{org}]"),
            vec!["is not refused with {\"number\":\"010\",\"field\":\"ORG\",\"row\":0}", "UNIT"],
        ),
        ("[]".to_owned(), vec!["examples/a.refused.json: expected at least one message"]),
        ("{}".to_owned(), vec!["examples/a.refused.json: expected a list of messages"]),
        ("[{}]".to_owned(), vec!["message 1: a message without number, field and row would be any message"]),
        ("[1]".to_owned(), vec!["message 1: expected an object with number, field or row, found 1"]),
        (
            r#"[{"number":10},{"field":null},{"row":-1},{"text":"x"}]"#.to_owned(),
            vec![
                "message 1: number is 10",
                "message 2: field is null",
                "message 3: row is -1",
                "message 4: \"text\" is no part",
            ],
        ),
        ("[".to_owned(), vec!["examples/a.refused.json: is no JSON: "]),
    ];
    for (expectation, expected) in table {
        let (folder, mapping) = with_example(&refused_cart(), "refused", &expectation);
        let found = lines(&folder, &mapping);
        assert_eq!(found.len(), expected.len(), "{expectation}: {found:#?}");
        assert!(
            found.iter().zip(expected).all(|(found, expected)| found.contains(expected)),
            "{expectation}: {found:#?}"
        );
    }
    let (folder, mapping) = with_example(&cart(), "refused", &format!("[{org}]"));
    let expected = "examples/a.cart.json: becomes an order, and examples/a.refused.json expects a refusal with ";
    assert!(lines(&folder, &mapping)[0].starts_with(expected));
    let (folder, mapping) = with_example(&refused_cart(), "order", "{}");
    let found = lines(&folder, &mapping);
    assert_eq!(found.len(), 2, "each mistake: {found:#?}");
    assert!(found[0].contains("is refused, and examples/a.order.json expects an order: HEADER.ORG"), "{found:#?}");
}

#[test]
fn a_warning_of_a_refused_cart_may_be_expected_and_need_not_be() {
    let message = |code: MessageCode| Message::new(code, "text");
    let found = [message(MessageCode::Missing), message(MessageCode::Implausible)];
    let parsed = |text: &str| refusal::parse(text).unwrap();
    for expected in [r#"[{"number":"010"}]"#, r#"[{"number":"010"},{"number":"020"}]"#] {
        assert_eq!(refusal::differences(&found, &parsed(expected)), Vec::<String>::new());
    }
    assert_eq!(refusal::differences(&found, &parsed(r#"[{"number":"020"}]"#)).len(), 1, "the mistake is not expected");
}

#[test]
fn the_layout_of_the_repository_is_kept() {
    let (folder, mapping) = {
        let folder = Folder::read("mapping".as_ref()).unwrap();
        let mapping = Mapping::compile(&folder, Amounts::Unshifted).unwrap();
        (folder, mapping)
    };
    assert_eq!(lines(&folder, &mapping), Vec::<String>::new());
    for example in examples(&folder) {
        let Some(order) = example.order else { continue };
        let value: Value = serde_json::from_str(order).unwrap();
        assert_eq!(order_text(&value, Some(order)), order, "{}", example.name);
        let new = order_text(&value, None);
        assert!(new.lines().all(|line| line.chars().count() <= 130), "{new}");
        assert_eq!(serde_json::from_str::<Value>(&new).unwrap(), value);
    }
    let indented = "{\n  \"a\": 1\n}\n";
    assert_eq!(order_text(&json!({"a": 2}), Some(indented)), "{\n  \"a\": 2\n}\n");
}

#[test]
fn updated_examples_are_as_expected_and_no_order_becomes_a_refusal() {
    let old = r#"{"externalId":"1"}"#;
    // The cart, its expectation, and the file that is written.
    let table = [
        (cart(), Some(("order", old)), Some("examples/a.order.json")),
        (cart(), Some(("order", "{")), Some("examples/a.order.json")),
        (cart(), None, Some("examples/a.order.json")),
        (refused_cart(), None, Some("examples/a.refused.json")),
        (refused_cart(), Some(("refused", r#"[{"number":"011"}]"#)), Some("examples/a.refused.json")),
        (refused_cart(), Some(("order", old)), None),
        (cart(), Some(("refused", r#"[{"number":"010"}]"#)), None),
    ];
    for (cart, expectation, written) in table {
        let cart = cart.to_string();
        let file = format!("examples/a.{}.json", expectation.map_or("", |(ending, _)| ending));
        let mut files = vec![(SHEET, SHEET_TEXT), ("examples/a.cart.json", cart.as_str())];
        files.extend(expectation.map(|(_, text)| (file.as_str(), text)));
        let (folder, mapping) = compiled(&files);
        let ExampleUpdate { files: updates, kept } = mapping.update_examples(&folder);
        assert_eq!(
            updates.iter().map(|update| update.file.as_str()).collect::<Vec<_>>(),
            Vec::from_iter(written),
            "{expectation:?}"
        );
        let Some(update) = updates.first() else {
            assert!(!lines(&folder, &mapping).is_empty(), "it still differs: {expectation:?}");
            assert!(
                kept.len() == 1 && kept[0].to_string().starts_with(&format!("{file}: left as it is: ")),
                "{kept:?}"
            );
            continue;
        };
        files.retain(|(file, _)| *file != update.file);
        files.push((&update.file, &update.text));
        let (folder, mapping) = compiled(&files);
        assert_eq!(lines(&folder, &mapping), Vec::<String>::new(), "{}", update.text);
        assert_eq!(mapping.update_examples(&folder), ExampleUpdate::default(), "what is as expected is not written");
    }
}

#[test]
fn the_files_of_examples_are_examined_without_a_mapping() {
    let folder = Folder::of(&[
        ("examples/a.cart.json", "{"),
        ("examples/a.order.json", "{}"),
        ("examples/b.cart.json", "{}"),
        ("examples/b.order.json", "{"),
        ("examples/c.refused.json", "[]"),
        ("examples/d.cart.json", "{}"),
        ("examples/e.cart.json", "{}"),
        ("examples/e.refused.json", "[]"),
        ("examples/f.cart.json", "{}"),
        ("examples/f.order.json", "{}"),
    ]);
    let found: Vec<String> = super::example_defects(&folder).iter().map(ToString::to_string).collect();
    let expected = [
        "examples/a.cart.json: ",
        "examples/b.order.json: is no JSON",
        "examples/c.refused.json: there is no cart",
        "examples/d.cart.json: examples/d.order.json is missing",
        "examples/e.refused.json: expected at least one",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    assert!(found.iter().zip(expected).all(|(found, expected)| found.starts_with(expected)), "{found:#?}");
}
