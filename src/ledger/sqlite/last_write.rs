//! The last order that was written, noted outside of the database: a ledger that does not have it has lost changes.
//!
//! The note is in `FILE.lock`. It is written after each commit without a wait for the disk, so it is never ahead of the
//! ledger: after a crash of the machine it may name an earlier write, which the ledger has as well. The write-ahead log is
//! read up to its first gap, so a ledger that has the last write has all that came before.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::held_file::{HeldFile, NOTE_LENGTH};
use crate::ledger::LedgerError;
use crate::order::Order;

/// A revision of an order that is in the ledger; none is 0, which says that the ledger has no order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastWrite {
    /// The order's id.
    pub order: String,
    /// At least this revision of it.
    pub revision: u64,
}

impl LastWrite {
    /// A change that was written.
    pub fn of(order: &Order) -> Self {
        Self { order: order.id.to_string(), revision: order.revision }
    }

    /// Reads a note. A file of an earlier version is empty, and one that a crash of the machine left may hold anything.
    pub fn read(note: &[u8]) -> Option<Self> {
        let line = note.split(|byte| *byte == b'\n').next()?;
        serde_json::from_slice(line).ok()
    }

    /// Whether it is of an order.
    pub const fn is_of_order(&self) -> bool {
        self.revision > 0
    }

    /// Whether a ledger has the order, at that revision or a later one.
    ///
    /// # Errors
    /// If the ledger can't be read.
    pub fn is_in(&self, connection: &Connection) -> rusqlite::Result<bool> {
        let query = "SELECT revision FROM orders WHERE id = ?1";
        let revision: Option<i64> = connection.query_row(query, params![self.order], |row| row.get(0)).optional()?;
        Ok(revision.is_some_and(|revision| u64::try_from(revision).is_ok_and(|revision| revision >= self.revision)))
    }

    /// The newest order of a ledger, for as long as none was written.
    ///
    /// # Errors
    /// If the ledger can't be read.
    pub fn newest(connection: &Connection) -> rusqlite::Result<Self> {
        let query = "SELECT id, revision FROM orders ORDER BY rowid DESC LIMIT 1";
        let newest = connection.query_row(query, [], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)));
        let write = |(order, revision)| Some(Self { order, revision: u64::try_from(revision).ok()? });
        Ok(newest.optional()?.and_then(write).unwrap_or(Self { order: String::new(), revision: 0 }))
    }

    fn line(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

/// The note of an open ledger.
#[derive(Debug)]
pub struct Note {
    file: Arc<HeldFile>,
    current: LastWrite,
}

impl Note {
    /// Begins with a write that the ledger has.
    pub fn new(file: Arc<HeldFile>, current: LastWrite) -> Self {
        // If it can't be written, the note before remains, and asks for less.
        let _ = file.write_note(&current.line());
        Self { file, current }
    }

    /// Notes a write that is on disk.
    pub fn set(&mut self, write: LastWrite) {
        let line = write.line();
        // One that is too long leaves the note before too; but not one that says that there is no order.
        let line = if line.len() > NOTE_LENGTH && !self.current.is_of_order() { Vec::new() } else { line };
        let _ = self.file.write_note(&line);
        self.current = write;
    }

    /// Takes the note back, on disk, before orders are removed: the one that it names may be among them. Returns what it was.
    ///
    /// # Errors
    /// If the disk does not take it.
    pub fn withdraw(&self) -> Result<&LastWrite, LedgerError> {
        self.file.empty_note()?;
        Ok(&self.current)
    }
}
