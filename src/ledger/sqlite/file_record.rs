//! What a file says of itself: whether a service uses it, and what it was restored from.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};

use super::schema::{WITH_FILE_TABLE, version};
use crate::ledger::LedgerError;

/// What a file says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    /// A service uses it, or ended without a clean stop.
    Open,
    /// Everything is in it.
    Closed,
    /// It is a backup that no service has opened yet.
    Backup,
}

/// The row of `ledger_file`.
#[derive(Debug, Clone, Copy)]
pub struct FileRecord {
    /// What it says of its use.
    pub state: FileState,
    /// When the backup was made that became this file.
    pub copied_at: Option<Timestamp>,
    /// The setting that was taken last.
    pub restored_at: Option<Timestamp>,
}

impl FileRecord {
    /// Reads it; `None` in a file of an earlier version.
    ///
    /// # Errors
    /// If the file can't be read.
    pub fn read(connection: &Connection) -> Result<Option<Self>, LedgerError> {
        if version(connection)? < WITH_FILE_TABLE {
            return Ok(None);
        }
        let query = "SELECT state, copied_at, restored_at FROM ledger_file";
        let time = |milliseconds: Option<i64>| milliseconds.and_then(|at| Timestamp::from_millisecond(at).ok());
        let record = connection.query_row(query, [], |row| {
            let state = match row.get::<_, String>(0)?.as_str() {
                "open" => FileState::Open,
                "backup" => FileState::Backup,
                _ => FileState::Closed,
            };
            Ok(Self { state, copied_at: time(row.get(1)?), restored_at: time(row.get(2)?) })
        });
        Ok(record.optional()?)
    }
}
