//! The vocabulary of a sheet: every section and field that its rows read.

use super::sheet::{Rule, Sheet, Source};
use super::target::{Member, Object};
use crate::cart::{Selection, Vocabulary};

impl Sheet {
    /// Collects the sections and fields of all rows, and tells each name its column.
    pub fn vocabulary(&mut self) -> Vocabulary {
        let mut vocabulary = Vocabulary::default();
        for section in &self.sections {
            vocabulary.add_section(&mut section.clone());
        }
        collect(&mut self.root, &mut vocabulary);
        vocabulary
    }
}

fn collect(object: &mut Object<Rule>, vocabulary: &mut Vocabulary) {
    for rule in &mut object.entry_rules {
        add(rule, vocabulary);
    }
    for (_, member) in &mut object.members {
        match member {
            Member::Field(rule) => add(rule, vocabulary),
            Member::Object(inner) | Member::List(inner) => collect(inner, vocabulary),
        }
    }
}

fn add(rule: &mut Rule, vocabulary: &mut Vocabulary) {
    let conditions = rule.when.iter_mut().flat_map(|when| &mut when.comparisons);
    let compared = conditions.map(|comparison| &mut comparison.source);
    for source in rule.sources.iter_mut().chain(compared) {
        match source {
            Source::Id => {}
            Source::Field { selection, field, .. } => {
                add_selection(selection, vocabulary);
                vocabulary.add_field(&mut selection.section, field);
            }
            Source::Rows { selection, .. } => add_selection(selection, vocabulary),
        }
    }
    for later in &mut rule.alternatives {
        add(later, vocabulary);
    }
}

fn add_selection(selection: &mut Selection, vocabulary: &mut Vocabulary) {
    vocabulary.add_section(&mut selection.section);
    for (field, _) in &mut selection.conditions {
        vocabulary.add_field(&mut selection.section, field);
    }
}
