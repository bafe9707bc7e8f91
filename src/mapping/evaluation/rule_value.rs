//! The value of a rule in one scope.

use std::borrow::Cow;

use crate::mapping::conversion::OrderValue;

/// The value of a rule in one scope, with the texts that it was made from.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleValue<'c> {
    /// The text of each source as sent.
    pub source_texts: SourceTexts<'c>,
    /// `None` where the target is left out.
    pub value: Option<OrderValue<'c>>,
}

impl<'c> RuleValue<'c> {
    /// A value that was not read from the cart.
    pub const fn without_source(value: Option<OrderValue<'c>>) -> Self {
        Self { source_texts: SourceTexts::None, value }
    }

    /// True if the cart has no value for any source.
    pub fn is_absent(&self) -> bool {
        self.source_texts.are_absent()
    }
}

/// The text of each source of a rule; empty for one that is missing or initial. Most rules have one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceTexts<'c> {
    /// The rule has no source.
    None,
    /// One source.
    One(Cow<'c, str>),
    /// The parts of one key or of one text.
    Several(Vec<Cow<'c, str>>),
}

impl<'c> SourceTexts<'c> {
    /// The texts in the order of the sources.
    pub fn as_slice(&self) -> &[Cow<'c, str>] {
        match self {
            Self::None => &[],
            Self::One(text) => std::slice::from_ref(text),
            Self::Several(texts) => texts,
        }
    }

    /// The first text.
    pub fn first(&self) -> &str {
        self.as_slice().first().map_or("", AsRef::as_ref)
    }

    /// The texts that are there, with a separator between them.
    pub fn joined(&self, separator: &str) -> String {
        let present = self.as_slice().iter().filter(|text| !text.is_empty());
        present.map(AsRef::as_ref).collect::<Vec<&str>>().join(separator)
    }

    /// True if every text is missing or initial.
    pub fn are_absent(&self) -> bool {
        self.as_slice().iter().all(|text| text.is_empty())
    }
}
