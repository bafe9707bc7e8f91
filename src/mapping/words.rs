//! The vocabulary of a sheet: every section and field that its rows read.

use super::sheet::{Rule, Sheet, Source};
use super::target::{Member, Object};
use crate::cart::Vocabulary;

impl Sheet {
    /// Collects the sections and fields of all rows, and tells each name its column.
    pub fn vocabulary(&mut self) -> Vocabulary {
        let mut vocabulary = Vocabulary::default();
        for section in &self.sections {
            vocabulary.add_section(section);
        }
        collect(&mut self.root, &mut vocabulary);
        vocabulary
    }
}

fn collect(object: &mut Object<Rule>, vocabulary: &mut Vocabulary) {
    for (_, member) in &mut object.members {
        match member {
            Member::Field(rule) => rule.sources.iter_mut().for_each(|source| add(source, vocabulary)),
            Member::Object(inner) | Member::List(inner) => collect(inner, vocabulary),
        }
    }
}

fn add(source: &mut Source, vocabulary: &mut Vocabulary) {
    if let Source::Field { selection, field, .. } = source {
        vocabulary.add_field(&mut selection.section, field);
        if let Some((filter, _)) = &mut selection.filter {
            vocabulary.add_field(&mut selection.section, filter);
        }
    }
}
