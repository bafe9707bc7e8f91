//! The vocabulary of a sheet: the sections and fields that it reads, so that each name of a cart is looked up once.

use std::collections::HashMap;

use super::name::{Column, Name};
use super::standard::STANDARD;

/// The place of a field in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// The row does not have it.
    Missing,
    /// By its index in the document.
    At(u32),
    /// The row has several spellings of its name.
    Several,
}

/// The sections that a sheet reads, and the fields of each.
#[derive(Debug, Clone)]
pub struct Vocabulary {
    sections: Vec<SectionWords>,
    /// The place of each section by its name.
    places: HashMap<Name, usize>,
}

impl Default for Vocabulary {
    /// The header and the items, which are read for every sheet.
    fn default() -> Self {
        let names = [&STANDARD.header, &STANDARD.item];
        let places = names.into_iter().cloned().zip(0..).collect();
        Self { sections: names.map(SectionWords::of).into(), places }
    }
}

impl Vocabulary {
    /// Adds a section, which knows its place afterwards.
    pub fn add_section(&mut self, section: &mut Name) {
        self.locate_section(section);
    }

    /// Adds a field of a section; both know their places afterwards.
    pub fn add_field(&mut self, section: &mut Name, field: &mut Name) {
        let Some(words) = self.locate_section(section) else { return };
        let column = words.add(field);
        match column.and_then(|column| words.field(column)) {
            Some(known) => field.locate(known, column),
            None => field.set_column(None),
        }
    }

    /// The sections, the header and the items first.
    pub(super) fn sections(&self) -> &[SectionWords] {
        &self.sections
    }

    fn locate_section(&mut self, section: &mut Name) -> Option<&mut SectionWords> {
        let index = if let Some(place) = self.places.get(section) {
            *place
        } else {
            self.places.insert(section.clone(), self.sections.len());
            self.sections.push(SectionWords::of(section));
            self.sections.len() - 1
        };
        let words = self.sections.get_mut(index)?;
        section.locate(&words.name, Column::try_from(index).ok());
        Some(words)
    }
}

/// The fields that are read of one section.
#[derive(Debug, Clone)]
pub struct SectionWords {
    pub name: Name,
    /// By their column; the first ones are [`super::standard::StandardNames::columns`] in every section.
    fields: Vec<Name>,
    /// The hashes of the names with their columns, by the last bits of the hash; each after the places that are taken. At
    /// least half of the places are free.
    table: Vec<Option<(u32, Column)>>,
}

impl SectionWords {
    fn of(name: &Name) -> Self {
        let mut words = Self { name: name.clone(), fields: Vec::new(), table: Vec::new() };
        for field in STANDARD.columns() {
            words.add(field);
        }
        words
    }

    /// How many columns the section has.
    pub fn width(&self) -> usize {
        self.fields.len()
    }

    /// The field of a column.
    pub fn field(&self, column: Column) -> Option<&Name> {
        self.fields.get(usize::from(column))
    }

    /// The column of the field with this hash for which `is` holds.
    pub fn column(&self, hash: u32, is: impl Fn(&Name) -> bool) -> Option<Column> {
        let mask = self.table.len().wrapping_sub(1);
        let mut at = hash as usize & mask;
        while let Some(Some((known, column))) = self.table.get(at) {
            if *known == hash && self.field(*column).is_some_and(&is) {
                return Some(*column);
            }
            at = (at + 1) & mask;
        }
        None
    }

    /// The column of a field, a new one if it has none; `None` for one field too many, which is read without a column.
    fn add(&mut self, field: &Name) -> Option<Column> {
        if let Some(column) = self.column(field.hash(), |known| known == field) {
            return Some(column);
        }
        let column = Column::try_from(self.fields.len()).ok()?;
        self.fields.push(field.clone());
        // Doubled when it is half full, so that each field is placed a few times, however many there are.
        if self.fields.len() * 2 > self.table.len() {
            self.table = vec![None; (self.fields.len() * 2).next_power_of_two()];
            let places: Vec<_> = self.fields.iter().map(Name::hash).zip(0..).collect();
            for (hash, column) in places {
                self.place(hash, column);
            }
        } else {
            self.place(field.hash(), column);
        }
        Some(column)
    }

    /// Takes the first free place for a column.
    fn place(&mut self, hash: u32, column: Column) {
        let mask = self.table.len().wrapping_sub(1);
        let start = hash as usize & mask;
        let free = (0..=mask).map(|step| (start + step) & mask).find(|at| self.table.get(*at) == Some(&None));
        if let Some(place) = free.and_then(|at| self.table.get_mut(at)) {
            *place = Some((hash, column));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_found_by_its_name_and_no_other() {
        // So many that making the table anew for each would take many minutes.
        const FIELDS: usize = 60_000;
        let mut vocabulary = Vocabulary::default();
        let mut section = Name::of("PARTNER");
        let mut fields: Vec<Name> = (0..FIELDS).map(|n| Name::of(&format!("FIELD_{n}"))).collect();
        for field in &mut fields {
            vocabulary.add_field(&mut section, field);
        }
        let words = vocabulary.sections().iter().find(|words| words.name == section).unwrap();
        for field in &fields {
            let spelled = Name::of(&field.spelling().to_lowercase());
            let column = words.column(spelled.hash(), |name| *name == spelled);
            assert_eq!(column, field.column());
            assert_eq!(words.field(column.unwrap()), Some(field));
        }
        let found = |name: &Name| words.column(name.hash(), |known| known == name);
        assert_eq!(found(&Name::of("FIELD_60000")), None);
        assert_eq!(found(&Name::of("P_GUID")), STANDARD.p_guid.column());
        assert_eq!(words.width(), FIELDS + STANDARD.columns().len());
    }
}
