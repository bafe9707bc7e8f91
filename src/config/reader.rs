//! The settings as they were found: gives out each value once a section asks for its key, and collects every mistake.
//!
//! Knows no section. `values`, `lists` and `maps` convert, `secrets` reads secrets.

mod lists;
mod maps;
mod secrets;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use toml::Value;

pub use maps::is_spelling_of;

use super::entry::Entry;
use super::environment::overlay;
use super::file::{Entries, SettingsText};
use super::form::{DescribedForm, Form};
use super::mistakes::Mistakes;
use super::proxy_variables::ProxyVariables;
use crate::postgres_url::Variables;

/// The settings as they were found, by dotted key.
#[derive(Debug)]
pub struct Reader {
    label: String,
    entries: BTreeMap<String, Entry>,
    /// Sections of the file, also those without a key.
    sections: BTreeSet<String>,
    read_keys: BTreeSet<String>,
    mistakes: Vec<String>,
    postgres_variables: Variables,
    proxy_variables: ProxyVariables,
    /// The form of every key that was asked for, set or not.
    forms: BTreeMap<String, DescribedForm>,
    purpose: Purpose,
}

/// What the settings are read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Their values.
    Values,
    /// The keys that there are: every section is read, set or not.
    Survey,
}

impl Reader {
    /// Parses TOML and overrides it by `PO_WEBHOOK_SECTION__KEY` variables.
    ///
    /// # Errors
    /// If the text is not TOML.
    pub fn parse(text: &SettingsText, environment: &BTreeMap<String, String>) -> Result<Self, Mistakes> {
        let Entries { values: mut entries, sections } = text.entries()?;
        let (overrides, mistakes) = overlay(environment);
        entries.extend(overrides);
        let (label, postgres_variables) = (text.label.clone(), Variables::of(environment));
        let proxy_variables = ProxyVariables::of(environment);
        let (read_keys, forms, purpose) = (BTreeSet::new(), BTreeMap::new(), Purpose::Values);
        Ok(Self { label, entries, sections, read_keys, mistakes, postgres_variables, proxy_variables, forms, purpose })
    }

