//! OpenAPI 3.1 rewritten as 3.0.3, which is what SAP API Management imports.

use serde_json::{Map, Value, json};

/// Rewrites a whole document.
pub fn to_3_0(mut document: Value) -> Value {
    if let Some(root) = document.as_object_mut() {
        root.insert("openapi".to_owned(), json!("3.0.3"));
        root.remove("jsonSchemaDialect");
        root.remove("webhooks");
    }
    if let Some(info) = document.get_mut("info").and_then(Value::as_object_mut) {
        info.remove("summary");
        // The SPDX identifier is new in 3.1.
        if let Some(license) = info.get_mut("license").and_then(Value::as_object_mut) {
            license.remove("identifier");
        }
    }
    rewrite(&mut document);
    document
}

fn rewrite(value: &mut Value) {
    match value {
        Value::Object(map) => {
            null_to_nullable(map);
            optional_reference(map);
            const_to_enum(map);
            examples_to_example(map);
            map.remove("propertyNames");
            map.values_mut().for_each(rewrite);
        }
        Value::Array(list) => list.iter_mut().for_each(rewrite),
        _ => {}
    }
}

/// `"type": ["string", "null"]` becomes `"type": "string", "nullable": true`.
fn null_to_nullable(map: &mut Map<String, Value>) {
    let Some(Value::Array(types)) = map.get("type") else { return };
    let kinds: Vec<Value> = types.iter().filter(|kind| *kind != "null").cloned().collect();
    let nullable = kinds.len() < types.len();
    if let [only] = kinds.as_slice() {
        map.insert("type".to_owned(), only.clone());
    } else {
        map.remove("type");
    }
    if nullable {
        map.insert("nullable".to_owned(), json!(true));
    }
}

/// `"oneOf": [{"type": "null"}, X]` becomes `"allOf": [X], "nullable": true`.
fn optional_reference(map: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = map.get("oneOf") else { return };
    let is_null = |choice: &Value| choice.get("type").is_some_and(|kind| kind == "null");
    let others: Vec<Value> = choices.iter().filter(|choice| !is_null(choice)).cloned().collect();
    if others.len() < choices.len() {
        map.remove("oneOf");
        map.insert("allOf".to_owned(), Value::Array(others));
        map.insert("nullable".to_owned(), json!(true));
    }
}

fn const_to_enum(map: &mut Map<String, Value>) {
    if let Some(only) = map.remove("const") {
        map.insert("enum".to_owned(), json!([only]));
    }
}

/// In schemas, 3.1 has a list of examples; in parameters and media types both versions have a map.
fn examples_to_example(map: &mut Map<String, Value>) {
    if let Some(Value::Array(examples)) = map.get("examples") {
        let first = examples.first().cloned();
        map.remove("examples");
        if let Some(first) = first {
            map.entry("example").or_insert(first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_3_0_does_not_know_is_rewritten() {
        let document = json!({"openapi": "3.1.0", "info": {"license": {"name": "x", "identifier": "x"}}, "a": {
            "optional": {"type": ["string", "null"], "examples": ["x"]},
            "reference": {"oneOf": [{"type": "null"}, {"$ref": "#/b"}]},
            "fixed": {"const": 1}
        }});
        let expected = json!({"openapi": "3.0.3", "info": {"license": {"name": "x"}}, "a": {
            "optional": {"type": "string", "nullable": true, "example": "x"},
            "reference": {"allOf": [{"$ref": "#/b"}], "nullable": true},
            "fixed": {"enum": [1]}
        }});
        assert_eq!(to_3_0(document), expected);
    }
}
