//! The settings as a JSON schema (draft 7, which every editor knows).
//!
//! What the service accepts, the schema accepts (but for paths that are no texts). It can't know the rest: files, other keys, the meaning of a text. No key is
//! required, because any may come from the environment.

use serde_json::{Map, Value, json};

use super::Catalogue;
use super::example::{Key, Section};
use crate::config::form::Form;

const DURATION: &str = "^[0-9]+(ms|s|m|h|d)$";
const SIZE: &str = "^[0-9]+(B|KiB|MiB)$";
const URL: &str = "^[Hh][Tt][Tt][Pp][Ss]?:";

impl Catalogue {
    /// The schema.
    pub fn schema(&self) -> Value {
        let mut root = object(
            "Settings of purchase-order-webhook: one TOML file. Any key can also be set by environment, so none is required.",
        );
        for section in self.example.sections() {
            self.add_section(&mut root, section);
        }
        let mut schema = Map::new();
        schema.insert("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"));
        schema.insert("title".to_owned(), json!("purchase-order-webhook"));
        if let Value::Object(root) = root {
            schema.extend(root);
        }
        Value::Object(schema)
    }

    fn add_section(&self, root: &mut Value, section: &Section) {
        let mut place = root;
        for name in section.name.split('.') {
            let Some(properties) = place.get_mut("properties").and_then(Value::as_object_mut) else { return };
            place = properties.entry(name.to_owned()).or_insert_with(|| object(""));
        }
        if let Some(place) = place.as_object_mut() {
            place.insert("description".to_owned(), json!(sentence(&section.comment)));
        }
        let Some(properties) = place.get_mut("properties").and_then(Value::as_object_mut) else { return };
        for key in section.settings() {
            let name = key.name.trim_end_matches("_file");
            let dotted = format!("{}.{name}", section.name);
            let form = self.forms.get(&dotted).map_or(&Form::Text, |described| &described.form);
            let (schema, default) = (schema_of(form), self.default(&dotted, key));
            properties.insert(name.to_owned(), described(schema, default, key));
            if matches!(form, Form::Secret | Form::SecretOrNames) {
                let file = format!("The file that contains {name}, which is read again when it is needed.");
                let schema = json!({ "description": file, "type": "string", "pattern": "^[^\\r\\n]+$" });
                properties.insert(format!("{name}_file"), schema);
            }
        }
    }
}

fn object(description: &str) -> Value {
    json!({ "description": description, "type": "object", "additionalProperties": false, "properties": {} })
}

/// A value's schema, with its description, and its default, or an example.
fn described(schema: Value, default: Option<&str>, key: &Key) -> Value {
    let mut described = Map::from_iter([("description".to_owned(), Value::String(sentence(&key.comment)))]);
    if let Value::Object(schema) = schema {
        described.extend(schema);
    }
    let table = format!("value = {}", key.value).parse::<toml::Table>().unwrap_or_default();
    if let Some(value) = table.get("value").and_then(|value| serde_json::to_value(value).ok()) {
        match default {
            Some(_) => described.insert("default".to_owned(), value),
            None => described.insert("examples".to_owned(), json!([value])),
        };
    }
    Value::Object(described)
}

/// What a form is in JSON. A number or a flag may also be written as text, as variables and templates do.
fn schema_of(form: &Form) -> Value {
    let scalar = json!(["string", "number", "boolean"]);
    match form {
        Form::Choice(words) => {
            let flags = words.iter().filter_map(|word| word.parse::<bool>().ok()).map(Value::Bool);
            json!({ "enum": words.iter().map(|word| json!(word)).chain(flags).collect::<Vec<_>>() })
        }
        Form::Duration => json!({ "type": "string", "pattern": DURATION }),
        Form::Size => json!({ "type": "string", "pattern": SIZE }),
        Form::Integer(first, last) => json!({ "anyOf": [
            { "type": "integer", "minimum": first, "maximum": last },
            { "type": "string", "pattern": "^\\+?[0-9]+$" },
        ] }),
        Form::Number(first, last) => json!({ "anyOf": [
            { "type": "number", "minimum": first, "maximum": last },
            { "type": "string", "pattern": "^\\+?[0-9.]+([eE][+-]?[0-9]+)?$" },
        ] }),
        Form::Url => json!({ "type": "string", "pattern": URL }),
        Form::File => json!({ "type": "string", "pattern": "^[^\\n]+$" }),
        Form::Text => json!({ "type": scalar }),
        Form::Secret => json!({ "type": "string", "minLength": 1 }),
        Form::Statuses => json!({ "anyOf": [
            { "type": "array", "items": { "type": ["integer", "string"] } },
            { "type": ["integer", "string"] },
        ] }),
        // One text is a list of one, or of several with commas.
        Form::List(entry) => {
            let entry = match schema_of(entry) {
                Value::Object(schema) if schema.get("type") == Some(&scalar) => json!({ "type": "string" }),
                schema => schema,
            };
            json!({ "anyOf": [{ "type": "array", "items": entry }, { "type": "string" }] })
        }
        Form::SecretOrNames => json!({ "anyOf": [schema_of(&Form::Secret), schema_of(&Form::Names)] }),
        Form::Sections => json!({ "type": "array", "items": { "type": "object" } }),
        Form::Names => json!({ "type": "object", "additionalProperties": { "type": scalar } }),
    }
}

/// A comment in one line.
fn sentence(comment: &[String]) -> String {
    let words: Vec<&str> = comment.iter().flat_map(|line| line.split_whitespace()).collect();
    words.join(" ")
}
