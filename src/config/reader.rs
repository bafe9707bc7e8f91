//! Reads typed values out of a TOML table overlaid by the environment, and collects every mistake on the way.

mod secrets;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use toml::{Table, Value};

use super::{CONFIG_VARIABLE, Mistakes, units};

const PREFIX: &str = "PO_WEBHOOK_";
const SECTIONS: [&str; 8] = ["server", "auth", "target", "retry", "ledger", "mapping", "alerts", "telemetry"];

/// A value and where it was set.
#[derive(Clone)]
struct Entry {
    value: Value,
    origin: String,
}

/// Without the value, which may be a secret.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

/// The settings as they were found, by dotted key.
#[derive(Debug)]
pub struct Reader {
    label: String,
    entries: BTreeMap<String, Entry>,
    /// Tables of the file, also those without a key.
    tables: BTreeSet<String>,
    read: BTreeSet<String>,
    mistakes: Vec<String>,
}

impl Reader {
    /// Reads TOML and overlays it by `PO_WEBHOOK_SECTION__KEY` variables.
    pub fn parse(label: &str, text: &str, environment: &BTreeMap<String, String>) -> Result<Self, Mistakes> {
        let table: Table = text.parse().map_err(|error| Mistakes(vec![not_toml(label, text, &error)]))?;
        let mut reader = Self {
            label: label.to_owned(),
            entries: BTreeMap::new(),
            tables: BTreeSet::new(),
            read: BTreeSet::new(),
            mistakes: Vec::new(),
        };
        reader.add_table("", table);
        reader.add_environment(environment);
        Ok(reader)
    }

    fn add_table(&mut self, prefix: &str, table: Table) {
        for (name, value) in table {
            let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
            match value {
                Value::Table(inner) => {
                    self.tables.insert(key.clone());
                    self.add_table(&key, inner);
                }
                value => {
                    let origin = format!("{}: {key}", self.label);
                    self.entries.insert(key, Entry { value, origin });
                }
            }
        }
    }

    /// A variable without `__` is no setting (Kubernetes injects such for a service of the same name), unless it
    /// looks like a slip of one.
    fn add_environment(&mut self, environment: &BTreeMap<String, String>) {
        for (variable, value) in environment {
            let Some(name) = variable.strip_prefix(PREFIX).filter(|_| variable != CONFIG_VARIABLE) else { continue };
            let key = name.to_ascii_lowercase().replace("__", ".");
            if value.contains(char::REPLACEMENT_CHARACTER) {
                self.mistakes.push(format!("{variable}: expected UTF-8"));
            }
            if name.contains("__") {
                let entry = Entry { value: Value::String(value.clone()), origin: variable.clone() };
                self.entries.insert(key, entry);
            } else if let Some(section) =
                SECTIONS.iter().find(|section| key == **section || key.starts_with(&format!("{section}_")))
            {
                let section = section.to_ascii_uppercase();
                self.mistakes.push(format!(
                    "{variable}: no setting; expected two underscores behind the section, {PREFIX}{section}__…"
                ));
            }
        }
    }

