//! `check --update-examples`: the expectations as the mapping now fulfils them.

use super::judgement::{Outcome, defects, outcome};
use super::layout::{order_text, refusal_text};
use super::pair::examples;
use crate::mapping::compiled::Mapping;
use crate::mapping::defect::Defect;
use crate::mapping::folder::Folder;

/// A file of `examples/` with its new text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExampleFile {
    /// Its path in the folder.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// What has to change so that each example is as expected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExampleUpdate {
    /// The files to write.
    pub files: Vec<ExampleFile>,
    /// The files that are left as they are, each with what a person has to decide.
    pub kept: Vec<Defect>,
}

impl Mapping {
    /// The expectations of a folder's examples as the mapping fulfils them. An order is never exchanged for a refusal, nor a
    /// refusal for an order: a person has to remove the one that is not expected any more.
    pub fn update_examples(&self, folder: &Folder) -> ExampleUpdate {
        let examples = examples(folder);
        let mut update = ExampleUpdate::default();
        for example in examples.iter().filter(|example| !defects(self, example).is_empty()) {
            let Some(cart) = example.cart else { continue };
            match (outcome(self, example.name, cart), example.order, example.refusal) {
                (Outcome::Order(order), before, None) => {
                    let text = order_text(&order, before);
                    update.files.push(ExampleFile { file: example.order_file(), text });
                }
                (Outcome::Refused(messages), None, _) => {
                    let text = refusal_text(&messages);
                    update.files.push(ExampleFile { file: example.refusal_file(), text });
                }
                (Outcome::Refused(_), Some(_), None) => {
                    let text = "left as it is: the cart is refused now; remove this file if that is right";
                    update.kept.push(Defect::new(&example.order_file(), text));
                }
                (Outcome::Order(_), None, Some(_)) => {
                    let text = "left as it is: the cart becomes an order now; remove this file if that is right";
                    update.kept.push(Defect::new(&example.refusal_file(), text));
                }
                _ => {}
            }
        }
        update
    }
}
