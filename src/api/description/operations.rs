//! Ways through a description: its operations, their parts, and references.

use serde_json::{Map, Value, json};

/// The member `name` of an object, made where it is absent.
pub fn member<'v>(value: &'v mut Value, name: &str) -> &'v mut Value {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(map) => map.entry(name).or_insert_with(|| Value::Object(Map::new())),
        other => other,
    }
}

/// A member of the components.
pub fn component<'v>(document: &'v mut Value, kind: &str, name: &str) -> &'v mut Value {
    member(member(member(document, "components"), kind), name)
}

/// A reference to a component.
pub fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

/// Every operation.
pub fn operations(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut).into_iter().flatten();
    let items = paths.filter_map(|(_, item)| item.as_object_mut()).flatten();
    items.filter(|(name, _)| matches!(name.as_str(), "get" | "post")).map(|(_, operation)| operation)
}

/// The operation's id.
pub fn id(operation: &Value) -> &str {
    operation.get("operationId").and_then(Value::as_str).unwrap_or_default()
}

/// The operation with an id.
pub fn operation<'d>(document: &'d mut Value, wanted: &str) -> Option<&'d mut Value> {
    operations(document).find(|operation| id(operation) == wanted)
}

/// Adds a paragraph to the description of something.
pub fn add_paragraph(described: &mut Value, paragraph: &str) {
    let before = described.get("description").and_then(Value::as_str).unwrap_or_default();
    let text = if before.is_empty() { paragraph.to_owned() } else { format!("{before}\n\n{paragraph}") };
    *member(described, "description") = Value::from(text);
}

/// Takes `null` out of every schema: `"type": ["string", "null"]` and `"oneOf": [{"type": "null"}, X]`.
pub fn remove_null(value: &mut Value) {
    let is_null = |kind: &Value| kind == "null";
    match value {
        Value::Object(map) => {
            if let Some(Value::Array(types)) = map.get_mut("type") {
                types.retain(|kind| !is_null(kind));
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    map.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(choices)) = map.get_mut("oneOf") {
                choices.retain(|choice| !choice.get("type").is_some_and(is_null));
                if let [Value::Object(only)] = choices.as_slice() {
                    let only = only.clone();
                    map.remove("oneOf");
                    for (name, inner) in only {
                        map.entry(name).or_insert(inner);
                    }
                }
            }
            map.values_mut().for_each(remove_null);
        }
        Value::Array(list) => list.iter_mut().for_each(remove_null),
        _ => {}
    }
}
