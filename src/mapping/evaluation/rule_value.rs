//! The value of a rule in one scope.

use serde_json::Value;

/// The value of a rule in one scope, with the texts that it was made from.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleValue {
    /// The text of each source as sent; empty for one that is missing.
    pub source_texts: Vec<String>,
    /// `None` where the target is left out.
    pub value: Option<Value>,
}

impl RuleValue {
    /// A value that was not read from the cart.
    pub const fn without_source(value: Option<Value>) -> Self {
        Self { source_texts: Vec::new(), value }
    }

    /// True if every source is missing or blank.
    pub fn is_absent(&self) -> bool {
        self.source_texts.iter().all(|text| text.trim().is_empty())
    }
}