    /// Runs the rules, then reports what nobody asked for and every other mistake.
    pub fn finish<T>(mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Result<T, Mistakes> {
        let settings = read(&mut self);
        for (key, entry) in &self.entries {
            if !self.read.contains(key) {
                self.mistakes.push(format!("{}: unknown key", entry.origin));
            }
        }
        // Of a section with keys, those were told.
        let empty: Vec<String> = self.tables.iter().filter(|table| !self.holds_keys(table)).cloned().collect();
        for table in empty {
            let inside = format!("{table}.");
            if self.read.contains(&table) {
                self.mistakes.push(format!("{}: {table}: expected a value, found a section", self.label));
            } else if !self.read.iter().any(|key| key.starts_with(&inside)) {
                self.mistakes.push(format!("{}: {table}: unknown section", self.label));
            }
        }
        match settings {
            Some(settings) if self.mistakes.is_empty() => Ok(settings),
            _ => Err(Mistakes(self.mistakes)),
        }
    }

    fn holds_keys(&self, table: &str) -> bool {
        let inside = format!("{table}.");
        self.entries.keys().any(|key| key.starts_with(&inside))
    }

    /// Leaves everything outside one section unread without calling it unknown.
    pub fn ignore_other_sections(&mut self, section: &str) {
        let prefix = format!("{section}.");
        self.read.extend(self.entries.keys().filter(|key| !key.starts_with(&prefix)).cloned());
        self.tables.retain(|table| table == section || table.starts_with(&prefix));
    }

    /// Refuses a key, or a whole section, that a later version will have.
    pub fn not_available_yet(&mut self, key: &str) {
        let inside = format!("{key}.");
        for (found, entry) in &self.entries {
            if found == key || found.starts_with(&inside) {
                self.read.insert(found.clone());
                self.mistakes.push(format!("{}: not available yet", entry.origin));
            }
        }
        // Empty, it was meant to be something.
        if self.tables.contains(key) && !self.holds_keys(key) {
            self.mistakes.push(format!("{}: {key}: not available yet", self.label));
            self.tables.remove(key);
        }
    }

    /// Refuses keys that nobody has read because of what others say.
    pub fn refuse_unread(&mut self, keys: &[&str], why: &str) {
        for key in keys.iter().flat_map(|key| [(*key).to_owned(), format!("{key}_file")]) {
            if let Some(entry) = self.entries.get(&key).filter(|_| !self.read.contains(&key)) {
                self.mistakes.push(format!("{}: {why}", entry.origin));
                self.read.insert(key);
            }
        }
    }

    fn take(&mut self, key: &str) -> Option<Entry> {
        self.read.insert(key.to_owned());
        self.entries.get(key).cloned()
    }

    fn missing<T>(&mut self, key: &str, expected: &str) -> Option<T> {
        self.mistakes.push(format!("{}: {key} is missing; expected {expected}", self.label));
        None
    }

    fn wrong<T>(&mut self, entry: &Entry, expected: &str) -> Option<T> {
        let found = entry.value.to_string();
        // A URL that is refused may be so for the password in it, and a text in PEM may be a key.
        let hidden = found.contains("://") || found.contains("-----BEGIN");
        let found = if hidden { "something else" } else { &found };
        self.mistakes.push(format!("{}: expected {expected}, found {found}", entry.origin));
        None
    }

    fn convert<T>(&mut self, entry: &Entry, expected: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        match scalar(&entry.value).and_then(|text| parse(&text)) {
            Some(value) => Some(value),
            None => self.wrong(entry, expected),
        }
    }

    /// A value that has to be set.
    pub fn required<T>(&mut self, key: &str, expected: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        match self.take(key) {
            Some(entry) => self.convert(&entry, expected, parse),
            None => self.missing(key, expected),
        }
    }

    /// A value that may be left out; the outer `None` is a mistake.
    #[expect(clippy::option_option, reason = "the outer option is the mistake, the inner one the absence")]
    pub fn optional<T>(
        &mut self,
        key: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.take(key) {
            Some(entry) => self.convert(&entry, expected, parse).map(Some),
            None => Some(None),
        }
    }

    /// A value with a default, written as it would stand in the file.
    pub fn parsed<T>(
        &mut self,
        key: &str,
        default: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        match self.take(key) {
            Some(entry) => self.convert(&entry, expected, parse),
            None => parse(default),
        }
    }

    /// A text that has to be set.
    pub fn text(&mut self, key: &str, expected: &str) -> Option<String> {
        self.required(key, expected, not_empty)
    }

    /// A text with a default.
    pub fn text_or(&mut self, key: &str, default: &str) -> Option<String> {
        self.parsed(key, default, "a text", not_empty)
    }

    /// Whether a section is there, even empty, or anything in it is set.
    pub fn has_section(&self, section: &str) -> bool {
        self.tables.contains(section) || self.holds_keys(section)
    }

    /// A file with certificates in PEM, which may be left out; the outer `None` is a mistake.
    #[expect(clippy::option_option, reason = "the outer option is the mistake, the inner one the absence")]
    pub fn certificates(&mut self, key: &str) -> Option<Option<PathBuf>> {
        self.optional(key, "a file with certificates in PEM", |text| {
            let holds = |path: &PathBuf| {
                std::fs::read_to_string(path).is_ok_and(|pem| pem.contains("-----BEGIN CERTIFICATE-----"))
            };
            units::file(text).filter(holds)
        })
    }

    /// A duration with a default.
    pub fn duration(&mut self, key: &str, default: &str) -> Option<Duration> {
        self.parsed(key, default, units::DURATION, units::duration)
    }

    /// A duration that is not zero, with a default.
    pub fn time_out(&mut self, key: &str, default: &str) -> Option<Duration> {
        self.parsed(key, default, "a duration above zero such as \"30s\"", |text| {
            units::duration(text).filter(|time| !time.is_zero())
        })
    }

    /// The issuer's identifier; a URL, unless the keys' place is told.
    pub fn issuer(&mut self) -> Option<String> {
        let told = self.entries.contains_key("auth.jwks_url");
        let expected =
            if told { "the issuer as it stands in `iss`" } else { "the issuer's URL, or auth.jwks_url beside it" };
        self.required("auth.issuer", expected, |text| not_empty(text).filter(|text| told || units::url(text).is_some()))
    }

    /// A mistake that only several keys together make.
    pub fn mistake(&mut self, key: &str, text: &str) {
        self.mistakes.push(format!("{}: {key}: {text}", self.label));
    }

    /// A whole number of at least 1, with a default.
    pub fn count(&mut self, key: &str, default: &str) -> Option<usize> {
        const MOST: usize = 1_000_000;
        self.parsed(key, default, "a whole number from 1 to 1000000", |text| {
            text.parse().ok().filter(|count| (1..=MOST).contains(count))
        })
    }

    /// One of several words.
    pub fn choice<T: Copy>(&mut self, key: &str, default: &str, choices: &[(&str, T)]) -> Option<T> {
        self.choice_with_later(key, default, choices, &[])
    }

    /// One of several words; some words will be available later.
    pub fn choice_with_later<T: Copy>(
        &mut self,
        key: &str,
        default: &str,
        choices: &[(&str, T)],
        later: &[&str],
    ) -> Option<T> {
        let entry = self.entries.get(key).cloned();
        if let Some(entry) =
            entry.filter(|entry| later.iter().any(|word| scalar(&entry.value).as_deref() == Some(*word)))
        {
            self.read.insert(key.to_owned());
            self.mistakes.push(format!("{}: {} is not available yet", entry.origin, entry.value));
            return None;
        }
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let expected = words.join(" or ");
        self.parsed(key, default, &expected, |text| {
            choices.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice)
        })
    }

