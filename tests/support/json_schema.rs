//! The part of JSON Schema that the API's description uses: the mistakes of a value. A keyword that is not known here fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use serde_json::Value;

/// Keywords that say nothing about what is valid.
const ANNOTATIONS: [&str; 6] = ["description", "example", "examples", "title", "default", "format"];

/// The mistakes of a value, each with its place; none if it is valid.
pub fn mistakes(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(document, schema, value, "", &mut found);
    found
}

fn check(document: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    for (keyword, argument) in schema.as_object().unwrap() {
        let is_valid = match keyword.as_str() {
            "$ref" => {
                let target = document.pointer(argument.as_str().unwrap().trim_start_matches('#')).expect("a target");
                check(document, target, value, at, found);
                true
            }
            "type" => {
                let types = argument.as_array().cloned().unwrap_or_else(|| vec![argument.clone()]);
                types.iter().any(|kind| is_of_type(kind.as_str().unwrap(), value))
            }
            "enum" => argument.as_array().unwrap().contains(value),
            "required" => {
                let names = argument.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
                value.as_object().is_none_or(|map| names.into_iter().all(|name| map.contains_key(name)))
            }
            "properties" => {
                for (name, property) in argument.as_object().unwrap() {
                    if let Some(inner) = value.get(name) {
                        check(document, property, inner, &format!("{at}/{name}"), found);
                    }
                }
                true
            }
            "additionalProperties" => *argument == true || only_known(schema, value),
            "items" => {
                for (index, inner) in value.as_array().into_iter().flatten().enumerate() {
                    check(document, argument, inner, &format!("{at}/{index}"), found);
                }
                true
            }
            "allOf" => {
                argument.as_array().unwrap().iter().for_each(|part| check(document, part, value, at, found));
                true
            }
            "anyOf" => argument.as_array().unwrap().iter().any(|part| mistakes(document, part, value).is_empty()),
            "oneOf" => {
                let fitting =
                    argument.as_array().unwrap().iter().filter(|part| mistakes(document, part, value).is_empty());
                fitting.count() == 1
            }
            "minimum" => value.as_f64().is_none_or(|number| number >= argument.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|number| number <= argument.as_f64().unwrap()),
            "minLength" => value.as_str().is_none_or(|text| text.chars().count() as u64 >= argument.as_u64().unwrap()),
            "maxLength" => value.as_str().is_none_or(|text| text.chars().count() as u64 <= argument.as_u64().unwrap()),
            "minItems" => value.as_array().is_none_or(|list| list.len() as u64 >= argument.as_u64().unwrap()),
            "maxItems" => value.as_array().is_none_or(|list| list.len() as u64 <= argument.as_u64().unwrap()),
            "pattern" => {
                let pattern = regex_lite::Regex::new(&for_rust(argument.as_str().unwrap())).unwrap();
                value.as_str().is_none_or(|text| pattern.is_match(text))
            }
            other if ANNOTATIONS.contains(&other) => true,
            other => panic!("{at}: the keyword {other} is not known"),
        };
        if !is_valid {
            found.push(format!("{at}: {value} breaks {keyword}: {argument}"));
        }
    }
}

fn only_known(schema: &Value, value: &Value) -> bool {
    let known = |name: &String| schema["properties"].get(name).is_some();
    value.as_object().is_none_or(|map| map.keys().all(known))
}

fn is_of_type(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("{other} is no type of this description"),
    }
}

/// ECMA writes `\u001F`, Rust `\u{001F}`.
fn for_rust(pattern: &str) -> String {
    let mut parts = pattern.split("\\u");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| format!("{text}\\u{{{}}}{}", &part[..4], &part[4..]))
}