    /// The form of every key that `read` asks for, in every section, with further values by key. Mistakes are of no interest.
    ///
    /// # Errors
    /// If the text is not TOML.
    pub fn survey<T>(
        text: &SettingsText,
        values: &BTreeMap<String, String>,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Result<BTreeMap<String, DescribedForm>, Mistakes> {
        let mut reader = Self::parse(text, &BTreeMap::new())?;
        reader.purpose = Purpose::Survey;
        let entry = |value: &String| Entry { value: Value::String(value.clone()), origin: String::new() };
        reader.entries.extend(values.iter().map(|(key, value)| (key.clone(), entry(value))));
        drop(read(&mut reader));
        Ok(reader.forms)
    }

    /// Notes the form of a key that is about to be read. Of two forms, the first is the one that is told in a mistake.
    fn note_form(&mut self, key: &str, form: Form, expected: &str) {
        let described = DescribedForm { form, expected: expected.to_owned(), default: None };
        self.forms.entry(key.to_owned()).or_insert(described);
    }

    /// Notes the default of a key whose form was noted.
    fn note_default(&mut self, key: &str, default: &str) {
        if let Some(described) = self.forms.get_mut(key) {
            described.default.get_or_insert_with(|| default.to_owned());
        }
    }

    /// Reads with `read`, then reports unknown keys and sections and every other mistake.
    ///
    /// # Errors
    /// Every mistake.
    pub fn finish<T>(mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Result<T, Mistakes> {
        let settings = read(&mut self);
        self.report_unknown_keys();
        self.report_empty_sections();
        match settings {
            Some(settings) if self.mistakes.is_empty() => Ok(settings),
            _ => Err(Mistakes(each_once(self.mistakes))),
        }
    }

    fn report_unknown_keys(&mut self) {
        let unknown = self.entries.iter().filter(|(key, _)| !self.read_keys.contains(*key));
        self.mistakes.extend(unknown.map(|(_, entry)| format!("{}: unknown key", entry.origin)));
    }

    /// Of a section with keys, each unknown key was reported.
    fn report_empty_sections(&mut self) {
        let empty: Vec<String> = self.sections.iter().filter(|section| !self.has_keys(section)).cloned().collect();
        for section in empty {
            let inside = format!("{section}.");
            if self.read_keys.contains(&section) {
                self.mistakes.push(format!("{}: {section}: expected a value, found a section", self.label));
            } else if !self.read_keys.iter().any(|key| key.starts_with(&inside)) {
                self.mistakes.push(format!("{}: {section}: unknown section", self.label));
            }
        }
    }

    fn has_keys(&self, section: &str) -> bool {
        let inside = format!("{section}.");
        self.entries.keys().any(|key| key.starts_with(&inside))
    }

    /// The variables of the environment that belong to PostgreSQL.
    pub const fn postgres_variables(&self) -> &Variables {
        &self.postgres_variables
    }

    /// The variables of the environment about forward proxies.
    pub const fn proxy_variables(&self) -> &ProxyVariables {
        &self.proxy_variables
    }

    /// Every value by its key, in the order of the keys.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(key, entry)| (key.as_str(), entry))
    }

    /// Whether a key has a value.
    pub fn is_set(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Whether a section exists, even empty, or any key in it is set.
    pub fn has_section(&self, section: &str) -> bool {
        self.purpose == Purpose::Survey || self.sections.contains(section) || self.has_keys(section)
    }

    /// Accepts everything outside one section, unread.
    pub fn ignore_other_sections(&mut self, section: &str) {
        let prefix = format!("{section}.");
        self.read_keys.extend(self.entries.keys().filter(|key| !key.starts_with(&prefix)).cloned());
        self.sections.retain(|name| name == section || name.starts_with(&prefix));
    }

    /// Ignores every key that was not read, for a part of the settings that others need.
    pub fn ignore_the_rest(&mut self) {
        self.read_keys.extend(self.entries.keys().cloned());
        self.sections.clear();
    }

    /// Refuses keys that were not read because of the values of others.
    pub fn refuse_unread(&mut self, keys: &[&str], why: &str) {
        for key in keys.iter().flat_map(|key| [(*key).to_owned(), format!("{key}_file")]) {
            if let Some(entry) = self.entries.get(&key).filter(|_| !self.read_keys.contains(&key)) {
                self.mistakes.push(format!("{}: {why}", entry.origin));
                self.read_keys.insert(key);
            }
        }
    }

    /// The same for every key of a section.
    pub fn refuse_unread_section(&mut self, section: &str, why: &str) {
        let inside = format!("{section}.");
        let keys: Vec<String> = self.entries.keys().filter(|key| key.starts_with(&inside)).cloned().collect();
        self.refuse_unread(&keys.iter().map(String::as_str).collect::<Vec<_>>(), why);
    }

    /// Reports a mistake that only several keys together make.
    pub fn report(&mut self, key: &str, text: &str) {
        self.mistakes.push(format!("{}: {key}: {text}", self.label));
    }

    /// Reports a mistake in one value; the text must not contain a secret.
    pub fn report_entry(&mut self, entry: &Entry, text: &str) {
        self.mistakes.push(format!("{}: {text}", entry.origin));
    }

    fn report_missing<T>(&mut self, key: &str, expected: &str) -> Option<T> {
        self.mistakes.push(format!("{}: {key} is missing; expected {expected}", self.label));
        None
    }

    fn report_wrong_value<T>(&mut self, entry: &Entry, expected: &str) -> Option<T> {
        self.report_entry(entry, &format!("expected {expected}, found {}", entry.printable()));
        None
    }

    /// A key's value; from now on the key is a known one.
    fn read_entry(&mut self, key: &str) -> Option<Entry> {
        self.read_keys.insert(key.to_owned());
        self.entries.get(key).cloned()
    }
}

/// What several sections need is read for each of them, and told once.
fn each_once(mistakes: Vec<String>) -> Vec<String> {
    let mut told = BTreeSet::new();
    mistakes.into_iter().filter(|mistake| told.insert(mistake.clone())).collect()
}
