//! The content of a cart: a header, and sections with rows.

use std::borrow::Cow;
use std::fmt;

use super::guid::{GuidBytes, guid_bytes};
use super::json::{Document, Form, Value};
use super::name::Name;
use super::shape::{Rows, annotated, check_annotation, rows};
use super::value::{Scalar, is_initial, trimmed};
use super::vocabulary::{SectionWords, Slot};
use crate::message::{Message, MessageCode};

/// One row of a section.
#[derive(Clone, Copy)]
pub struct Row<'c> {
    pub(super) value: Value<'c>,
    /// The fields of `words`, by their column.
    slots: &'c [Slot],
    words: Option<&'c SectionWords>,
}

impl fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.value.inside().map(Value::name)).finish()
    }
}

/// What a `GUID` or `P_GUID` says: 16 bytes in whatever spelling, else a text that is compared as sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum GuidKey {
    Bytes(GuidBytes),
    Text(String),
}

impl<'c> Row<'c> {
    /// A row of which no field was looked up yet.
    pub(super) const fn of(value: Value<'c>) -> Self {
        Self { value, slots: &[], words: None }
    }

    /// A row with the places of its fields.
    pub(super) const fn with_columns(value: Value<'c>, slots: &'c [Slot], words: &'c SectionWords) -> Self {
        Self { value, slots, words: Some(words) }
    }

    /// The field's value, unless it is missing, `null`, `false` or blank: a blank is initial in every type. Whether a
    /// zero is initial too is decided by the conversion that reads it.
    #[inline]
    pub fn get(&self, field: &Name) -> Option<Scalar<'c>> {
        match self.slot(field) {
            Some(Slot::Missing) => None,
            Some(Slot::At(index)) => scalar(self.value.at(index as usize)),
            Some(Slot::Several) | None => self.search(field),
        }
    }

    /// The place of a field that has a column in this section.
    #[inline]
    fn slot(&self, field: &Name) -> Option<Slot> {
        let column = field.column()?;
        let known = self.words?.field(column)?;
        (known.hash() == field.hash()).then(|| self.slots.get(usize::from(column)).copied()).flatten()
    }

    /// Reads every name of the row.
    fn search(&self, field: &Name) -> Option<Scalar<'c>> {
        let mut found: Option<Value<'c>> = None;
        let mut other = None;
        for member in self.value.inside().filter(|member| member.is_named(field)) {
            if member.name() == field.spelling() {
                return scalar(member);
            }
            if found.is_none() {
                found = Some(member);
            } else {
                other = other.or(Some(member));
            }
        }
        match other {
            Some(other) => Some(Scalar::Ambiguous(format!("{} and {}", found?.name(), other.name()))),
            None => scalar(found?),
        }
    }

    /// The field's text, with a number that is whole as its digits; `None` where [`Row::get`] has nothing.
    pub fn text(&self, field: &Name) -> Option<Cow<'c, str>> {
        self.get(field).map(Scalar::into_plain_text)
    }

    /// Whether the field is `true`, which is a value of flags alone.
    pub(super) fn is_flag(&self, field: &Name) -> bool {
        matches!(self.get(field), Some(Scalar::Flag))
    }

    /// GUIDs are compared as bytes; other texts as sent.
    pub(super) fn guid(&self, field: &Name) -> Option<GuidKey> {
        let text = self.text(field).filter(|text| !is_initial(text))?;
        match guid_bytes(&text) {
            Some(bytes) if bytes == GuidBytes::default() => None,
            Some(bytes) => Some(GuidKey::Bytes(bytes)),
            None => Some(GuidKey::Text(text.into_owned())),
        }
    }
}

