//! The places where two bodies differ.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::digest;

/// Most characters of a value that is shown whole: a line of a terminal has room for two of them.
const SHOWN_CHARS: usize = 80;

/// Characters that remain of a longer one, beside its length and its mark.
const CUT_CHARS: usize = 40;

/// Hex digits that tell longer values of the same beginning apart.
const MARK_DIGITS: usize = 8;

/// What differs in one place of two bodies. Values are JSON texts, so that `"10"` and `10` are two; long ones are cut.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Change {
    /// Another value; `None` where there is none.
    Value {
        /// The value before.
        old: Option<String>,
        /// The value now.
        new: Option<String>,
    },
    /// A list has an entry more.
    EntryAdded,
    /// A list has an entry fewer.
    EntryRemoved,
}

/// Every place where two bodies differ, by its path: `lines[].unitCode`.
pub fn differences(old: &Value, new: &Value) -> Vec<(String, Change)> {
    let mut found = Vec::new();
    compare(Some(old), Some(new), "", &mut found);
    found
}

fn compare(old: Option<&Value>, new: Option<&Value>, path: &str, found: &mut Vec<(String, Change)>) {
    match (old, new) {
        (Some(old), Some(new)) if old == new => {}
        (Some(Value::Object(_)) | None, Some(Value::Object(_)) | None) => compare_objects(old, new, path, found),
        (Some(Value::Array(_)) | None, Some(Value::Array(_)) | None) => {
            let path = format!("{path}[]");
            for pair in pairs(entries(old), entries(new)) {
                match pair {
                    (Some(old), Some(new)) => compare(Some(old), Some(new), &path, found),
                    (None, _) => found.push((path.clone(), Change::EntryAdded)),
                    (_, None) => found.push((path.clone(), Change::EntryRemoved)),
                }
            }
        }
        _ => found.push((path.to_owned(), Change::Value { old: old.map(json_text), new: new.map(json_text) })),
    }
}

fn compare_objects(old: Option<&Value>, new: Option<&Value>, path: &str, found: &mut Vec<(String, Change)>) {
    let (old, new) = (old.and_then(Value::as_object), new.and_then(Value::as_object));
    let names = old.into_iter().flat_map(|members| members.keys());
    let is_new = |name: &&String| old.is_none_or(|members| !members.contains_key(*name));
    for name in names.chain(new.into_iter().flat_map(|members| members.keys()).filter(is_new)) {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        compare(old.and_then(|members| members.get(name)), new.and_then(|members| members.get(name)), &path, found);
    }
}

fn entries(list: Option<&Value>) -> &[Value] {
    list.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

type Pair<'v> = (Option<&'v Value>, Option<&'v Value>);

/// The entries of two lists side by side: by position; where one list is longer, by what names an entry, so that a line that
/// is gone does not make others of all lines after it.
fn pairs<'v>(old: &'v [Value], new: &'v [Value]) -> Vec<Pair<'v>> {
    match naming_member(old, new).filter(|_| old.len() != new.len()) {
        Some(name) => {
            let mut others: HashMap<String, &Value> =
                new.iter().filter_map(|entry| Some((name_in(entry, name)?, entry))).collect();
            let mut pairs: Vec<Pair<'v>> = old
                .iter()
                .map(|entry| (Some(entry), name_in(entry, name).and_then(|name| others.remove(&name))))
                .collect();
            let is_left = |entry: &&Value| name_in(entry, name).is_some_and(|name| others.contains_key(&name));
            pairs.extend(new.iter().filter(is_left).map(|entry| (None, Some(entry))));
            pairs
        }
        None => (0..old.len().max(new.len())).map(|index| (old.get(index), new.get(index))).collect(),
    }
}

/// The first member that tells the entries of each list apart, and that both lists share values of: `lineNumber`.
fn naming_member<'v>(old: &'v [Value], new: &[Value]) -> Option<&'v str> {
    let names = |list: &[Value], name: &str| -> Option<HashSet<String>> {
        let names: HashSet<String> = list.iter().map(|entry| name_in(entry, name)).collect::<Option<_>>()?;
        (names.len() == list.len()).then_some(names)
    };
    let members = old.first()?.as_object()?.keys();
    members.map(String::as_str).find(|name| match (names(old, name), names(new, name)) {
        (Some(old), Some(new)) => !old.is_disjoint(&new),
        _ => false,
    })
}

/// The scalar value of an entry's member.
fn name_in(entry: &Value, name: &str) -> Option<String> {
    let value = entry.get(name)?;
    (!value.is_object() && !value.is_array()).then(|| value.to_string())
}

/// A value as JSON text; a long one is cut, with its length and a mark of the whole.
fn json_text(value: &Value) -> String {
    let text = value.to_string();
    let length = text.chars().count();
    if length <= SHOWN_CHARS {
        return text;
    }
    let start: String = value.as_str().unwrap_or(&text).chars().take(CUT_CHARS).collect();
    let mark: String = digest::sha256_hex(text.as_bytes()).chars().take(MARK_DIGITS).collect();
    Value::String(format!("{start}… ({length} characters, {mark})")).to_string()
}
