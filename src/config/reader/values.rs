//! Single values: required, optional, or with a default. `None` is always a mistake that was reported.

use std::path::PathBuf;
use std::time::Duration;

use super::Reader;
use crate::certificate::Certificate;
use crate::config::entry::Entry;
use crate::config::form::Form;
use crate::config::units;
use crate::settings_file;

impl Reader {
    /// The value of an entry that was read.
    pub fn convert<T>(&mut self, entry: &Entry, expected: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        match entry.scalar().and_then(|text| parse(&text)) {
            Some(value) => Some(value),
            None => self.report_wrong_value(entry, expected),
        }
    }

    /// A value that has to be set.
    pub fn required<T>(&mut self, key: &str, expected: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        self.note_form(key, Form::of(expected), expected);
        match self.read_entry(key) {
            Some(entry) => self.convert(&entry, expected, parse),
            None => self.report_missing(key, expected),
        }
    }

    /// A value without a default; the outer `None` is a mistake.
    #[expect(clippy::option_option, reason = "the outer option is the mistake, the inner one the absence")]
    pub fn optional<T>(
        &mut self,
        key: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<Option<T>> {
        self.note_form(key, Form::of(expected), expected);
        match self.read_entry(key) {
            Some(entry) => self.convert(&entry, expected, parse).map(Some),
            None => Some(None),
        }
    }

    /// A value with a default, which is written as in the file.
    pub fn value_or<T>(
        &mut self,
        key: &str,
        default: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        self.note_form(key, Form::of(expected), expected);
        self.note_default(key, default);
        match self.read_entry(key) {
            Some(entry) => self.convert(&entry, expected, parse),
            None => parse(default),
        }
    }

    /// A text that has to be set.
    pub fn required_text(&mut self, key: &str, expected: &str) -> Option<String> {
        self.required(key, expected, units::text)
    }

    /// A text with a default.
    pub fn text_or(&mut self, key: &str, default: &str) -> Option<String> {
        self.value_or(key, default, "a text", units::text)
    }

    /// A duration with a default.
    pub fn duration(&mut self, key: &str, default: &str) -> Option<Duration> {
        self.value_or(key, default, units::DURATION, units::duration)
    }

    /// A duration above zero, with a default.
    pub fn positive_duration(&mut self, key: &str, default: &str) -> Option<Duration> {
        self.value_or(key, default, "a duration above zero such as \"30s\"", |text| {
            units::duration(text).filter(|time| !time.is_zero())
        })
    }

    /// A whole number of at least 1, with a default.
    pub fn count(&mut self, key: &str, default: &str) -> Option<usize> {
        // Above this, a number is a slip of the pen: nothing that is counted here fits into memory.
        const MAX_COUNT: usize = 1_000_000;
        self.value_or(key, default, "a whole number from 1 to 1000000", |text| {
            text.parse().ok().filter(|count| (1..=MAX_COUNT).contains(count))
        })
    }

    /// A file with at least one certificate in PEM, without a default; the outer `None` is a mistake.
    #[expect(clippy::option_option, reason = "the outer option is the mistake, the inner one the absence")]
    pub fn certificates_file(&mut self, key: &str) -> Option<Option<PathBuf>> {
        self.file_with(key, Certificate::read_all)
    }

    /// The same for certificates that are to be trusted.
    #[expect(clippy::option_option, reason = "the outer option is the mistake, the inner one the absence")]
    pub fn trusted_file(&mut self, key: &str) -> Option<Option<PathBuf>> {
        self.file_with(key, Certificate::read_roots)
    }

    #[expect(clippy::option_option, reason = "the outer option is the mistake, the inner one the absence")]
    fn file_with(
        &mut self,
        key: &str,
        read: impl Fn(&[u8]) -> Result<Vec<Certificate>, String>,
    ) -> Option<Option<PathBuf>> {
        const EXPECTED: &str = "a file with certificates in PEM";
        self.note_form(key, Form::File, EXPECTED);
        let Some(entry) = self.read_entry(key) else { return Some(None) };
        let path = self.convert(&entry, EXPECTED, units::file)?;
        let problem = match settings_file::read(&path) {
            Ok(content) => read(&content).err(),
            Err(error) => Some(error.to_string()),
        };
        match problem {
            None => Some(Some(path)),
            Some(problem) => self.report_wrong_value(&entry, &format!("{EXPECTED} ({problem})")),
        }
    }
}
