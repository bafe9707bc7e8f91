//! The sections of a cart: from JSON to rows and values.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::cart::name::Name;
use crate::cart::sections::{Row, Section};
use crate::cart::value::Scalar;
use crate::message::{Message, MessageCode};

/// The members of a JSON object by normalised name.
pub type Members<'j> = BTreeMap<Name, &'j RawValue>;

/// The members of a JSON object by normalised name; `None` if the text is anything else.
pub fn object(text: &str) -> Option<Members<'_>> {
    let members: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(text).ok()?;
    Some(members.into_iter().map(|(name, value)| (Name::of(&name), value)).collect())
}

/// A section is a list of rows, a single row (gateways collapse lists of one), or OData's `{"results":[…]}`.
pub fn section(name: &Name, json: &RawValue, limit: usize) -> Section {
    let rows: Vec<&RawValue> = match json.get().as_bytes().first() {
        Some(b'[') => serde_json::from_str(json.get()).unwrap_or_default(),
        Some(b'{') => match object(json.get()).and_then(|members| only_results(&members)) {
            Some(results) => results,
            None => vec![json],
        },
        _ if matches!(json.get(), "null" | "\"\"") => Vec::new(),
        _ => return Err(section_mistake(&name.to_string(), "expected a list of objects")),
    };
    if rows.len() > limit {
        let text = format!("{name} has {} rows; at most {limit} are taken", rows.len());
        return Err(Message::new(MessageCode::TooManyRows, text).at(&name.to_string(), "", 0));
    }
    let row = |(index, json): (usize, &RawValue)| {
        object(json.get())
            .map(row)
            .ok_or_else(|| section_mistake(&name.to_string(), &format!("entry {}: expected an object", index + 1)))
    };
    rows.into_iter().enumerate().map(row).collect()
}

/// The rows of `{"results":[…]}`.
fn only_results<'j>(members: &Members<'j>) -> Option<Vec<&'j RawValue>> {
    match members.get("RESULTS") {
        Some(results) if members.len() == 1 => serde_json::from_str(results.get()).ok(),
        _ => None,
    }
}

fn row(members: Members<'_>) -> Row {
    let fields = members.into_iter().filter_map(|(name, json)| Some((name, scalar(json.get())?))).collect();
    Row { fields }
}

/// `None` for `null`, which is the same as a missing field.
fn scalar(json: &str) -> Option<Scalar> {
    match json.as_bytes().first()? {
        b'"' => serde_json::from_str(json).ok().map(Scalar::Text),
        b't' => Some(Scalar::Flag(true)),
        b'f' => Some(Scalar::Flag(false)),
        b'n' => None,
        b'{' | b'[' => Some(Scalar::Nested),
        _ => Some(Scalar::Number(json.to_owned())),
    }
}

/// A section that is missing or has the wrong form.
pub fn section_mistake(section: &str, expected: &str) -> Message {
    Message::new(MessageCode::Section, format!("{section}: {expected}")).at(section, "", 0)
}
