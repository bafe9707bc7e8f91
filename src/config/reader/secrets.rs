//! Secrets out of the settings: a value or the file that holds it, and never shown.

use secrecy::{ExposeSecret as _, SecretString};

use super::{Entry, Reader, not_empty};
use crate::config::{Secret, Storage, units};

impl Reader {
    /// The key under which a secret was set: the secret itself, or its file.
    pub fn set_as(&self, key: &str) -> String {
        if self.entries.contains_key(key) { key.to_owned() } else { format!("{key}_file") }
    }

    /// A secret that may be left out; the outer `None` is a mistake.
    #[expect(clippy::option_option, reason = "the outer option is the mistake, the inner one the absence")]
    pub fn optional_secret(&mut self, key: &str) -> Option<Option<Secret>> {
        let is_set = self.entries.contains_key(key) || self.entries.contains_key(&format!("{key}_file"));
        if is_set { self.secret(key).map(Some) } else { Some(None) }
    }

    /// `key`, or `key_file`, and not both.
    pub fn secret(&mut self, key: &str) -> Option<Secret> {
        let file_key = format!("{key}_file");
        match (self.take(key), self.take(&file_key)) {
            (Some(entry), None) => {
                if let Some(secret) = entry.value.as_str().and_then(not_empty) {
                    Some(Secret::Text(SecretString::from(secret)))
                } else {
                    // Never the value itself.
                    self.mistakes.push(format!("{}: expected a text that is not empty", entry.origin));
                    None
                }
            }
            (None, Some(entry)) => self.secret_file(&entry),
            (Some(_), Some(entry)) => {
                self.mistakes.push(format!("{}: {key} is set as well; expected one of both", entry.origin));
                None
            }
            (None, None) => self.missing(key, &format!("the secret, or its file as {file_key}")),
        }
    }

    fn secret_file(&mut self, entry: &Entry) -> Option<Secret> {
        let path = self.convert(entry, "a file's path, not the secret itself", units::file)?;
        let secret = Secret::File(path);
        match secret.read() {
            Ok(_) => Some(secret),
            Err(problem) => {
                self.mistakes.push(format!("{}: {problem}", entry.origin));
                None
            }
        }
    }

    /// A SQLite file, or a PostgreSQL URL, which may hold a password and is treated as a secret.
    pub fn storage(&mut self, key: &str, default: &str) -> Option<Storage> {
        const EXPECTED: &str = "sqlite:FILE, the path of a file, or postgres://user:password@host/database with parameters of libpq such as sslmode=verify-full";
        let is_set = self.entries.contains_key(key) || self.entries.contains_key(&format!("{key}_file"));
        if !is_set {
            return units::sqlite_file(default).map(Storage::Sqlite);
        }
        let entry = self.entries.get(key).or_else(|| self.entries.get(&format!("{key}_file"))).cloned()?;
        let secret = self.secret(key)?;
        let url = secret.read().ok()?;
        let url = url.expose_secret();
        if let Some(path) = units::sqlite_file(url) {
            Some(Storage::Sqlite(path))
        } else if units::is_postgres(url) {
            Some(Storage::Postgres(secret))
        } else {
            // Never the value itself.
            self.mistakes.push(format!("{}: expected {EXPECTED}", entry.origin));
            None
        }
    }
}
