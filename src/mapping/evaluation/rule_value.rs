//! The value of a rule in one scope.

use serde_json::Value;

use crate::cart::is_initial;

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

    /// True if the cart has no value for any source.
    pub fn is_absent(&self) -> bool {
        are_absent(&self.source_texts)
    }
}

/// True if every text is missing or initial.
pub fn are_absent(texts: &[String]) -> bool {
    texts.iter().all(|text| is_initial(text))
}
