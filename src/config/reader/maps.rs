//! Sections whose keys the operator chooses, lists of HTTP statuses, and lists whose default is no constant. `None` is
//! always a mistake that was reported.

use std::collections::BTreeSet;

use super::{Purpose, Reader};
use crate::config::entry::Entry;
use crate::config::form::Form;
use crate::config::units;

impl Reader {
    /// The entries of a section with open keys, by name; `None` if neither the section nor a key of it is set.
    ///
    /// Variables have small letters and no dashes: one replaces the entry of the file whose name differs in nothing else.
    pub fn open_section(&mut self, section: &str) -> Option<Vec<(String, Entry)>> {
        self.note_form(section, Form::Names, "a section with names and texts");
        let inside = format!("{section}.");
        // Known also if it is empty.
        self.read_keys.insert(format!("{inside}*"));
        if let Some(entry) = self.read_entry(section) {
            return self.report_wrong_value(&entry, &format!("a section with names and texts, [{section}]"));
        }
        self.read_keys.remove(section);
        if !self.has_section(section) {
            return None;
        }
        let keys: Vec<String> = self.entries.keys().filter(|key| key.starts_with(&inside)).cloned().collect();
        let entries =
            keys.iter().filter_map(|key| Some((key.strip_prefix(&inside)?.to_owned(), self.read_entry(key)?)));
        let (variables, mut found): (Vec<_>, Vec<_>) = entries.partition(|(_, entry)| entry.is_variable());
        for (name, entry) in variables {
            match found.iter_mut().find(|(known, _)| is_spelling_of(&name, known)) {
                Some((_, known)) => *known = entry,
                None => found.push((name, entry)),
            }
        }
        Some(found)
    }

    /// The numbers of a list of sections (`[[section]]`), from 1 and without a gap. A variable has the number in its name.
    pub fn numbered_sections(&mut self, section: &str, expected: &str, most: usize) -> Option<Vec<usize>> {
        self.note_form(section, Form::Sections, expected);
        if self.purpose == Purpose::Survey {
            return Some(Vec::new());
        }
        if let Some(entry) = self.read_entry(section).filter(|entry| !entry.is_empty_list()) {
            return self.report_wrong_value(&entry, &format!("{expected}, as [[{section}]]"));
        }
        let inside = format!("{section}.");
        let names =
            self.entries.keys().chain(&self.sections).filter_map(|key| key.strip_prefix(&inside)?.split('.').next());
        let numbers: BTreeSet<usize> = names.filter_map(|name| name.parse().ok()).collect();
        let is_whole = numbers.iter().zip(1..).all(|(number, expected)| *number == expected);
        if !is_whole || numbers.len() > most {
            self.report(
                section,
                &format!("expected at most {most} sections, with the numbers from 1 on and none left out"),
            );
            return None;
        }
        Some(numbers.into_iter().collect())
    }

    /// A list of HTTP statuses; without the key, the default.
    pub fn statuses(
        &mut self,
        key: &str,
        default: Vec<u16>,
        expected: &str,
        is_allowed: impl Fn(u16) -> bool,
    ) -> Option<Vec<u16>> {
        self.note_form(key, Form::Statuses, &format!("a list of {expected}"));
        let Some(entry) = self.read_entry(key) else { return Some(default) };
        let status = |text: &String| text.parse().ok().filter(|status| is_allowed(*status));
        match entry.texts_or_integers().and_then(|texts| texts.iter().map(status).collect()) {
            Some(statuses) => Some(statuses),
            None => self.report_wrong_value(&entry, &format!("a list of {expected}")),
        }
    }

    /// A list of texts that are not blank; without the key, the default.
    pub fn texts(&mut self, key: &str, default: Vec<String>, expected: &str) -> Option<Vec<String>> {
        self.note_form(key, Form::List(Box::new(Form::Text)), &format!("a list of {expected}"));
        if self.is_set(key) {
            return self.list(key, &[], expected, units::text);
        }
        self.read_keys.insert(key.to_owned());
        Some(default)
    }
}

/// Whether a variable can only mean this name.
pub fn is_spelling_of(variable: &str, name: &str) -> bool {
    name.replace('-', "_").eq_ignore_ascii_case(&variable.replace('-', "_"))
}
