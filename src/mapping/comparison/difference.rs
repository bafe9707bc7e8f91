//! What differs between the orders of two mappings, in a form that can be counted.

use serde_json::Value;

use crate::digest;
use crate::mapping::difference::{Difference, DifferenceKind, Pairing};

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
    let found = Pairing::Name.differences(old, new).into_iter();
    found.filter_map(|Difference { path, kind }| Some((path, Change::of(&kind)?))).collect()
}

impl Change {
    /// `None` for lengths, which are told by the entries that are added or removed.
    fn of(kind: &DifferenceKind<'_>) -> Option<Self> {
        Some(match kind {
            DifferenceKind::Values(old, new) => Self::Value { old: old.map(json_text), new: new.map(json_text) },
            DifferenceKind::EntryOfFirst => Self::EntryRemoved,
            DifferenceKind::EntryOfSecond => Self::EntryAdded,
            DifferenceKind::Lengths(..) => return None,
        })
    }
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
