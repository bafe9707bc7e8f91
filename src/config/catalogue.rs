//! Every setting there is: its form, as the sections read it, and its words, as the example file has them. Printed as the
//! example itself, as a page, and as a JSON schema.
//!
//! Knows no section by name: a key that a section reads and the example shows is in all of them.

mod example;
mod markdown;
mod schema;

use std::collections::BTreeMap;

use super::file::SettingsText;
use super::form::{DescribedForm, Form};
use super::mistakes::Mistakes;
use super::reader::Reader;
use super::settings::Settings;
use example::{Example, Key, Section};

/// The file with all settings, commented.
const EXAMPLE: &str = include_str!("../../config.example.toml");

/// Every setting there is.
#[derive(Debug)]
pub struct Catalogue {
    example: Example,
    forms: BTreeMap<String, DescribedForm>,
}

impl Catalogue {
    /// Reads the example, and lets every section be read.
    ///
    /// # Errors
    /// If the example is not TOML.
    pub fn collect() -> Result<Self, Mistakes> {
        Self::of(EXAMPLE)
    }

    /// The same with another example.
    ///
    /// # Errors
    /// If the example is not TOML.
    fn of(example: &str) -> Result<Self, Mistakes> {
        let example = Example::parse(example);
        let text = SettingsText::of("config.example.toml".to_owned(), &example.with_optional_keys());
        let mut forms = survey(&text, &BTreeMap::new())?;
        // Some keys are read only with a certain word of another one: each word of each choice gets a survey of its own.
        let choices: Vec<(String, Vec<String>)> = forms.iter().filter_map(choice).collect();
        for (key, words) in choices {
            for word in words {
                let value = BTreeMap::from([(key.clone(), word)]);
                for (key, form) in survey(&text, &value)? {
                    forms.entry(key).or_insert(form);
                }
            }
        }
        Ok(Self { example, forms })
    }

    /// The commented file with every key and its default.
    pub const fn toml() -> &'static str {
        EXAMPLE
    }

    /// The default of a key, as TOML: what the example sets, and what it shows behind a `#` if a section says the same.
    fn default<'k>(&self, dotted: &str, key: &'k Key) -> Option<&'k str> {
        let of_section = self.forms.get(dotted).and_then(|described| described.default.as_deref());
        let is_default = key.is_set || of_section == Some(key.plain_value());
        (is_default && !key.is_required()).then_some(key.value.as_str())
    }

    /// The keys that only one of both has: read by a section and not in the example, or the other way round.
    pub fn differences(&self) -> Vec<String> {
        let shown: Vec<String> = self.example.sections().flat_map(Section::setting_names).collect();
        let is_open = |key: &str| matches!(self.forms.get(key), Some(described) if matches!(described.form, Form::Names | Form::SecretOrNames));
        let unread = shown.iter().filter(|key| !self.forms.contains_key(*key));
        let unread = unread.filter(|key| !key.rsplit_once('.').is_some_and(|(section, _)| is_open(section)));
        let unread = unread.map(|key| format!("{key}: in the example, and read by no section"));
        let silent = self.forms.keys().filter(|key| !shown.contains(key));
        let silent = silent.map(|key| format!("{key}: read by a section, and not in the example"));
        unread.chain(silent).collect()
    }
}

fn survey(text: &SettingsText, values: &BTreeMap<String, String>) -> Result<BTreeMap<String, DescribedForm>, Mistakes> {
    Reader::survey(text, values, Settings::from_reader)
}

fn choice((key, described): (&String, &DescribedForm)) -> Option<(String, Vec<String>)> {
    match &described.form {
        Form::Choice(words) => Some((key.clone(), words.clone())),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
