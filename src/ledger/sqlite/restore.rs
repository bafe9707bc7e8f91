//! The restore that a file comes from: which one it is, and what a start takes for a new one.
//!
//! Times of different clocks say nothing about what came first. A file says itself that it is a backup that nobody has
//! opened yet, and which setting was taken last; a restore gets a time that no order of the file bears, so that every
//! order is asked for that was not asked for after this very restore.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, params};
use serde::Deserialize;

use super::file_record::{FileRecord, FileState};
use super::orders::kept_at;
use crate::clock::after;
use crate::ledger::LedgerError;

/// What clocks of two hosts may differ by before a time counts as one of the future.
pub const CLOCK_TOLERANCE: Duration = Duration::from_mins(5);

/// A time as the file notes it.
pub fn whole_milliseconds(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}

/// What a start knows of a restore before it opens the file.
#[derive(Debug, Clone, Copy)]
pub struct Restoring {
    /// `ledger.restored_at`, in whole milliseconds.
    pub setting: Option<Timestamp>,
    /// The time of the start.
    pub now: Timestamp,
}

impl Restoring {
    /// Whether the setting accepts that changes are lost. It does so once; one that was taken from the future would
    /// otherwise be the last for ever.
    pub fn accepts_loss(&self, record: Option<&FileRecord>) -> bool {
        let known = record.and_then(|record| record.restored_at);
        let is_of_future = known.is_some_and(|known| known > after(self.now, CLOCK_TOLERANCE));
        self.setting > known || (is_of_future && self.setting.is_some() && self.setting != known)
    }
}

/// The last restore of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restore {
    /// The time of the backup, or the setting: what orders bear that were asked for since.
    pub from: Timestamp,
    /// When a start took the file; `None` if an earlier version did.
    pub accepted_at: Option<Timestamp>,
}

/// Begins the use of a file that is up to date: it says so itself, and of which restore it is, before the first order is
/// written.
///
/// # Errors
/// If the file can't be read or written.
pub fn begin(connection: &Connection, restoring: &Restoring) -> Result<Option<Restore>, LedgerError> {
    let record = FileRecord::read(connection)?;
    let Some(FileRecord { state, copied_at, restored_at }) = record else { return Ok(None) };
    let setting = restoring.setting.filter(|setting| Some(*setting) != restored_at);
    let is_backup = state == FileState::Backup;
    let earliest = if is_backup { copied_at.into_iter().chain(setting).min().or(Some(restoring.now)) } else { setting };
    let restore = match earliest {
        Some(time) => Some(Restore { from: not_borne(connection, time)?, accepted_at: Some(restoring.now) }),
        None => known(connection, restored_at)?,
    };
    if state != FileState::Open || earliest.is_some() {
        connection.execute(
            "UPDATE ledger_file SET state = 'open', restored_at = coalesce(?1, restored_at), restored_from = ?2,
            accepted_at = ?3",
            params![
                setting.map(Timestamp::as_millisecond),
                restore.map(|restore| restore.from.as_millisecond()),
                restore.and_then(|restore| restore.accepted_at).map(Timestamp::as_millisecond)
            ],
        )?;
    }
    // Out of the write-ahead log, into the file.
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
    Ok(restore)
}

/// The restore that an earlier start took.
fn known(connection: &Connection, restored_at: Option<Timestamp>) -> Result<Option<Restore>, LedgerError> {
    let query = "SELECT restored_from, accepted_at FROM ledger_file";
    let (from, accepted_at): (Option<i64>, Option<i64>) =
        connection.query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let time = |milliseconds: Option<i64>| milliseconds.and_then(|at| Timestamp::from_millisecond(at).ok());
    let from = time(from).or(restored_at);
    Ok(from.map(|from| Restore { from, accepted_at: time(accepted_at) }))
}

/// The restore that a record bears, if it bears one: hardly any does.
fn restored_from(record: &str) -> Option<Timestamp> {
    #[derive(Deserialize)]
    struct Mark {
        restored_from: Option<Timestamp>,
    }
    let may_have_it = record.contains("\"restored_from\"");
    may_have_it.then(|| serde_json::from_str::<Mark>(record).ok()?.restored_from).flatten()
}

/// That time, or the next millisecond that no order bears: backups of one moment, or the setting of a backup's time, are
/// restores of their own.
fn not_borne(connection: &Connection, time: Timestamp) -> Result<Timestamp, LedgerError> {
    let mut query = connection.prepare("SELECT record, packed FROM orders")?;
    let mut rows = query.query([])?;
    let mut borne = BTreeSet::new();
    while let Some(row) = rows.next()? {
        let Some(Ok(record)) = kept_at(row, 0)? else { continue };
        borne.extend(restored_from(&record).map(Timestamp::as_millisecond));
    }
    let mut free = time.as_millisecond();
    while borne.contains(&free) {
        free += 1;
    }
    Ok(Timestamp::from_millisecond(free).unwrap_or(time))
}
