//! The time in which a service uses a file, from its start to its clean end, and what a start finds of the one before.
//!
//! A file says in itself, outside of its write-ahead log, that a service uses it. If that service ends without a clean
//! stop, the log has the last changes, and a file without its log has lost them.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use rusqlite::Connection;
use tracing::warn;

use super::file_record::{FileRecord, FileState};
use super::header::Header;
use super::last_write::LastWrite;
use super::location::{beside, inspect};
use super::restore::Restoring;
use super::schema::version;
use crate::ledger::LedgerError;

/// Whether there are changes that are not in the file itself: the write-ahead log, as a start finds it before SQLite opens the
/// file and makes a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Log {
    /// There is no log, or an empty one.
    Missing,
    /// It has changes.
    Present,
}

impl Log {
    /// Looks for the log of the file at a resolved path.
    ///
    /// # Errors
    /// If there is a log, or its index, without its file: the changes are nowhere else.
    pub fn find(path: &Path) -> Result<Self, LedgerError> {
        let length = inspect(path)?.map_or(0, |metadata| metadata.len());
        let log = fs::metadata(beside(path, "-wal")).map_or(0, |metadata| metadata.len());
        if length == 0 && log > 0 {
            return Err(LedgerError::unavailable(
                "the file is missing or empty, but its write-ahead log, FILE-wal, is there; expected both, or none",
            ));
        }
        if length == 0 && beside(path, "-shm").exists() {
            return Err(LedgerError::unavailable(
                "the file is missing or empty, but the index of its write-ahead log, FILE-shm, is there, as a service leaves \
                 it that was killed; expected FILE, FILE-wal and FILE-shm as they were, or none of them: move FILE-shm away \
                 to begin with an empty ledger",
            ));
        }
        Ok(if log == 0 { Self::Missing } else { Self::Present })
    }

    /// Checks by its first bytes that the file is a database, and that the log belongs to it. A backup that was put back must not meet the
    /// log of the file before it: SQLite would mix them.
    ///
    /// # Errors
    /// If not.
    pub fn expect_to_fit(self, start: &[u8]) -> Result<(), LedgerError> {
        if start.is_empty() {
            return Ok(());
        }
        let header = Header::read(start);
        let header = header.ok_or_else(|| LedgerError::unavailable("it is not a database of SQLite"))?;
        if self == Self::Present && !header.has_log() {
            return Err(LedgerError::unavailable(
                "FILE-wal is the write-ahead log of another file than this one; move FILE-wal and FILE-shm away, and \
                 start again",
            ));
        }
        Ok(())
    }

    /// Checks that the file at a resolved path is as long as its first bytes say. A log may have the pages that it lacks, and
    /// a journal its length before a change that was not completed.
    ///
    /// # Errors
    /// If it is shorter: SQLite would notice when it reads a page that is missing.
    pub fn expect_whole(self, path: &Path, start: &[u8], length: u64) -> Result<(), LedgerError> {
        let expected = Header::read(start).map_or(0, |header| header.whole_length());
        let has_journal = fs::metadata(beside(path, "-journal")).is_ok_and(|journal| journal.len() > 0);
        if length >= expected || self == Self::Present || has_journal {
            return Ok(());
        }
        Err(LedgerError::unavailable(format!(
            "the file is cut off: it has {length} of {expected} bytes; put it back whole, or from a backup"
        )))
    }
}

/// Signs of lost changes, gathered before the file is written.
#[derive(Debug)]
pub struct Evidence {
    /// What the file says; `None` in a file of an earlier version.
    pub record: Option<FileRecord>,
    /// The last write that was noted outside of the file.
    pub last_write: Option<LastWrite>,
    /// Whether there was no write-ahead log, or an empty one, before SQLite opened the file.
    pub log: Log,
}

impl Evidence {
    /// What is missing, if changes are lost. A backup says itself that it is older.
    ///
    /// # Errors
    /// If the file can't be read.
    pub fn loss(&self, connection: &Connection) -> Result<Option<String>, LedgerError> {
        let state = self.record.map(|record| record.state);
        if state == Some(FileState::Backup) {
            return Ok(None);
        }
        let is_empty = version(connection)? == 0;
        Ok(match &self.last_write {
            Some(write) if write.is_of_order() && (is_empty || !write.is_in(connection)?) => Some(format!(
                "it lacks changes that were made, the last of them revision {} of the order {} (FILE.lock says so)",
                write.revision, write.order
            )),
            // With the last write, nothing is lost: SQLite's own tools move the changes into the file and remove the log.
            None if state == Some(FileState::Open) && self.log == Log::Missing => Some(
                "a service used it and ended without a clean stop, and its write-ahead log, FILE-wal, is gone with the \
                 last changes"
                    .to_owned(),
            ),
            Some(_) | None => None,
        })
    }

    /// Checks that no changes are lost, or that `ledger.restored_at` accepts it. A setting does so only at the first start
    /// with it: the next loss is another one, and needs a later time.
    ///
    /// # Errors
    /// If changes are lost and it does not accept that, with what to do; if the file can't be read.
    pub fn expect_no_loss(&self, connection: &Connection, restoring: &Restoring) -> Result<(), LedgerError> {
        let Some(loss) = self.loss(connection)? else { return Ok(()) };
        if restoring.accepts_loss(self.record.as_ref()) {
            warn!(
                setting.name = "ledger.restored_at",
                error.message = loss,
                "changes of the ledger are lost, and the setting accepts it: 11VMS is asked first about every order"
            );
            return Ok(());
        }
        let newest = newest_change(connection)?
            .map_or_else(|| "it has no order".to_owned(), |at| format!("its newest change is of {at}"));
        let known = self.record.and_then(|record| record.restored_at);
        let later = known.map_or_else(String::new, |known| format!(", later than {known}, which is known already"));
        Err(LedgerError::unavailable(format!(
            "{loss}; {newest}. Expected the whole ledger: all of FILE, FILE-wal and FILE.lock as they were, or a backup. To \
             go on with what there is, set ledger.restored_at to the present time{later}: 11VMS is then asked about every \
             order before it is sent"
        )))
    }
}

/// The latest time at which an order was received or settled.
fn newest_change(connection: &Connection) -> Result<Option<Timestamp>, LedgerError> {
    if version(connection)? == 0 {
        return Ok(None);
    }
    let query =
        "SELECT max(at) FROM (SELECT max(received_at) AS at FROM orders UNION ALL SELECT max(settled_at) FROM orders)";
    let newest: Option<i64> = connection.query_row(query, [], |row| row.get(0))?;
    Ok(newest.and_then(|at| Timestamp::from_millisecond(at).ok()))
}

/// Ends it. The connection that is closed last moves everything into the file.
///
/// # Errors
/// If the file can't be written; the next start finds the log then.
pub fn end(connection: &Connection) -> Result<(), LedgerError> {
    connection.execute("UPDATE ledger_file SET state = 'closed'", [])?;
    Ok(())
}