#[inline]
fn scalar(value: Value<'_>) -> Option<Scalar<'_>> {
    match value.form() {
        Form::Null | Form::Flag(false) => None,
        Form::Flag(true) => Some(Scalar::Flag),
        Form::Number => Some(Scalar::Number(value.text())),
        Form::List | Form::Object => Some(Scalar::Nested),
        Form::Text => {
            let text = match value.text() {
                Cow::Borrowed(text) => Cow::Borrowed(trimmed(text)),
                Cow::Owned(text) => Cow::Owned(trimmed(&text).to_owned()),
            };
            (!text.is_empty()).then_some(Scalar::Text(text))
        }
    }
}

/// A section as it was sent: where its rows are, and the row in which it is nested.
#[derive(Debug, Clone, Copy)]
pub(super) struct SectionPlace {
    /// The value in the section's place, which has the section's name.
    pub place: usize,
    /// The item in which it is nested.
    pub item: Option<usize>,
}

/// An approved cart: a header, and sections with rows.
#[derive(Debug)]
pub struct Cart<'j> {
    pub(super) document: Document<'j>,
    pub(super) header: usize,
    pub(super) number: String,
    pub(super) parts: Vec<SectionPlace>,
    /// Members that say something about a section beside them (`ITEM@odata.count`).
    pub(super) annotations: Vec<SectionPlace>,
    pub(super) max_rows: usize,
}

/// A row, and the item in which it is nested.
#[derive(Debug, Clone, Copy)]
pub(super) struct FoundRow<'c> {
    pub row: Row<'c>,
    pub item: Option<usize>,
}

impl Cart<'_> {
    /// The text that the cart was read from: of several carts in one text, only its own.
    pub const fn text(&self) -> &str {
        self.document.text()
    }

    pub(super) fn header(&self) -> Row<'_> {
        Row::of(self.document.value(self.header))
    }

    /// The rows of a section, each with the item in which it is nested; the nested ones last.
    ///
    /// # Errors
    /// A mistake only if the mapping reads the section: what stands in its place is no list of rows, or too many.
    pub(super) fn rows(&self, section: &Name) -> Result<Vec<(Value<'_>, Option<usize>)>, Message> {
        let mut found = Vec::new();
        for part in self.parts_of(section)? {
            let place = self.document.value(part.place);
            let mistake = |problem: String| section_mistake(section.spelling(), &problem);
            for annotation in self.annotations.iter().filter(|annotation| annotation.item == part.item) {
                let annotation = self.document.value(annotation.place);
                if annotated(&annotation.name()).is_some_and(|about| section.matches(about)) {
                    check_annotation(annotation, place).map_err(mistake)?;
                }
            }
            let rows = rows(place).map_err(mistake)?;
            found.extend(rows.map(|value| (value, part.item)));
        }
        if found.len() > self.max_rows {
            let text = format!("{section} has {} rows; at most {} are taken", found.len(), self.max_rows);
            return Err(Message::new(MessageCode::TooManyRows, text).at(section.spelling(), "", 0));
        }
        Ok(found)
    }

    /// The places of a section. Where it is sent under several spellings of its name, only the sheet's own counts.
    fn parts_of(&self, section: &Name) -> Result<Vec<SectionPlace>, Message> {
        let place = |part: &SectionPlace| self.document.value(part.place);
        let mut parts: Vec<SectionPlace> =
            self.parts.iter().copied().filter(|part| place(part).is_named(section)).collect();
        let strange = parts.iter().enumerate().find_map(|(index, part)| {
            let earlier = parts.get(..index)?.iter().find(|earlier| earlier.item == part.item)?;
            let (first, second) = (place(earlier).name(), place(part).name());
            (first != second).then(|| format!("{first} and {second}"))
        });
        if let Some(names) = strange {
            parts.retain(|part| place(part).name() == section.spelling());
            if parts.is_empty() {
                let problem = format!("{names} are sent beside each other; expected one section of this name");
                return Err(section_mistake(section.spelling(), &problem));
            }
        }
        Ok(parts)
    }

    /// Every section with its rows; one in whose place something else stands has none.
    pub(super) fn all_parts(&self) -> impl Iterator<Item = (SectionPlace, Value<'_>, Rows<'_>)> {
        self.parts.iter().map(|part| {
            let place = self.document.value(part.place);
            (*part, place, rows(place).unwrap_or(Rows::None))
        })
    }
}

/// A section that is missing or has the wrong form.
pub(super) fn section_mistake(section: &str, expected: &str) -> Message {
    Message::new(MessageCode::Section, format!("{section}: {expected}")).at(section, "", 0)
}
