//! The settings' file: where it is, and its text as entries.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::entry::Entry;
use super::environment::CONFIG_VARIABLE;
use super::mistakes::Mistakes;
use crate::settings_file;

/// The file if neither `--config` nor the environment names one.
pub const DEFAULT_FILE: &str = "/etc/purchase-order-webhook/config.toml";

/// The text of a settings' file.
#[derive(Debug)]
pub struct SettingsText {
    /// The file's name in mistakes.
    pub label: String,
    /// TOML.
    text: String,
}

/// The entries of a text.
#[derive(Debug, Default)]
pub struct Entries {
    /// Values by dotted key.
    pub values: BTreeMap<String, Entry>,
    /// Dotted names of all sections, also of empty ones.
    pub sections: BTreeSet<String>,
}

impl SettingsText {
    /// The text with line breaks as TOML knows them: a CR alone is none, and occurs in no other place.
    pub fn of(label: String, text: &str) -> Self {
        Self { label, text: text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n") }
    }

    /// Reads the file that `--config`, the environment or the default names.
    ///
    /// # Errors
    /// If a file that was named can't be read. A default file that is missing is an empty one: all settings can come from
    /// the environment.
    pub fn load(file: Option<&Path>, environment: &BTreeMap<String, String>) -> Result<Self, Mistakes> {
        let named = file.map(Path::to_owned).or_else(|| environment.get(CONFIG_VARIABLE).map(PathBuf::from));
        let path = named.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
        let label = path.display().to_string();
        match settings_file::read_text(&path) {
            Ok(text) => Ok(Self::of(label, &text)),
            Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => Ok(Self::of(label, "")),
            Err(error) => {
                Err(Mistakes(vec![format!("{label}: can't be read: {error}; expected the settings as TOML")]))
            }
        }
    }

    /// Parses the text.
    ///
    /// # Errors
    /// Names the line that is not TOML.
    pub fn entries(&self) -> Result<Entries, Mistakes> {
        let table: Table = self.text.parse().map_err(|error| Mistakes(vec![self.not_toml(&error)]))?;
        let mut entries = Entries::default();
        entries.add(&self.label, "", table);
        Ok(entries)
    }

    /// Names the line where the text stops being TOML; never its content, which may be a secret.
    fn not_toml(&self, error: &toml::de::Error) -> String {
        let before = error.span().and_then(|span| self.text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        format!("{} line {line}: not TOML: {}", self.label, error.message())
    }
}

impl Entries {
    fn add(&mut self, label: &str, prefix: &str, table: Table) {
        for (name, value) in table {
            let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
            match value {
                Value::Table(inner) => {
                    self.sections.insert(key.clone());
                    self.add(label, &key, inner);
                }
                Value::Array(values) if !values.is_empty() && values.iter().all(Value::is_table) => {
                    self.add_numbered(label, &key, values);
                }
                value => {
                    let origin = format!("{label}: {key}");
                    self.values.insert(key, Entry { value, origin });
                }
            }
        }
    }

    /// A list of sections (`[[name]]`): each is a section with its number, from 1, in its name.
    fn add_numbered(&mut self, label: &str, key: &str, values: Vec<Value>) {
        for (number, value) in (1..).zip(values) {
            if let Value::Table(inner) = value {
                let key = format!("{key}.{number}");
                self.sections.insert(key.clone());
                self.add(label, &key, inner);
            }
        }
    }
}
