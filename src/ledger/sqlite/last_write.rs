//! The last order that was written, noted outside of the database: a ledger that does not have it has lost changes.
//!
//! The note is in `FILE.lock`. It is written after each commit without a wait for the disk, so it is never ahead of the
//! ledger: after a crash of the machine it may name an earlier write, which the ledger has as well. The write-ahead log is
//! read up to its first gap, so a ledger that has the last write has all that came before.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use crate::order::Order;

/// Length of `FILE.lock`: a sector, which a disk writes whole or not at all.
pub const NOTE_LENGTH: usize = 512;

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

    /// The text of a note.
    pub fn line(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }
}
