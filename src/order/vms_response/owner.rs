//! Whose an order is that an answer shows: it repeats an id at `target.lookup.id_pointer`.

use serde_json::Value;

use super::OrderNames;
use super::rules::LookUpRules;
use crate::order::id::OrderId;

/// Whose order an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// It repeats our id.
    Us,
    /// It has another id.
    Others,
    /// It does not say.
    Unnamed,
}

/// Whose an entry is: ids are compared as ours are normalised, in any spelling of a GUID, and as numbers.
pub fn owner(entry: &Value, names: OrderNames<'_>, rules: &LookUpRules) -> Owner {
    let Some(pointer) = &rules.id_pointer else { return Owner::Us };
    let external = match entry.pointer(pointer) {
        Some(Value::String(text)) if !text.trim().is_empty() => text.trim().to_owned(),
        Some(Value::Number(number)) if number.is_u64() => number.to_string(),
        // A number beyond 64 bits has lost digits: whose it is can't be told.
        _ => return Owner::Unnamed,
    };
    let is_ours = external == names.id.as_str() || OrderId::of(&external) == *names.id;
    if is_ours { Owner::Us } else { Owner::Others }
}
