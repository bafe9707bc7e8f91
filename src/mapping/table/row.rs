//! One row of a table, and its key for messages.

use crate::message::quoted;

/// The last key of a row for any other key.
pub const ANY_OTHER: &str = "*";

/// One row of a table.
#[derive(Debug)]
pub struct TableRow {
    /// Its line in the file.
    pub line: u64,
    /// The parts of its key.
    pub key: Vec<String>,
    /// Its value.
    pub value: String,
}

impl TableRow {
    /// Whether its last key stands for any other.
    pub fn is_any_other(&self) -> bool {
        self.key.last().is_some_and(|last| last == ANY_OTHER)
    }
}

/// A key for a message: `"DE" + "08"`.
pub fn quoted_key<S: AsRef<str>>(key: &[S]) -> String {
    key.iter().map(|part| quoted(part.as_ref())).collect::<Vec<_>>().join(" + ")
}
