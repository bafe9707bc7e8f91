//! Secrets: `key` itself, or `key_file`. No message contains a value.

use super::Reader;
use crate::config::entry::Entry;
use crate::config::form::Form;
use crate::config::secret::Secret;
use crate::config::units;

impl Reader {
    /// The key under which a secret is set: the secret's own, or its file's.
    pub fn secret_key(&self, key: &str) -> String {
        if self.is_set(key) { key.to_owned() } else { format!("{key}_file") }
    }

    /// The entry of a secret, or of its file.
    pub fn secret_entry(&mut self, key: &str) -> Option<Entry> {
        self.note_form(key, Form::Secret, "a secret");
        self.entries.get(&self.secret_key(key)).cloned()
    }

    /// The entry of a secret, or of its file, in whose place a section may stand.
    pub fn secret_or_section(&mut self, key: &str) -> Option<Entry> {
        self.note_form(key, Form::SecretOrNames, "a secret, or a section with names and secrets");
        self.secret_entry(key)
    }

    /// A secret that may be left out; the outer `None` is a mistake.
    #[expect(clippy::option_option, reason = "the outer option is the mistake, the inner one the absence")]
    pub fn optional_secret(&mut self, key: &str) -> Option<Option<Secret>> {
        if self.secret_entry(key).is_some() { self.required_secret(key).map(Some) } else { Some(None) }
    }

    /// `key` or `key_file`; both together are a mistake.
    pub fn required_secret(&mut self, key: &str) -> Option<Secret> {
        self.note_form(key, Form::Secret, "a secret");
        let file_key = format!("{key}_file");
        match (self.read_entry(key), self.read_entry(&file_key)) {
            (Some(entry), None) => {
                let secret = entry.value.as_str().and_then(Secret::of_text);
                if secret.is_none() {
                    self.report_entry(&entry, "expected a text that is not empty");
                }
                secret
            }
            (None, Some(entry)) => self.secret_file(&entry),
            (Some(_), Some(entry)) => {
                self.report_entry(&entry, &format!("{key} is set as well; expected one of both"));
                None
            }
            (None, None) => self.report_missing(key, &format!("the secret, or its file as {file_key}")),
        }
    }

    fn secret_file(&mut self, entry: &Entry) -> Option<Secret> {
        let path = self.convert(entry, "a file's path, not the secret itself", units::file)?;
        let secret = Secret::File(path);
        match secret.read() {
            Ok(_) => Some(secret),
            Err(problem) => {
                self.report_entry(entry, &problem);
                None
            }
        }
    }
}
