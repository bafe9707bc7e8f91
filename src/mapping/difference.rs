//! The places where two bodies differ, in one walk through both.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

/// How the entries of two lists are put side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairing {
    /// By position, and each place by its position: `lines[0].unitCode`. For one order and the one that is expected: what one
    /// of them lacks is one difference, whatever is in it.
    Position,
    /// By what names an entry, if the lists have not the same length: a line that is gone does not make others of all lines
    /// after it. All entries share a path, `lines[].unitCode`, and so do all fields of what one of them lacks: for counts.
    Name,
}

/// A place where two bodies differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference<'v> {
    /// The path in the body; empty for the whole body.
    pub path: String,
    /// What differs there.
    pub kind: DifferenceKind<'v>,
}

/// What differs at a place of two bodies.
#[derive(Debug, Clone, PartialEq)]
pub enum DifferenceKind<'v> {
    /// The values; `None` where one body has none.
    Values(Option<&'v Value>, Option<&'v Value>),
    /// The numbers of a list's entries; those that both have are compared one by one.
    Lengths(usize, usize),
    /// The first list has an entry that the second one has not.
    EntryOfFirst,
    /// The second list has an entry that the first one has not.
    EntryOfSecond,
}

/// Two values side by side.
type Pair<'v> = (Option<&'v Value>, Option<&'v Value>);

impl Pairing {
    /// Every place where two bodies differ, in the order of the first body.
    pub fn differences<'v>(self, first: &'v Value, second: &'v Value) -> Vec<Difference<'v>> {
        let mut found = Vec::new();
        self.compare((Some(first), Some(second)), String::new(), &mut found);
        found
    }

    fn compare<'v>(self, pair: Pair<'v>, path: String, found: &mut Vec<Difference<'v>>) {
        let goes_into = self == Self::Name || (pair.0.is_some() && pair.1.is_some());
        match pair {
            (Some(first), Some(second)) if first == second => {}
            (Some(Value::Object(_)) | None, Some(Value::Object(_)) | None) if goes_into => {
                for (name, pair) in members(pair) {
                    let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
                    self.compare(pair, path, found);
                }
            }
            (Some(Value::Array(_)) | None, Some(Value::Array(_)) | None) if goes_into => {
                self.compare_entries(entries(pair.0), entries(pair.1), &path, found);
            }
            (first, second) => found.push(Difference { path, kind: DifferenceKind::Values(first, second) }),
        }
    }

    fn compare_entries<'v>(self, first: &'v [Value], second: &'v [Value], path: &str, found: &mut Vec<Difference<'v>>) {
        let pairs = match self {
            Self::Position => {
                if first.len() != second.len() {
                    let kind = DifferenceKind::Lengths(first.len(), second.len());
                    found.push(Difference { path: path.to_owned(), kind });
                }
                first.iter().zip(second).map(|(first, second)| (Some(first), Some(second))).collect()
            }
            Self::Name => pairs_by_name(first, second),
        };
        for (index, pair) in pairs.into_iter().enumerate() {
            let path = match self {
                Self::Position => format!("{path}[{index}]"),
                Self::Name => format!("{path}[]"),
            };
            match pair {
                (Some(_), None) => found.push(Difference { path, kind: DifferenceKind::EntryOfFirst }),
                (None, _) => found.push(Difference { path, kind: DifferenceKind::EntryOfSecond }),
                both => self.compare(both, path, found),
            }
        }
    }
}

/// The members of two objects, those of the first one first.
fn members<'v>((first, second): Pair<'v>) -> impl Iterator<Item = (&'v str, Pair<'v>)> {
    let (first, second) = (first.and_then(Value::as_object), second.and_then(Value::as_object));
    let names = first.into_iter().flat_map(|members| members.keys());
    let is_new = move |name: &&String| first.is_none_or(|members| !members.contains_key(*name));
    let names = names.chain(second.into_iter().flat_map(|members| members.keys()).filter(is_new));
    let member = |object: Option<&'v serde_json::Map<String, Value>>, name: &str| object.and_then(|all| all.get(name));
    names.map(move |name| (name.as_str(), (member(first, name), member(second, name))))
}

fn entries(list: Option<&Value>) -> &[Value] {
    list.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The entries of two lists side by side: by position; where one list is longer, by what names an entry.
fn pairs_by_name<'v>(first: &'v [Value], second: &'v [Value]) -> Vec<Pair<'v>> {
    match naming_member(first, second).filter(|_| first.len() != second.len()) {
        Some(name) => {
            let mut others: HashMap<String, &Value> =
                second.iter().filter_map(|entry| Some((name_in(entry, name)?, entry))).collect();
            let mut pairs: Vec<Pair<'v>> = first
                .iter()
                .map(|entry| (Some(entry), name_in(entry, name).and_then(|name| others.remove(&name))))
                .collect();
            let is_left = |entry: &&Value| name_in(entry, name).is_some_and(|name| others.contains_key(&name));
            pairs.extend(second.iter().filter(is_left).map(|entry| (None, Some(entry))));
            pairs
        }
        None => (0..first.len().max(second.len())).map(|index| (first.get(index), second.get(index))).collect(),
    }
}

/// The first member that tells the entries of each list apart, and that both lists share values of: `lineNumber`.
fn naming_member<'v>(first: &'v [Value], second: &[Value]) -> Option<&'v str> {
    let names = |list: &[Value], name: &str| -> Option<HashSet<String>> {
        let names: HashSet<String> = list.iter().map(|entry| name_in(entry, name)).collect::<Option<_>>()?;
        (names.len() == list.len()).then_some(names)
    };
    let members = first.first()?.as_object()?.keys();
    members.map(String::as_str).find(|name| match (names(first, name), names(second, name)) {
        (Some(first), Some(second)) => !first.is_disjoint(&second),
        _ => false,
    })
}

/// The scalar value of an entry's member.
fn name_in(entry: &Value, name: &str) -> Option<String> {
    let value = entry.get(name)?;
    (!value.is_object() && !value.is_array()).then(|| value.to_string())
}
