//! The rows of the sections that a sheet reads, with the place of each field that it reads: every name of a row is looked
//! up once.

use super::json::Value;
use super::name::Name;
use super::sections::{Cart, FoundRow, Row};
use super::standard::STANDARD;
use super::vocabulary::{SectionWords, Slot, Vocabulary};
use crate::message::Message;

/// The rows of a cart for the vocabulary of a sheet.
#[derive(Debug)]
pub struct Columns<'c> {
    /// The cart.
    pub(super) cart: &'c Cart<'c>,
    sections: Vec<SectionRows<'c>>,
    /// The fields of each row by their column, row after row.
    slots: Vec<Slot>,
}

/// The rows of a section.
#[derive(Debug)]
struct SectionRows<'c> {
    words: &'c SectionWords,
    /// Each with the item in which it is nested; or why they can't be read.
    rows: Result<Vec<(Value<'c>, Option<usize>)>, Message>,
    first_slot: usize,
}

impl<'c> Columns<'c> {
    /// Finds the rows and fields of a vocabulary.
    pub fn of(cart: &'c Cart<'c>, vocabulary: &'c Vocabulary) -> Self {
        let mut sections = Vec::with_capacity(vocabulary.sections().len());
        let mut first_slot = 0;
        for (words, index) in vocabulary.sections().iter().zip(0..) {
            // The header is the first section of every vocabulary.
            let rows = if index == 0 { Ok(vec![(cart.header().value, None)]) } else { cart.rows(&words.name) };
            let width = rows.as_ref().map_or(0, Vec::len) * words.width();
            sections.push(SectionRows { words, rows, first_slot });
            first_slot += width;
        }
        let mut slots = vec![Slot::Missing; first_slot];
        for SectionRows { words, rows, first_slot } in &sections {
            // No section is without columns: the standard ones are in each.
            let of_section = slots.get_mut(*first_slot..).unwrap_or_default().chunks_exact_mut(words.width());
            for ((row, _), of_row) in rows.iter().flatten().zip(of_section) {
                fill(of_row, words, *row);
            }
        }
        Self { cart, sections, slots }
    }

    /// The header.
    pub(super) fn header(&self) -> Row<'_> {
        let header = self.sections.first().and_then(|section| self.rows_of(section).ok()?.next());
        header.map_or_else(|| self.cart.header(), |found| found.row)
    }

    /// The rows of a section that the vocabulary has.
    ///
    /// # Errors
    /// What stands in the section's place is no list of rows, or too many.
    pub(super) fn rows(&self, name: &Name) -> Result<impl Iterator<Item = FoundRow<'_>>, Message> {
        let section = self.sections.iter().find(|section| section.words.name == *name);
        section.map(|section| self.rows_of(section)).transpose().map(|rows| rows.into_iter().flatten())
    }

    /// The sections but the header and the items.
    pub(super) fn other_sections(&self) -> impl Iterator<Item = &'c Name> {
        self.sections.iter().skip(2).map(|section| &section.words.name)
    }

    /// The section but the header and the items of which a row has several of the fields that are read.
    pub(super) fn section_with_fields_of(&self, row: Value<'_>) -> Option<&'c Name> {
        let is_read = |words: &SectionWords, member: Value<'_>| {
            let column = words.column(member.name_hash(), |name| name.matches(&member.name()));
            column.and_then(|column| words.field(column)).is_some_and(|field| !STANDARD.columns().contains(&field))
        };
        let has_several = |words: &SectionWords| row.inside().filter(|member| is_read(words, *member)).nth(1).is_some();
        self.sections
            .iter()
            .skip(2)
            .map(|section| section.words)
            .find(|words| has_several(words))
            .map(|words| &words.name)
    }

    fn rows_of<'s>(&'s self, section: &'s SectionRows<'c>) -> Result<impl Iterator<Item = FoundRow<'s>>, Message> {
        let rows = section.rows.as_ref().map_err(Clone::clone)?;
        let width = section.words.width();
        Ok(rows.iter().enumerate().map(move |(index, (value, item))| {
            let start = section.first_slot + index * width;
            let slots = self.slots.get(start..start + width).unwrap_or_default();
            FoundRow { row: Row::with_columns(*value, slots, section.words), item: *item }
        }))
    }
}

/// Finds the fields of one row.
fn fill(slots: &mut [Slot], words: &SectionWords, row: Value<'_>) {
    for member in row.inside() {
        let column = words.column(member.name_hash(), |name| name.matches(&member.name()));
        if let Some(slot) = column.and_then(|column| slots.get_mut(usize::from(column))) {
            *slot = match (*slot, u32::try_from(member.index())) {
                (Slot::Missing, Ok(index)) => Slot::At(index),
                _ => Slot::Several,
            };
        }
    }
}
