//! `NAME.refused.json`: the messages with which a cart has to be refused.

use serde_json::{Map, Value};

use crate::message::{Message, Severity};

/// A message that a cart has to get, as far as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedMessage {
    /// BAPIRET2-NUMBER.
    pub number: Option<String>,
    /// The field of SAP.
    pub field: Option<String>,
    /// The item's position in the cart, counted from 1; 0 is the header.
    pub row: Option<usize>,
}

impl ExpectedMessage {
    /// Everything that can be told of a message.
    pub fn of(message: &Message) -> Self {
        let field = Some(message.field.clone()).filter(|field| !field.is_empty());
        Self { number: Some(message.number.clone()), field, row: Some(message.row) }
    }

    fn matches(&self, message: &Message) -> bool {
        self.number.as_ref().is_none_or(|number| *number == message.number)
            && self.field.as_ref().is_none_or(|field| *field == message.field)
            && self.row.is_none_or(|row| row == message.row)
    }

    /// The message as the file has it.
    pub fn to_json(&self) -> String {
        let number = self.number.iter().map(|number| ("number", Value::from(number.as_str())));
        let field = self.field.iter().map(|field| ("field", Value::from(field.as_str())));
        let row = self.row.iter().map(|row| ("row", Value::from(*row)));
        let members = number.chain(field).chain(row).map(|(name, value)| (name.to_owned(), value));
        Value::Object(members.collect()).to_string()
    }

    fn parse(value: &Value) -> Result<Self, String> {
        let Value::Object(members) = value else {
            return Err(format!("expected an object with number, field or row, found {value}"));
        };
        if let Some(other) = members.keys().find(|name| !["number", "field", "row"].contains(&name.as_str())) {
            return Err(format!("\"{other}\" is no part of an expected message; expected number, field or row"));
        }
        if members.is_empty() {
            return Err("a message without number, field and row would be any message".to_owned());
        }
        let row = match members.get("row") {
            None => None,
            Some(row) => Some(row.as_u64().and_then(|row| usize::try_from(row).ok()).ok_or_else(|| {
                format!("row is {row}; expected the item's position in the cart, and 0 for the header")
            })?),
        };
        Ok(Self {
            number: text(members, "number", "a text such as \"010\"")?,
            field: text(members, "field", "the name of SAP's field")?,
            row,
        })
    }
}

fn text(members: &Map<String, Value>, name: &str, expected: &str) -> Result<Option<String>, String> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(format!("{name} is {other}; expected {expected}")),
    }
}

/// Reads the file.
///
/// # Errors
/// Every mistake in it.
pub fn parse(text: &str) -> Result<Vec<ExpectedMessage>, Vec<String>> {
    let value: Value = serde_json::from_str(text).map_err(|error| vec![format!("is no JSON: {error}")])?;
    let Value::Array(entries) = value else {
        return Err(vec!["expected a list of messages, each with number, field or row".to_owned()]);
    };
    if entries.is_empty() {
        return Err(vec!["expected at least one message: a cart without a mistake is not refused".to_owned()]);
    }
    let (mut messages, mut problems) = (Vec::new(), Vec::new());
    for (index, entry) in entries.iter().enumerate() {
        match ExpectedMessage::parse(entry) {
            Ok(message) => messages.push(message),
            Err(problem) => problems.push(format!("message {}: {problem}", index + 1)),
        }
    }
    if problems.is_empty() { Ok(messages) } else { Err(problems) }
}

/// Every expected message that the cart does not get, and every mistake of the cart that is not expected. A warning may be
/// expected, and need not be: settings decide about it.
pub fn differences(found: &[Message], expected: &[ExpectedMessage]) -> Vec<String> {
    let matched = assign(found, expected);
    let missing = expected.iter().enumerate().filter(|(index, _)| !matched.contains(&Some(*index)));
    let missing = missing.map(|(_, message)| format!("is not refused with {}", message.to_json()));
    let unexpected =
        found.iter().zip(&matched).filter(|(message, owner)| owner.is_none() && message.severity == Severity::Error);
    let unexpected = unexpected.map(|(message, _)| {
        format!("is refused with {} too: {}", ExpectedMessage::of(message).to_json(), message.message)
    });
    missing.chain(unexpected).collect()
}

/// For each message found the index of the expectation that it fulfils. As many as possible are fulfilled: one that tells
/// less may have to leave its message to one that tells more (augmenting paths in a bipartite graph).
fn assign(found: &[Message], expected: &[ExpectedMessage]) -> Vec<Option<usize>> {
    let mut owners: Vec<Option<usize>> = vec![None; found.len()];
    for index in 0..expected.len() {
        let mut tried = vec![false; found.len()];
        fulfil(index, (found, expected), &mut owners, &mut tried);
    }
    owners
}

fn fulfil(
    index: usize,
    lists: (&[Message], &[ExpectedMessage]),
    owners: &mut [Option<usize>],
    tried: &mut [bool],
) -> bool {
    let (found, expected) = lists;
    let Some(wanted) = expected.get(index) else { return false };
    for (position, message) in found.iter().enumerate() {
        let is_tried = tried.get(position).copied().unwrap_or(true);
        if is_tried || !wanted.matches(message) {
            continue;
        }
        if let Some(tried) = tried.get_mut(position) {
            *tried = true;
        }
        let owner = owners.get(position).copied().flatten();
        if owner.is_none_or(|owner| fulfil(owner, lists, owners, tried)) {
            if let Some(owner) = owners.get_mut(position) {
                *owner = Some(index);
            }
            return true;
        }
    }
    false
}
