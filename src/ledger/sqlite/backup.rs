//! A whole copy of a ledger's file, made while a service uses it.
//!
//! The copy is one read transaction of SQLite's, so it is the ledger as of one moment. It takes no lock that a service
//! waits for, and gives none up that another process holds.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, params};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::file_record::FileRecord;
use super::header::start_of;
use super::location::{beside, folder_of, inspect, resolve};
use super::lock_note::read_note;
use super::probe::holder;
use super::restore::whole_milliseconds;
use super::schema::{keep_log, migrate, open};
use super::session::{Evidence, Log};
use crate::ledger::LedgerError;

/// A copy that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backup {
    /// The orders in it.
    pub orders: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// The time up to which it has every change; the copy says it too.
    pub copied_at: Timestamp,
}

/// A file that is removed again, unless it gets its name.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        for ending in ["", "-journal"] {
            let _ = fs::remove_file(beside(&self.0, ending));
        }
    }
}

/// Copies the ledger in `source` to a new file. `now` is the time before the copy begins; of it, whole milliseconds count.
///
/// # Errors
/// If there is no ledger, or it lacks changes; if the new name is in use, or the copy is not whole. Then no file is left.
pub fn back_up(source: &Path, destination: &Path, now: Timestamp) -> Result<Backup, LedgerError> {
    let named = |path: &Path, label: &str, error: LedgerError| match error {
        LedgerError::Unavailable(detail) => LedgerError::unavailable(format!("{label}{}: {detail}", path.display())),
        other => other,
    };
    let (from, mode) = open_source(source).map_err(|error| named(source, "ledger.url: ", error))?;
    let now = whole_milliseconds(now);
    copy(&from, destination, mode, now).map_err(|error| named(destination, "", error))
}

/// A connection to the ledger, and the permissions of its file.
fn open_source(source: &Path) -> Result<(Connection, u32), LedgerError> {
    let path = resolve(source)?;
    let Some(metadata) = inspect(&path)?.filter(|metadata| metadata.len() > 0) else {
        return Err(LedgerError::unavailable("there is no ledger; expected its file"));
    };
    let log = Log::find(&path)?;
    // A service that uses the file may be making it longer.
    if holder(metadata.ino()).is_none() {
        let (start, length) = File::open(&path).and_then(|file| start_of(&file)).map_err(LedgerError::unavailable)?;
        log.expect_whole(&path, &start, length)?;
    }
    // Read before the copy begins, so that the copy has it.
    let last_write = read_note(&beside(&path, ".lock"))?;
    let connection = open(&path)?;
    keep_log(&connection)?;
    let evidence = Evidence { record: FileRecord::read(&connection)?, last_write, log };
    match evidence.loss(&connection)? {
        Some(loss) => Err(LedgerError::unavailable(loss)),
        None => Ok((connection, metadata.mode())),
    }
}

fn copy(from: &Connection, destination: &Path, mode: u32, now: Timestamp) -> Result<Backup, LedgerError> {
    let failed = LedgerError::unavailable;
    if fs::symlink_metadata(destination).is_ok() {
        return Err(LedgerError::unavailable("it exists already; expected a new name"));
    }
    let folder = folder_of(destination);
    // Of its own name, so that what a backup left that was killed is in nobody's way.
    let unfinished = Unfinished(folder.join(format!(".{}.unfinished", uuid::Uuid::new_v4())));
    // Who may not read the ledger may not read the copy.
    OpenOptions::new().write(true).create_new(true).mode(mode).open(&unfinished.0).map_err(failed)?;
    let text = unfinished.0.to_str().ok_or_else(|| LedgerError::unavailable("expected a name in UTF-8"))?;
    from.execute("VACUUM INTO ?1", params![text])?;
    let orders = finish(&unfinished.0, now)?;
    let file = File::open(&unfinished.0).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    rename(&unfinished.0, destination).map_err(failed)?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    Ok(Backup { orders, bytes, copied_at: now })
}

/// Makes the copy say that it is one, and checks it whole; returns the number of its orders.
fn finish(path: &Path, now: Timestamp) -> Result<u64, LedgerError> {
    let mut copy = open(path)?;
    migrate(&mut copy)?;
    copy.execute("UPDATE ledger_file SET state = 'backup', copied_at = ?1", params![now.as_millisecond()])?;
    let found: String = copy.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if found != "ok" {
        return Err(LedgerError::unavailable(format!("the copy is not whole: {found}")));
    }
    let orders: i64 = copy.query_row("SELECT count(*) FROM orders", [], |row| row.get(0))?;
    copy.close().map_err(|(_, error)| error)?;
    Ok(u64::try_from(orders).unwrap_or(0))
}

/// Renames, and replaces nothing.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Some file systems can't do it in one step.
        Err(Errno::INVAL | Errno::NOSYS) if fs::symlink_metadata(to).is_err() => fs::rename(from, to),
        result => Ok(result?),
    }
}
