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
            let mut models: Vec<(Value<'_>, &[Slot])> = Vec::new();
            for ((row, _), of_row) in rows.iter().flatten().zip(of_section) {
                if let Some((model, known)) = models.iter().find(|(model, _)| is_flat_like(*row, *model)) {
                    shift(of_row, known, *row, *model);
                    continue;
                }
                fill(of_row, words, *row);
                if models.len() < MODELS && !row.is_nesting() {
                    models.push((*row, of_row));
                }
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

/// Rows of one section that are remembered as models of others: a section has few kinds of rows (suppliers and ship-tos
/// have other fields).
const MODELS: usize = 4;

/// Whether a row has the same fields as a model that nests nothing, in the same places, counted from the row's.
fn is_flat_like(row: Value<'_>, model: Value<'_>) -> bool {
    row.alike() == model.alike() && !row.is_nesting()
}

/// Takes the places of another row's fields for the ones of a row that is like it.
fn shift(slots: &mut [Slot], known: &[Slot], row: Value<'_>, model: Value<'_>) {
    for (slot, known) in slots.iter_mut().zip(known) {
        *slot = match *known {
            Slot::At(index) => match u32::try_from(index as usize - model.index() + row.index()) {
                Ok(index) => Slot::At(index),
                Err(_) => Slot::Several,
            },
            other => other,
        };
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Each field of each row is found where a search of the whole row finds it.
    #[test]
    fn fields_are_found_in_rows_that_are_like_others_and_in_rows_that_are_not() {
        for rows in [
            r#"[{"A":1,"B":2},{"A":3,"B":4},{"A":5,"B":6}]"#,
            r#"[{"B":1,"A":2,"C":9},{"A":3,"B":4},{"B":5,"A":6,"C":9},{"A":7,"B":8}]"#,
            r#"[{"A":1,"B":2},{"A":{"B":7,"C":8},"B":4},{"A":5,"B":6},{"A":[3,{"B":1}],"B":4},{"A":7,"B":8}]"#,
            r#"[{"X":[1,2],"A":1,"B":2},{"X":[],"A":3,"B":4},{"X":0,"A":5,"B":6}]"#,
            r#"[{"a":1,"A":2,"b":3,"B_":4},{"a":5,"A":6,"b":7,"B_":8}]"#,
            r#"{"results":[{"A":"","B":null},{"A":"x","B":"y"}]}"#,
            r#"[{"A":1},{"B":2},{"C":3},{"D":4},{"E":5},{"E":6},{"B":7},{"A":8}]"#,
        ] {
            let mut vocabulary = Vocabulary::default();
            let mut section = Name::of("ACCOUNT");
            let mut fields = ["A", "B"].map(Name::of);
            for field in &mut fields {
                vocabulary.add_field(&mut section, field);
            }
            let json = format!(r#"{{"HEADER":{{}},"ITEM":[{{"ACCOUNT":{rows}}},{{}}],"ACCOUNT":{rows}}}"#);
            let cart = Cart::parse(&json).unwrap();
            let columns = Columns::of(&cart, &vocabulary);
            for FoundRow { row, .. } in columns.rows(&section).unwrap() {
                for field in &fields {
                    assert_eq!(row.get(field), Row::of(row.value).get(field), "{field} of {row:?} in {rows}");
                }
            }
            assert!(columns.rows(&section).unwrap().count() >= 4);
        }
    }
}
