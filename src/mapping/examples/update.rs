//! `check --update-examples`: the expectations as the mapping now fulfils them.

use super::judgement::{Outcome, defects, outcome};
use super::layout::{order_text, refusal_text};
use super::pair::{Example, examples};
use crate::mapping::compiled::Mapping;
use crate::mapping::folder::Folder;

/// A file of `examples/` with its new text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExampleFile {
    /// Its path in the folder.
    pub file: String,
    /// Its text.
    pub text: String,
}

impl Mapping {
    /// The files of a folder's examples that have to change so that each is as expected. An order is never exchanged for a
    /// refusal, nor a refusal for an order: a person has to remove the one that is not expected any more.
    pub fn updated_examples(&self, folder: &Folder) -> Vec<ExampleFile> {
        let examples = examples(folder);
        let differing = examples.iter().filter(|example| !defects(self, example).is_empty());
        differing.filter_map(|example| updated(self, example)).collect()
    }
}

fn updated(mapping: &Mapping, example: &Example<'_>) -> Option<ExampleFile> {
    match (outcome(mapping, example.name, example.cart?), example.order, example.refusal) {
        (Outcome::Order(order), before, None) => {
            Some(ExampleFile { file: example.order_file(), text: order_text(&order, before) })
        }
        (Outcome::Refused(messages), None, _) => {
            Some(ExampleFile { file: example.refusal_file(), text: refusal_text(&messages) })
        }
        _ => None,
    }
}
