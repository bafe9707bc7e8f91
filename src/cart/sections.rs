//! The content of a cart: a header, and sections with rows.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use super::guid::guid;
use super::name::Name;
use super::value::{Scalar, is_initial};
use crate::message::Message;

/// One row of a section.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    pub(super) fields: BTreeMap<Name, Scalar>,
}

impl Row {
    /// The field's value, unless it is missing or blank: whether a zero is initial depends on the type.
    pub fn get(&self, field: &Name) -> Option<&Scalar> {
        self.fields.get(field).filter(|value| !value.text().is_empty())
    }

    /// The text of a field by its normalised name, unless it is missing or initial.
    pub fn text<N: Ord + ?Sized>(&self, field: &N) -> Option<&str>
    where
        Name: Borrow<N>,
    {
        self.fields.get(field).filter(|value| !value.is_initial()).map(Scalar::text)
    }

    /// GUIDs are compared in one spelling; other texts are compared as sent.
    pub(super) fn guid(&self, field: &str) -> Option<String> {
        let text = self.text(field)?;
        let guid = guid(text).unwrap_or_else(|| text.to_owned());
        (!is_initial(&guid)).then_some(guid)
    }
}

/// The rows of a section, or why they can't be read: a mistake only if the mapping reads the section.
pub(super) type Section = Result<Vec<Row>, Message>;

/// An approved cart: a header, and sections with rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cart {
    pub(super) header: Row,
    pub(super) sections: BTreeMap<Name, Section>,
}

impl Cart {
    pub(super) fn rows(&self, section: &str) -> &[Row] {
        self.sections.get(section).and_then(|rows| rows.as_ref().ok()).map_or(&[], Vec::as_slice)
    }
}
