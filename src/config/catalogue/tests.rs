//! The catalogue against the reader: complete, printed as it is committed, and its schema refuses nothing that the service
//! accepts.

use std::path::Path;

use regex_lite::Regex;
use serde_json::{Value, json};

use super::*;

fn catalogue() -> Catalogue {
    Catalogue::collect().unwrap()
}

/// What a value breaks, by the keywords that the schema uses; any other one is a panic.
fn violations(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (keyword, rule) in schema.as_object().unwrap() {
        let is_met = match keyword.as_str() {
            "$schema" | "title" | "description" | "default" | "examples" => true,
            "type" => match rule {
                Value::Array(names) => names.iter().any(|name| is_of_type(name, value)),
                name => is_of_type(name, value),
            },
            "enum" => rule.as_array().unwrap().contains(value),
            "pattern" => value.as_str().is_none_or(|text| Regex::new(rule.as_str().unwrap()).unwrap().is_match(text)),
            "minLength" => {
                value.as_str().is_none_or(|text| text.len() >= usize::try_from(rule.as_u64().unwrap()).unwrap())
            }
            "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap()),
            "items" => value.as_array().is_none_or(|items| items.iter().all(|item| violations(rule, item).is_empty())),
            "anyOf" => rule.as_array().unwrap().iter().any(|schema| violations(schema, value).is_empty()),
            "properties" => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    found.extend(rule.get(name).map(|schema| violations(schema, value)).into_iter().flatten());
                }
                true
            }
            "additionalProperties" => value.as_object().is_none_or(|object| {
                let known = &schema["properties"];
                let mut others = object.iter().filter(|(name, _)| known.get(name).is_none());
                others.all(|(_, value)| rule.is_object() && violations(rule, value).is_empty())
            }),
            other => panic!("{other} is not checked"),
        };
        if !is_met {
            found.push(format!("{value} against {keyword} {rule}"));
        }
    }
    found
}

fn is_of_type(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no type {other}"),
    }
}

fn of_toml(text: &str) -> Value {
    serde_json::to_value(text.parse::<toml::Table>().unwrap()).unwrap()
}

/// One key, and the settings that have to be set.
fn with(key: &str, value: &str) -> String {
    let example = Example::parse(EXAMPLE);
    let keys = example.sections().flat_map(|section| section.keys.iter().map(|key| (section.dotted(key), key)));
    let required = keys.filter(|(dotted, found)| found.is_set && found.is_required() && dotted != key);
    let required = required.map(|(dotted, found)| format!("{dotted} = {}\n", found.value));
    format!("{key} = {value}\n{}", required.collect::<String>())
}

#[test]
fn every_key_is_read_by_a_section_and_shown_in_the_example() {
    assert_eq!(catalogue().differences(), Vec::<String>::new());
    let lacking = EXAMPLE.replace("drain = \"25s\"", "draim = \"25s\"");
    let expected = [
        "server.draim: in the example, and read by no section",
        "server.drain: read by a section, and not in the example",
    ];
    assert_eq!(Catalogue::of(&lacking).unwrap().differences(), expected);
}

#[test]
fn the_example_shows_the_defaults_behind_a_hash_too() {
    let catalogue = catalogue();
    for section in catalogue.example.sections() {
        for key in section.settings() {
            let dotted = section.dotted(key);
            let default = catalogue.forms.get(&dotted).and_then(|described| described.default.as_deref());
            let is_shown = default.is_none_or(|default| default == key.plain_value());
            assert!(is_shown, "{dotted} is {default:?} by default, and the example shows {}", key.value);
        }
    }
}

#[test]
fn page_and_schema_are_those_of_the_settings() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    for (file, expected) in [
        ("configuration.md", catalogue().markdown()),
        ("configuration.schema.json", format!("{:#}\n", catalogue().schema())),
    ] {
        let found = std::fs::read_to_string(folder.join(file)).unwrap_or_default();
        let differs = found.lines().zip(expected.lines()).find(|(found, expected)| found != expected);
        assert!(found == expected, "docs/{file} is not that of the settings; run scripts/configuration: {differs:?}");
    }
}

#[test]
fn the_schema_accepts_the_example_with_all_its_optional_keys() {
    let schema = catalogue().schema();
    for text in [EXAMPLE.to_owned(), Example::parse(EXAMPLE).with_optional_keys()] {
        assert_eq!(violations(&schema, &of_toml(&text)), Vec::<String>::new());
    }
}

