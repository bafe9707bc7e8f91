//! The report for programs. Its names are stable: others are added, none is changed.

use serde::Serialize;
use serde_json::Value;

use super::difference::Change;
use super::tally::{Count, Tally};
use super::{Comparison, MessageChange, MessageKind};

/// Most entries of each list of the report; how many more there are is said beside it.
const MAX_ENTRIES: usize = 1_000;

/// What differs between two mappings.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// All carts that were compared.
    pub carts: u64,
    /// Carts whose order would differ, or be there with one mapping alone.
    pub differing: u64,
    /// Carts that both mappings refuse.
    pub refused_by_both: u64,
    /// Texts that are no carts.
    pub unreadable: Changes<MessageEntry>,
    /// Orders that would have another identity: those that exist would be created a second time.
    pub ids: Changes<FieldEntry>,
    /// Carts that would be refused from now on, by message.
    pub refused_now: Changes<MessageEntry>,
    /// Carts that would no longer be refused, by the message that they got.
    pub mapped_now: Changes<MessageEntry>,
    /// Messages that differ where both refuse.
    pub refused_otherwise: Changes<MessageEntry>,
    /// Fields that would differ.
    pub fields: Changes<FieldEntry>,
    /// Warnings that would differ.
    pub warnings: Changes<MessageEntry>,
}

/// A list of what differs, the most frequent first.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Changes<T> {
    /// Kinds of difference.
    pub groups: Vec<T>,
    /// Further groups that are not listed.
    pub further_groups: u64,
    /// Places that are in none of the groups, because there are too many kinds to tell them apart.
    pub places_beyond: u64,
}

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldEntry {
    /// Its path, with `[]` for a list.
    pub field: String,
    /// `changed`, `added`, `removed`; of a list `entry-added`, `entry-removed`.
    pub change: &'static str,
    /// The value before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    /// The value now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
    /// How often.
    #[serde(flatten)]
    pub count: CountEntry,
}

/// A message that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageEntry {
    /// `added` or `removed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<&'static str>,
    /// The message's number, BAPIRET2-NUMBER.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub number: String,
    /// Its text.
    pub message: String,
    /// How often.
    #[serde(flatten)]
    pub count: CountEntry,
}

/// How often something differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CountEntry {
    /// Orders in which it does.
    pub orders: u64,
    /// Places in all of them.
    pub count: u64,
    /// A few of their carts, by number.
    pub carts: Vec<String>,
}

impl From<&Count> for CountEntry {
    fn from(count: &Count) -> Self {
        Self { orders: count.orders, count: count.places, carts: count.carts.clone() }
    }
}

impl Report {
    pub(super) fn of(comparison: &Comparison<'_>) -> Self {
        let found = &comparison.found;
        let unreadable = |why: &String, count: &Count| MessageEntry {
            change: None,
            number: String::new(),
            message: why.clone(),
            count: count.into(),
        };
        Self {
            carts: found.carts,
            differing: found.differing,
            refused_by_both: found.refused_by_both,
            unreadable: listed(&found.unreadable, unreadable),
            ids: listed_fields(&found.ids),
            refused_now: listed(&found.refused_now, message_entry),
            mapped_now: listed(&found.mapped_now, message_entry),
            refused_otherwise: listed(&found.refused_otherwise, message_change_entry),
            fields: listed_fields(&found.fields),
            warnings: listed(&found.warnings, message_change_entry),
        }
    }
}

fn listed<K: Eq + std::hash::Hash + Ord, T>(tally: &Tally<K>, entry: impl Fn(&K, &Count) -> T) -> Changes<T> {
    let groups = tally.sorted().into_iter().map(|(kind, count)| entry(kind, count)).collect();
    Changes::of(groups, tally.beyond.places)
}

fn listed_fields(fields: &std::collections::BTreeMap<String, Tally<Change>>) -> Changes<FieldEntry> {
    let entries = |(field, tally): (&String, &Tally<Change>)| -> Vec<FieldEntry> {
        tally.sorted().into_iter().map(|(change, count)| FieldEntry::of(field, change, count)).collect()
    };
    let mut groups: Vec<FieldEntry> = fields.iter().flat_map(entries).collect();
    // Stable: the groups of one field stay as they are.
    groups.sort_by_key(|entry| std::cmp::Reverse((entry.count.orders, entry.count.count)));
    Changes::of(groups, fields.values().map(|tally| tally.beyond.places).sum())
}

fn message_entry(message: &MessageKind, count: &Count) -> MessageEntry {
    MessageEntry { change: None, number: message.number.clone(), message: message.text.clone(), count: count.into() }
}

fn message_change_entry(change: &MessageChange, count: &Count) -> MessageEntry {
    match change {
        MessageChange::Newly(message) => MessageEntry { change: Some("added"), ..message_entry(message, count) },
        MessageChange::NoLonger(message) => MessageEntry { change: Some("removed"), ..message_entry(message, count) },
    }
}

impl<T> Changes<T> {
    fn of(mut groups: Vec<T>, places_beyond: u64) -> Self {
        let further = groups.len().saturating_sub(MAX_ENTRIES);
        groups.truncate(MAX_ENTRIES);
        Self { groups, further_groups: u64::try_from(further).unwrap_or(u64::MAX), places_beyond }
    }
}

impl FieldEntry {
    fn of(field: &str, change: &Change, count: &Count) -> Self {
        let value = |text: &Option<String>| text.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let (name, old, new) = match change {
            Change::Value { old: None, new } => ("added", None, value(new)),
            Change::Value { old, new: None } => ("removed", value(old), None),
            Change::Value { old, new } => ("changed", value(old), value(new)),
            Change::EntryAdded => ("entry-added", None, None),
            Change::EntryRemoved => ("entry-removed", None, None),
        };
        Self { field: field.to_owned(), change: name, old, new, count: count.into() }
    }
}
