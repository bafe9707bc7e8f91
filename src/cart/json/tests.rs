//! Tests of the scanner: against serde_json on every shortened and altered text.

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
