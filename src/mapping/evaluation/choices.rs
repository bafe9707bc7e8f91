//! Choices in one entry: of the rows with the same `one-of:NAME`, exactly one has to be there.

use crate::cart::{JoinedCart, Name, Scalar, Scope, Selection};
use crate::mapping::sheet::{Absent, Rule, Source, Spelling};
use crate::message::{Message, MessageCode, quoted};

/// The rows of one entry that are part of a choice, with what became of them.
#[derive(Default)]
pub struct Choices<'s> {
    rows: Vec<(&'s str, &'s Rule, Finding)>,
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// The cart has a value, perhaps an unreadable one, which is a mistake of its own.
    Value,
    /// The cart has none.
    Nothing,
}

impl<'s> Choices<'s> {
    /// Takes note of a row that was evaluated; of no interest unless it is part of a choice.
    pub fn note(&mut self, rule: &'s Rule, finding: Finding) {
        if let Absent::OneOf(name) = &rule.absent {
            self.rows.push((name, rule, finding));
        }
    }

    /// A mistake for each choice of which none or several are there.
    pub fn mistakes(&self, cart: &JoinedCart<'_>, scope: Scope) -> Vec<Message> {
        let mut names: Vec<&str> = Vec::new();
        for (name, ..) in &self.rows {
            if !names.contains(name) {
                names.push(name);
            }
        }
        names.into_iter().filter_map(|name| self.mistake(name, cart, scope)).collect()
    }

    fn mistake(&self, name: &str, cart: &JoinedCart<'_>, scope: Scope) -> Option<Message> {
        let rows = || self.rows.iter().filter(|(other, ..)| *other == name);
        let found = rows().filter(|(.., finding)| *finding == Finding::Value).count();
        if found == 1 {
            return None;
        }
        let sources: Vec<&Source> = rows().flat_map(|(_, rule, _)| &rule.sources).collect();
        let section = sources.first().map_or("", |source| source.section_and_field().0);
        let fields: Vec<String> = sources.iter().map(|source| field_label(source, section)).collect();
        let (count, code) = match found {
            0 => ("none".to_owned(), MessageCode::Missing),
            several => (several.to_string(), MessageCode::Disagreement),
        };
        let facts = facts(&sources, cart, scope);
        let text = format!(
            "{}: exactly one of {} has to be there, found {count}: {}",
            entry_label(section, cart, scope),
            fields.join(", "),
            facts.join(", ")
        );
        let field = sources.iter().filter_map(|source| source.spelling()).find_map(|spelling| {
            let condition = spelling.conditions.first().map(|(field, _)| field.as_str());
            condition.or(Some(spelling.field.as_str()))
        });
        Some(Message::new(code, text).at(section, field.unwrap_or_default(), cart.position(scope)))
    }
}

/// `ACCOUNT 2 of item 1`, `ITEM of item 1`, `HEADER`.
fn entry_label(section: &str, cart: &JoinedCart<'_>, scope: Scope) -> String {
    let position = cart.position(scope);
    match scope {
        Scope::Header => section.to_owned(),
        Scope::Item(_) => format!("{section} of item {position}"),
        Scope::Account(_, account) => format!("{section} {} of item {position}", account + 1),
    }
}

/// `DIST_QUAN (DIST_IND Q)`, with the section where it is not the one of the message.
fn field_label(source: &Source, section: &str) -> String {
    let Some(spelling) = source.spelling() else { return source.label().to_owned() };
    let Spelling { section: own, conditions, field, .. } = spelling;
    let prefix = if own == section { String::new() } else { format!("{own}.") };
    let conditions: Vec<String> = conditions
        .iter()
        .map(|(field, value)| if value.is_empty() { format!("{field} blank") } else { format!("{field} {value}") })
        .collect();
    if conditions.is_empty() {
        format!("{prefix}{field}")
    } else {
        format!("{prefix}{field} ({})", conditions.join(", "))
    }
}

/// What the entry has in the fields of the conditions and of the sources, whatever the conditions say.
fn facts(sources: &[&Source], cart: &JoinedCart<'_>, scope: Scope) -> Vec<String> {
    let mut facts = Vec::new();
    let mut add = |source: &Source, field: &str, blank: Option<&str>| {
        let Some(section) = source.section() else { return };
        let every = Selection { section: section.clone(), conditions: Vec::new() };
        let name = Name::of(field);
        let value = cart.rows(&every, scope).into_iter().find_map(|row| row.get(&name));
        let text = value.map(Scalar::text).filter(|text| !is_zero(text));
        let fact = match (text, blank) {
            (Some(text), _) => format!("{field} is {}", quoted(text)),
            (None, Some(blank)) => format!("{field} is {blank}"),
            (None, None) => return,
        };
        if !facts.contains(&fact) {
            facts.push(fact);
        }
    };
    let spellings = || sources.iter().filter_map(|source| Some((*source, source.spelling()?)));
    for (source, spelling) in spellings() {
        for (field, _) in &spelling.conditions {
            add(source, field, Some("blank"));
        }
    }
    for (source, spelling) in spellings() {
        add(source, &spelling.field, None);
    }
    if facts.is_empty() {
        facts.push("they are all missing or initial".to_owned());
    }
    facts
}

/// Blank, or a number that is zero.
fn is_zero(text: &str) -> bool {
    text.chars().all(|c| matches!(c, '0' | '.' | '-' | ' '))
}
