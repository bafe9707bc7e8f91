//! OpenAPI 3.1 rewritten as 3.0.3, which is what SAP API Management imports.

use serde_json::{Map, Value, json};

/// Where the licence is to be read.
const LICENSE: &str = "https://www.apache.org/licenses/LICENSE-2.0";

/// Rewrites a whole document.
pub fn to_3_0(mut document: Value) -> Value {
    if let Some(root) = document.as_object_mut() {
        root.insert("openapi".to_owned(), json!("3.0.3"));
        root.shift_remove("jsonSchemaDialect");
        root.shift_remove("webhooks");
    }
    if let Some(info) = document.get_mut("info").and_then(Value::as_object_mut) {
        info.shift_remove("summary");
        // The SPDX identifier is new in 3.1; 3.0 has an address in its place.
        if let Some(license) = info.get_mut("license").and_then(Value::as_object_mut) {
            license.shift_remove("identifier");
            license.insert("url".to_owned(), json!(LICENSE));
        }
    }
    rewrite(&mut document);
    document
}

fn rewrite(value: &mut Value) {
    match value {
        Value::Object(map) => {
            several_types(map);
            reference_with_company(map);
            const_to_enum(map);
            examples_to_example(map);
            map.shift_remove("propertyNames");
            map.values_mut().for_each(rewrite);
        }
        Value::Array(list) => list.iter_mut().for_each(rewrite),
        _ => {}
    }
}

/// `"type": ["string", "integer"]` becomes `"anyOf": [{"type": "string"}, {"type": "integer"}]`.
fn several_types(map: &mut Map<String, Value>) {
    let Some(Value::Array(types)) = map.get("type") else { return };
    let choices = types.iter().map(|kind| json!({ "type": kind })).collect();
    map.shift_remove("type");
    map.insert("anyOf".to_owned(), Value::Array(choices));
}

/// Nothing stands beside a reference: `{"$ref": X, "description": …}` becomes `{"allOf": [{"$ref": X}], "description": …}`.
fn reference_with_company(map: &mut Map<String, Value>) {
    if map.len() < 2 {
        return;
    }
    if let Some(reference) = map.shift_remove("$ref") {
        map.insert("allOf".to_owned(), json!([{ "$ref": reference }]));
    }
}

fn const_to_enum(map: &mut Map<String, Value>) {
    if let Some(only) = map.shift_remove("const") {
        map.insert("enum".to_owned(), json!([only]));
    }
}

/// In schemas, 3.1 has a list of examples; in parameters and media types both versions have a map.
fn examples_to_example(map: &mut Map<String, Value>) {
    if let Some(Value::Array(examples)) = map.get("examples") {
        let first = examples.first().cloned();
        map.shift_remove("examples");
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
        let document = json!({"openapi": "3.1.0", "info": {"license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}}, "a": {
            "several": {"type": ["string", "integer"], "examples": ["x"]},
            "reference": {"$ref": "#/b", "description": "d"},
            "alone": {"$ref": "#/b"},
            "fixed": {"const": 1}
        }});
        let expected = json!({"openapi": "3.0.3", "info": {"license": {"name": "Apache-2.0", "url": LICENSE}}, "a": {
            "several": {"anyOf": [{"type": "string"}, {"type": "integer"}], "example": "x"},
            "reference": {"allOf": [{"$ref": "#/b"}], "description": "d"},
            "alone": {"$ref": "#/b"},
            "fixed": {"enum": [1]}
        }});
        assert_eq!(to_3_0(document), expected);
    }
}
