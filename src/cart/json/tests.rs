//! Tests of the scanner: against serde_json on every shortened and altered text.

use proptest::prelude::*;
use serde_json::Value as Oracle;

use super::*;

fn fault(text: &str) -> Option<(usize, usize, String)> {
    Document::scan(text, 32).err().map(|fault| (fault.line, fault.column, fault.detail.into_owned()))
}

/// What serde_json says, in the scanner's form: after a line break, and in an empty text, it counts from 0.
fn oracle(text: &str) -> Option<(usize, usize, String)> {
    let error = serde_json::from_str::<Oracle>(text).err()?;
    let words = error.to_string();
    let detail = words.rsplit_once(" at line ").map_or(words.as_str(), |(detail, _)| detail).to_owned();
    Some((error.line(), error.column().max(1), detail))
}

const SAMPLE: &str = "{\"HEADER\":\n {\"A\": [1, -0.5e+3, \"x\\u00e9\\n\"], \"b\" :{}, \"c\":[ ],\n\"d\":true,\"e\":false,\"f\":null,\"\\\"g\":\"ä\"}}\n";

#[test]
fn a_shortened_or_altered_text_is_refused_where_serde_json_refuses_it() {
    assert_eq!((fault(SAMPLE), oracle(SAMPLE)), (None, None));
    for at in (0..SAMPLE.len()).filter(|at| SAMPLE.is_char_boundary(*at)) {
        let start = &SAMPLE[..at];
        assert_eq!(fault(start), oracle(start), "{start:?}");
        for other in ["", "\"", "\\", "{", "}", "[", "]", ",", ":", "0", "-", ".", "e", "t", " ", "x", "\u{1}", "ü"] {
            let rest = SAMPLE[at..].chars().skip(1).collect::<String>();
            let altered = format!("{start}{other}{rest}");
            let (found, expected) = (fault(&altered), oracle(&altered));
            // A name twice, a lone surrogate and a control character have their own tests.
            let known = |detail: &str| detail.contains("twice") || detail.contains("control character");
            if found.as_ref().is_some_and(|(.., detail)| known(detail)) {
                continue;
            }
            // serde_json takes the four digits of an escape at once, and counts all of them.
            match (found, expected) {
                (Some((line, column, detail)), Some((line_there, column_there, detail_there)))
                    if detail == "invalid escape" =>
                {
                    assert_eq!((line, detail), (line_there, detail_there), "{altered:?}");
                    assert!((column..column + 4).contains(&column_there), "{altered:?}");
                }
                (found, expected) => assert_eq!(found, expected, "{altered:?}"),
            }
        }
    }
}

#[test]
fn values_are_read_as_serde_json_reads_them() {
    fn same(value: Value<'_>, oracle: &Oracle) {
        match oracle {
            Oracle::Null => assert_eq!(value.form(), Form::Null),
            Oracle::Bool(flag) => assert_eq!(value.form(), Form::Flag(*flag)),
            Oracle::Number(_) => assert_eq!(value.form(), Form::Number),
            Oracle::String(text) => assert_eq!((value.form(), value.text().as_ref()), (Form::Text, text.as_str())),
            Oracle::Array(entries) => {
                assert_eq!((value.form(), value.inside().count()), (Form::List, entries.len()));
                value.inside().zip(entries).for_each(|(value, oracle)| same(value, oracle));
            }
            Oracle::Object(members) => {
                assert_eq!((value.form(), value.inside().count()), (Form::Object, members.len()));
                for (value, (name, oracle)) in value.inside().zip(members) {
                    assert_eq!(value.name(), name.as_str());
                    same(value, oracle);
                }
            }
        }
    }
    for text in [
        SAMPLE,
        "7",
        "\"\"",
        "[[],[[]],{}]",
        r#"{"\u0041_b":"\ud83d\ude00 \/ \b\f\r\t \\","":{"":[]}}"#,
        include_str!("../../../mapping/examples/asjson-sample.cart.json"),
    ] {
        same(Document::scan(text, 32).unwrap().value(0), &serde_json::from_str(text).unwrap());
    }
}

#[test]
fn a_name_twice_is_refused_in_small_and_in_large_objects() {
    for members in [0_usize, 1, 40, 255, 256, 257, 2_000] {
        let object = |last: &str| {
            let names = (0..members).map(|n| format!("\"N{n}\":[{n}],")).collect::<Vec<_>>().concat();
            format!("{{{names}\"X\":{{\"X\":1}},\"{last}\":2}}")
        };
        assert_eq!(fault(&object("x")), None, "another spelling is another name");
        let text = object("\\u0058");
        let column = text.rfind("\"\\u").unwrap() + 1;
        assert_eq!(fault(&text), Some((1, column, "the name \"X\" appears twice in one object".to_owned())));
    }
}

/// A name as it may be written.
fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&["A", "B", "a", "A_", "\\u0041", "A\\\"", "A\\\\", ""][..])
}

