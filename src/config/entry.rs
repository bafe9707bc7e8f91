//! One value as it was found, and the place where it was set.

use std::fmt;

use toml::Value;

/// Begins the name of every variable of the service.
pub const VARIABLE_PREFIX: &str = "PO_WEBHOOK_";

/// A value and the place where it was set: `file: key`, or the name of a variable.
#[derive(Clone)]
pub struct Entry {
    pub value: Value,
    pub origin: String,
}

/// Without the value, which may be a secret.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

impl Entry {
    /// Whether a variable set it: such a key has small letters and underscores only.
    pub fn is_variable(&self) -> bool {
        self.origin.starts_with(VARIABLE_PREFIX)
    }

    /// Whether it is a list without an entry.
    pub fn is_empty_list(&self) -> bool {
        self.value.as_array().is_some_and(Vec::is_empty)
    }

    /// The value as text; `None` for lists and sections.
    pub fn scalar(&self) -> Option<String> {
        match &self.value {
            Value::String(text) => Some(text.clone()),
            Value::Integer(number) => Some(number.to_string()),
            Value::Float(number) => Some(number.to_string()),
            Value::Boolean(flag) => Some(flag.to_string()),
            Value::Datetime(time) => Some(time.to_string()),
            Value::Array(_) | Value::Table(_) => None,
        }
    }

    /// The value as a list of texts; commas separate the entries of one text, as variables need it.
    pub fn texts(&self) -> Option<Vec<String>> {
        match &self.value {
            Value::Array(values) => values.iter().map(|value| value.as_str().map(str::to_owned)).collect(),
            Value::String(text) => {
                Some(text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect())
            }
            _ => None,
        }
    }

    /// The same, and whole numbers as texts. Helm writes every number of a list as a float.
    pub fn texts_or_integers(&self) -> Option<Vec<String>> {
        match &self.value {
            Value::Integer(number) => Some(vec![number.to_string()]),
            Value::Array(values) if !values.iter().any(Value::is_str) => values.iter().map(whole_number).collect(),
            _ => self.texts(),
        }
    }

    /// The value for a message. A refused URL may contain a password, and a text in PEM may be a key: both are hidden.
    pub fn printable(&self) -> String {
        let value = self.value.to_string();
        let hidden = value.contains("://") || value.contains("-----BEGIN");
        if hidden { "something else".to_owned() } else { value }
    }
}

fn whole_number(value: &Value) -> Option<String> {
    match value {
        Value::Integer(number) => Some(number.to_string()),
        // Displayed without a fraction if it has none.
        Value::Float(number) => Some(number.to_string()),
        _ => None,
    }
}