#[test]
fn the_schema_accepts_the_settings_in_the_documents() {
    let schema = catalogue().schema();
    let mut blocks = 0;
    for document in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")).unwrap() {
        let path = document.unwrap().path();
        let text = if path.extension().is_some_and(|ending| ending == "md") {
            std::fs::read_to_string(&path).unwrap()
        } else {
            String::new()
        };
        for block in text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()) {
            blocks += 1;
            assert_eq!(violations(&schema, &of_toml(block)), Vec::<String>::new(), "{}:\n{block}", path.display());
        }
    }
    assert!(blocks > 0, "no document shows settings");
}

#[test]
fn the_schema_refuses_what_is_no_setting() {
    let schema = catalogue().schema();
    for wrong in [
        "server.deadlin = \"50s\"",
        "sever.deadline = \"50s\"",
        "server.deadline = 50",
        "server.deadline = \"50\"",
        "server.max_body = \"1MB\"",
        "server.on_deadline = \"later\"",
        "server.max_in_flight = 0",
        "server.max_in_flight = 1.5",
        "server.cors_origins = [1]",
        "server.tls = \"on\"",
        "auth.jwks_url = \"issuer.example/keys\"",
        "target.oauth2.client_secret = 5",
        "target.create.headers = [\"x\"]",
        "target.gateway_statuses = [true]",
        "retry.multiplier = 0.5",
        "retry.jitter = \"much\"",
        "mapping.shifted_amounts = 1",
        "ledger.retention = \"400 d\"",
    ] {
        assert!(!violations(&schema, &of_toml(wrong)).is_empty(), "{wrong} is accepted");
    }
}

/// Values of every form, right and wrong.
const PROBES: [&str; 34] = [
    "\"\"",
    "\"x\"",
    "\"a b\"",
    "\"a,b\"",
    "\"/x/{id}\"",
    "\"none\"",
    "\"0\"",
    "\"1\"",
    "\"+2\"",
    "\"404\"",
    "\"0.5\"",
    "\"1e1\"",
    "\"30s\"",
    "\"0s\"",
    "\"400d\"",
    "\"1MiB\"",
    "\"true\"",
    "\"on\"",
    "\"https://x.example/y\"",
    "\"HTTPS://x.example\"",
    "\"10.0.0.0/8\"",
    "\"127.0.0.1:1\"",
    "\"sqlite:x.db\"",
    "0",
    "1",
    "2.0",
    "0.5",
    "404",
    "true",
    "[]",
    "[\"x\"]",
    "[\"RS256\"]",
    "[200, 404]",
    "2026-11-28T04:00:00Z",
];

#[test]
fn the_schema_accepts_every_value_that_the_service_accepts() {
    let catalogue = catalogue();
    let schema = catalogue.schema();
    let mut accepted = 0;
    for (key, described) in &catalogue.forms {
        let words = match &described.form {
            Form::Choice(words) => words.iter().map(|word| format!("{word:?}")).collect(),
            _ => Vec::new(),
        };
        // A path may look like a number, but nobody means one.
        let is_meant = |probe: &str| described.form != Form::File || probe.starts_with('"');
        for value in PROBES.iter().map(|probe| (*probe).to_owned()).chain(words) {
            if !is_meant(&value) {
                continue;
            }
            let text = with(key, &value);
            let mistakes =
                Settings::parse("x", &text, &BTreeMap::new()).err().map_or(Vec::new(), |mistakes| mistakes.0);
            assert!(!mistakes.iter().any(|mistake| mistake.contains("not TOML")), "{text}: {mistakes:?}");
            if mistakes.iter().any(|mistake| mistake.starts_with(&format!("x: {key}"))) {
                continue;
            }
            accepted += 1;
            // A time is a text in JSON.
            let value = if value.starts_with("2026") { json!(value).to_string() } else { value };
            let found = violations(&schema, &of_toml(&format!("{key} = {value}")));
            assert!(found.is_empty(), "{key} = {value}: the service accepts it, the schema does not: {found:?}");
        }
    }
    assert!(accepted > catalogue.forms.len(), "hardly any value was accepted: {accepted}");
}