fn decoded(name: &str) -> String {
    serde_json::from_str(&format!("\"{name}\"")).unwrap()
}

proptest! {
    /// Few names, so that most objects of a list begin like an earlier one, and go on otherwise.
    #[test]
    fn objects_of_a_list_have_the_names_that_are_written(
        objects in prop::collection::vec(prop::collection::vec(name(), 0..4), 0..8),
        value in prop::sample::select(&["1", "{}", "[{\"A\":1}]", "{\"A\":{},\"B\":2}"][..]),
    ) {
        let written = |names: &Vec<&str>| {
            format!("{{{}}}", names.iter().map(|name| format!("\"{name}\" :{value}")).collect::<Vec<_>>().join(" ,"))
        };
        let text = format!("[{}]", objects.iter().map(written).collect::<Vec<_>>().join(","));
        let names: Vec<Vec<String>> =
            objects.iter().map(|names| names.iter().map(|name| decoded(name)).collect()).collect();
        let has_twice = |names: &Vec<String>| (1..names.len()).any(|at| names[..at].contains(&names[at]));
        match Document::scan(&text, 32) {
            Err(fault) => {
                prop_assert!(names.iter().any(has_twice), "{} in {}", fault.detail, text);
                prop_assert!(fault.detail.contains("twice"), "{}", fault.detail);
            }
            Ok(document) => {
                prop_assert!(!names.iter().any(has_twice), "{}", text);
                let read: Vec<Value<'_>> = document.value(0).inside().collect();
                for (object, names) in read.iter().zip(&names) {
                    let hashes: Vec<u32> = names.iter().map(|name| Name::of(name).hash()).collect();
                    prop_assert_eq!(&object.inside().map(|member| member.name().into_owned()).collect::<Vec<_>>(), names);
                    prop_assert_eq!(object.inside().map(Value::name_hash).collect::<Vec<_>>(), hashes);
                }
                for (left, left_names) in read.iter().zip(&names) {
                    for (right, right_names) in read.iter().zip(&names) {
                        prop_assert!(left.alike() != right.alike() || left_names == right_names, "{}", text);
                    }
                }
            }
        }
    }
}

#[test]
fn a_name_twice_is_refused_in_an_object_that_began_like_the_one_before() {
    for members in [1_usize, 40, 255, 256, 257, 300] {
        let names: Vec<String> = (0..members).map(|n| format!("\"N{n}\":[{n}]")).collect();
        let names = names.join(",");
        let text = |last: &str| format!("[{{{names}}},{{{names},\"{last}\":1}}]");
        assert_eq!(fault(&text("X")), None);
        let found = fault(&text(&format!("N{}", members / 2))).map(|(.., detail)| detail);
        assert_eq!(found, Some(format!("the name \"N{}\" appears twice in one object", members / 2)));
    }
}

#[test]
fn rows_like_the_last_one_or_the_one_before_it_are_known_to_be_alike() {
    for (rows, alike) in [
        (r#"[{"A":1,"B":2},{"A":3,"B":4},{"A":[{}],"B":{}}]"#, [0, 0, 0]),
        (r#"[{"A":1},{"A":1,"B":2},{"A":3}]"#, [0, 1, 0]),
        (r#"[{"A":1,"B":2},{"A":3},{"A":5,"B":6,"C":7}]"#, [0, 1, 2]),
        (r#"[{"A":1,"B":2},{"B":3,"A":4},{"A":5,"C":6}]"#, [0, 1, 2]),
        (r#"[{"A":1},7,{"A":2},{"\u0041":3}]"#, [0, 0, 2]),
        ("[{},{},{}]", [0, 0, 0]),
    ] {
        let document = Document::scan(rows, 32).unwrap();
        let rows: Vec<_> = document.value(0).inside().filter(|row| row.form() == Form::Object).collect();
        let found: Vec<_> = rows.iter().map(|row| rows.iter().position(|other| other.alike() == row.alike())).collect();
        assert_eq!(found, alike.map(Some), "{}", document.text());
    }
}

#[test]
fn half_of_a_surrogate_pair_is_replaced() {
    for (raw, expected) in [
        (r"a\ud83d", "a\u{fffd}"),
        (r"\ude00b", "\u{fffd}b"),
        (r"\ud83d\ud83d\ude00", "\u{fffd}😀"),
        (r"\ud83dx\ude00", "\u{fffd}x\u{fffd}"),
        (r"\ud83d\n", "\u{fffd}\n"),
        (r"\ud83d\u00e4", "\u{fffd}ä"),
        (r"\u0000", "\0"),
    ] {
        let text = format!("\"{raw}\"");
        assert_eq!(Document::scan(&text, 1).unwrap().value(0).text(), expected, "{raw}");
    }
}

#[test]
fn a_number_is_no_float() {
    for number in ["1e999", "-1E-999", "123456789012345678901234567890.10", "0.10"] {
        assert_eq!(Document::scan(number, 1).unwrap().value(0).text(), number);
    }
}
