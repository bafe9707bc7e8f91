//! The value of a rule in one scope.

use std::borrow::Cow;

use serde_json::Value;

/// The value of a rule in one scope, with the texts that it was made from.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleValue<'c> {
    /// The text of each source as sent; empty for one that is missing or initial.
    pub source_texts: Vec<Cow<'c, str>>,
    /// `None` where the target is left out.
    pub value: Option<Value>,
}

impl RuleValue<'_> {
    /// A value that was not read from the cart.
    pub const fn without_source(value: Option<Value>) -> Self {
        Self { source_texts: Vec::new(), value }
    }

    /// True if the cart has no value for any source.
    pub fn is_absent(&self) -> bool {
        are_absent(&self.source_texts)
    }

    /// The texts, for a message.
    pub fn owned_texts(&self) -> Vec<String> {
        self.source_texts.iter().map(|text| text.clone().into_owned()).collect()
    }
}

/// True if every text is missing or initial.
pub fn are_absent(texts: &[Cow<'_, str>]) -> bool {
    texts.iter().all(|text| text.is_empty())
}
