//! A difference of an order from the expected one, as a text.

use serde_json::Value;

use crate::mapping::difference::{Difference, DifferenceKind};

/// Most characters of a value in a text: a whole list would hide the other differences.
const MAX_VALUE_CHARS: usize = 120;

/// `lines[0].quantity is "160.5" (text), expected 160.5 (number)`: types are named where they differ.
pub fn text(difference: &Difference<'_>) -> String {
    let path = if difference.path.is_empty() { "the order" } else { &difference.path };
    match difference.kind {
        DifferenceKind::Lengths(found, expected) => format!("{path} has {}, expected {expected}", entries(found)),
        DifferenceKind::Values(Some(found), Some(expected)) if type_of(found) == type_of(expected) => {
            format!("{path} is {}, expected {}", short(found), short(expected))
        }
        DifferenceKind::Values(Some(found), Some(expected)) => {
            format!("{path} is {}, expected {}", typed(found), typed(expected))
        }
        DifferenceKind::Values(Some(found), None) => format!("{path} is {}, expected nothing", typed(found)),
        DifferenceKind::Values(None, expected) => {
            format!("{path} is missing, expected {}", expected.map_or_else(String::new, typed))
        }
        DifferenceKind::EntryOfFirst => format!("{path} is an entry more than expected"),
        DifferenceKind::EntryOfSecond => format!("{path} is an entry fewer than expected"),
    }
}

fn entries(count: usize) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") }
}

/// A value with its type: `"160.5" (text)`.
fn typed(value: &Value) -> String {
    format!("{} ({})", short(value), type_of(value))
}

/// A value as JSON, cut where it is long.
fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= MAX_VALUE_CHARS {
        return text;
    }
    text.chars().take(MAX_VALUE_CHARS - 1).chain(['…']).collect()
}

const fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}