    /// A list with a default; one text stands for a list of one, and an environment variable separates by commas.
    pub fn list<T>(
        &mut self,
        key: &str,
        default: &[&str],
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<Vec<T>> {
        match self.take(key) {
            None => default.iter().map(|text| parse(text)).collect(),
            Some(entry) => match texts(&entry.value).and_then(|texts| texts.iter().map(|text| parse(text)).collect()) {
                Some(list) => Some(list),
                None => self.wrong(&entry, &format!("a list of {expected}")),
            },
        }
    }

    /// A list with a default that must not be empty.
    pub fn some<T>(
        &mut self,
        key: &str,
        default: &[&str],
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<Vec<T>> {
        match (self.list(key, default, expected, parse), self.entries.get(key).cloned()) {
            (Some(list), Some(entry)) if list.is_empty() => self.wrong(&entry, &format!("at least one of {expected}")),
            (list, _) => list,
        }
    }

    /// A list that has to be set and not be empty.
    pub fn required_list(&mut self, key: &str, expected: &str) -> Option<Vec<String>> {
        if !self.entries.contains_key(key) {
            return self.missing(key, expected);
        }
        let list = self.list(key, &[], expected, not_empty)?;
        if list.is_empty() { self.missing(key, expected) } else { Some(list) }
    }
}

/// Where the text stops being TOML; never the line itself, which may hold a secret.
fn not_toml(label: &str, text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    format!("{label} line {line}: not TOML: {}", error.message())
}

fn not_empty(text: &str) -> Option<String> {
    (!text.trim().is_empty()).then(|| text.to_owned())
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Boolean(flag) => Some(flag.to_string()),
        Value::Datetime(_) | Value::Array(_) | Value::Table(_) => None,
    }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(values) => values.iter().map(|value| value.as_str().map(str::to_owned)).collect(),
        Value::String(text) => {
            Some(text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect())
        }
        _ => None,
    }
}
