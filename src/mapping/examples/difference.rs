//! The differences between two bodies, each with its path.

use std::fmt;

use serde_json::Value;

/// Most characters of a value in a text: a whole list would hide the other differences.
const MAX_VALUE_CHARS: usize = 120;

/// A place where two bodies differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The path in the body: `lines[0].unitPrice`; empty for the whole body.
    pub path: String,
    /// What differs there.
    pub kind: DifferenceKind,
}

/// What differs at a place.
#[derive(Debug, Clone, PartialEq)]
pub enum DifferenceKind {
    /// The values; `None` where one body has none.
    Values {
        /// The value found.
        found: Option<Value>,
        /// The value expected.
        expected: Option<Value>,
    },
    /// The numbers of a list's entries; those that both have are compared one by one.
    Lengths {
        /// The number found.
        found: usize,
        /// The number expected.
        expected: usize,
    },
}

/// Every place where two bodies differ, in the order of the body that was found.
pub fn differences(found: &Value, expected: &Value) -> Vec<Difference> {
    let mut differences = Vec::new();
    compare(found, expected, String::new(), &mut differences);
    differences
}

fn compare(found: &Value, expected: &Value, path: String, differences: &mut Vec<Difference>) {
    match (found, expected) {
        (Value::Object(left), Value::Object(right)) => {
            for name in left.keys().chain(right.keys().filter(|name| !left.contains_key(*name))) {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match (left.get(name), right.get(name)) {
                    (Some(left), Some(right)) => compare(left, right, path, differences),
                    (found, expected) => {
                        let kind = DifferenceKind::Values { found: found.cloned(), expected: expected.cloned() };
                        differences.push(Difference { path, kind });
                    }
                }
            }
        }
        (Value::Array(left), Value::Array(right)) => {
            if left.len() != right.len() {
                let kind = DifferenceKind::Lengths { found: left.len(), expected: right.len() };
                differences.push(Difference { path: path.clone(), kind });
            }
            for (index, (left, right)) in left.iter().zip(right).enumerate() {
                compare(left, right, format!("{path}[{index}]"), differences);
            }
        }
        _ if found == expected => {}
        _ => {
            let kind = DifferenceKind::Values { found: Some(found.clone()), expected: Some(expected.clone()) };
            differences.push(Difference { path, kind });
        }
    }
}

/// `lines[0].quantity is "160.5" (text), expected 160.5 (number)`: types are named where they differ.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "the order" } else { &self.path };
        match &self.kind {
            DifferenceKind::Lengths { found, expected } => {
                write!(f, "{path} has {}, expected {expected}", entries(*found))
            }
            DifferenceKind::Values { found: Some(found), expected: Some(expected) }
                if type_of(found) == type_of(expected) =>
            {
                write!(f, "{path} is {}, expected {}", short(found), short(expected))
            }
            DifferenceKind::Values { found: Some(found), expected: Some(expected) } => {
                write!(f, "{path} is {}, expected {}", typed(found), typed(expected))
            }
            DifferenceKind::Values { found: Some(found), expected: None } => {
                write!(f, "{path} is {}, expected nothing", typed(found))
            }
            DifferenceKind::Values { found: None, expected: Some(expected) } => {
                write!(f, "{path} is missing, expected {}", typed(expected))
            }
            DifferenceKind::Values { found: None, expected: None } => Ok(()),
        }
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
pub fn short(value: &Value) -> String {
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
