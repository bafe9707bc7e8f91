//! Choices in one entry: of the rows with the same `one-of:NAME`, exactly one has to be there.

use super::place::of_item;
use crate::cart::{JoinedCart, Name, Scalar, Scope, Selection};
use crate::mapping::sheet::{Absent, Rule, Source};
use crate::message::{Message, MessageCode, quoted};

/// The rows that are part of a choice, with what became of them: those of the entry that is evaluated, after those of the
/// entries around it.
#[derive(Default)]
pub struct Choices<'s> {
    rows: Vec<(&'s str, &'s Rule, Finding)>,
}

/// Where the rows of an entry begin.
#[derive(Clone, Copy)]
pub struct EntryStart(usize);

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// The cart has a value, perhaps an unreadable one, which is a mistake of its own.
    Value,
    /// The cart has none.
    Nothing,
}

impl<'s> Choices<'s> {
    /// Begins an entry inside of the one that is evaluated.
    pub const fn begin(&self) -> EntryStart {
        EntryStart(self.rows.len())
    }

    /// Takes note of a row that was evaluated; of no interest unless it is part of a choice.
    pub fn note(&mut self, rule: &'s Rule, finding: Finding) {
        if let Absent::OneOf(name) = &rule.absent {
            self.rows.push((name, rule, finding));
        }
    }

    /// Ends an entry: a mistake for each choice in it of which none or several are there.
    pub fn end(&mut self, start: EntryStart, cart: &JoinedCart<'_>, scope: Scope, mistakes: &mut Vec<Message>) {
        let rows = self.rows.get(start.0..).unwrap_or_default();
        for (index, (name, ..)) in rows.iter().enumerate() {
            let is_first = rows.iter().position(|(other, ..)| other == name) == Some(index);
            let found = rows.iter().filter(|(other, _, finding)| other == name && *finding == Finding::Value).count();
            if is_first && found != 1 {
                let rules: Vec<&Rule> =
                    rows.iter().filter(|(other, ..)| other == name).map(|(_, rule, _)| *rule).collect();
                mistakes.push(mistake(&rules, found, cart, scope));
            }
        }
        self.rows.truncate(start.0);
    }
}

/// The rules of one choice, of which `found` are there.
fn mistake(rules: &[&Rule], found: usize, cart: &JoinedCart<'_>, scope: Scope) -> Message {
    let sources: Vec<&Source> = rules.iter().flat_map(|rule| &rule.sources).collect();
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
    let field = sources.iter().find_map(|source| {
        let condition = source.selection().and_then(|selection| selection.conditions.first());
        condition.map(|(field, _)| field).or_else(|| source.field())
    });
    Message::new(code, text).at(section, field.map_or("", Name::spelling), cart.position(scope))
}

/// `ACCOUNT 2 of item 1`, `ITEM of item 1`, `HEADER`.
fn entry_label(section: &str, cart: &JoinedCart<'_>, scope: Scope) -> String {
    let of_item = of_item(cart, scope);
    match scope {
        Scope::Header | Scope::Item(_) => format!("{section}{of_item}"),
        Scope::Account(_, account) => format!("{section} {}{of_item}", account + 1),
    }
}

/// `DIST_QUAN (DIST_IND Q)`, with the section where it is not the one of the message.
fn field_label(source: &Source, section: &str) -> String {
    let (Some(selection), Some(field)) = (source.selection(), source.field()) else { return source.label().to_owned() };
    let own = selection.section.spelling();
    let prefix = if own == section { String::new() } else { format!("{own}.") };
    let conditions: Vec<String> = selection
        .conditions
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
    let mut add = |source: &Source, field: &Name, blank: Option<&str>| {
        let Some(section) = source.section() else { return };
        let every = Selection { section: section.clone(), conditions: Vec::new() };
        let value = cart.rows(&every, scope).find_map(|row| row.get(field));
        // The field of a condition is blank or not; a share of zero is initial.
        let text = value.as_ref().map(Scalar::text).filter(|text| blank.is_some() || !is_zero(text));
        let fact = match (text, blank) {
            (Some(text), _) => format!("{field} is {}", quoted(text)),
            (None, Some(blank)) => format!("{field} is {blank}"),
            (None, None) => return,
        };
        if !facts.contains(&fact) {
            facts.push(fact);
        }
    };
    for source in sources {
        for (field, _) in source.selection().iter().flat_map(|selection| &selection.conditions) {
            add(source, field, Some("blank"));
        }
    }
    for source in sources {
        source.field().into_iter().for_each(|field| add(source, field, None));
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
