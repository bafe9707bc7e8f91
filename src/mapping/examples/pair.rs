//! The files of `examples/`, those of one name together.

use std::collections::BTreeMap;

use crate::mapping::example_name::{CART, ORDER, REFUSAL, split_name};
use crate::mapping::folder::Folder;

/// The texts of one example, without a byte order mark.
#[derive(Debug, Clone, Copy, Default)]
pub struct Example<'f> {
    /// The path of its files, without their endings.
    pub name: &'f str,
    /// The cart.
    pub cart: Option<&'f str>,
    /// The order that it has to become.
    pub order: Option<&'f str>,
    /// The messages with which it has to be refused.
    pub refusal: Option<&'f str>,
}

impl Example<'_> {
    /// The cart's file, by its path in the folder.
    pub fn cart_file(&self) -> String {
        format!("{}{CART}", self.name)
    }

    /// The order's file.
    pub fn order_file(&self) -> String {
        format!("{}{ORDER}", self.name)
    }

    /// The file of the expected messages.
    pub fn refusal_file(&self) -> String {
        format!("{}{REFUSAL}", self.name)
    }
}

/// Every example of a folder, sorted by name. One of which a file can't be read is left out: that is told of the file.
pub fn examples(folder: &Folder) -> Vec<Example<'_>> {
    let mut examples: BTreeMap<&str, Example<'_>> = BTreeMap::new();
    for (file, text) in folder.examples() {
        let Some((name, ending)) = split_name(file) else { continue };
        let example = examples.entry(name).or_insert(Example { name, ..Example::default() });
        let text = Some(text.trim_start_matches('\u{feff}'));
        match ending {
            CART => example.cart = text,
            ORDER => example.order = text,
            _ => example.refusal = text,
        }
    }
    let is_read = |example: &Example<'_>| {
        let files = [example.cart_file(), example.order_file(), example.refusal_file()];
        !files.iter().any(|file| folder.is_unread(file))
    };
    examples.into_values().filter(is_read).collect()
}
