//! Choices among words, and lists. `None` is always a mistake that was reported.

use super::Reader;
use crate::config::form::Form;
use crate::config::units;

impl Reader {
    /// One of several words.
    pub fn choice<T: Copy>(&mut self, key: &str, default: &str, choices: &[(&str, T)]) -> Option<T> {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let expected = words.join(" or ");
        self.value_or(key, default, &expected, |text| {
            choices.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice)
        })
    }

    /// A list with a default; one text is a list of one, and commas separate the entries of a variable.
    pub fn list<T>(
        &mut self,
        key: &str,
        default: &[&str],
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<Vec<T>> {
        self.note_form(key, Form::List(Box::new(Form::of(expected))), &format!("a list of {expected}"));
        match self.read_entry(key) {
            None => default.iter().map(|text| parse(text)).collect(),
            Some(entry) => match entry.texts().and_then(|texts| texts.iter().map(|text| parse(text)).collect()) {
                Some(list) => Some(list),
                None => self.report_wrong_value(&entry, &format!("a list of {expected}")),
            },
        }
    }

    /// A list with a default; a list that is set must not be empty.
    pub fn non_empty_list<T>(
        &mut self,
        key: &str,
        default: &[&str],
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<Vec<T>> {
        let list = self.list(key, default, expected, parse)?;
        match self.read_entry(key) {
            Some(entry) if list.is_empty() => self.report_wrong_value(&entry, &format!("at least one of {expected}")),
            _ => Some(list),
        }
    }

    /// A list that has to be set and must not be empty.
    pub fn required_list(&mut self, key: &str, expected: &str) -> Option<Vec<String>> {
        let list = self.list(key, &[], expected, units::text)?;
        if list.is_empty() { self.report_missing(key, expected) } else { Some(list) }
    }
}
