//! The start of a ledger, up to the point from which on it is written: found, held, looked through for losses, brought up
//! to date.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;

use super::file_record::FileRecord;
use super::held_file::{AwaitedEnd, HeldFile};
use super::last_write::LastWrite;
use super::location::{beside, folder_of, resolve};
use super::lock_note::read_note;
use super::note::Note;
use super::restore::{Restore, Restoring, begin};
use super::schema::{keep_log, migrate, move_log, open, use_log};
use super::session::{Evidence, Log};
use crate::ledger::LedgerError;

/// A ledger that can be written. The fields are dropped in this order.
#[derive(Debug)]
pub struct Start {
    /// The first connection.
    pub connection: Connection,
    /// The note of the last write.
    pub note: Note,
    /// The restore that the file comes from, after whose time the ledger may lack changes.
    pub restore: Option<Restore>,
    /// The path without links.
    pub path: PathBuf,
    /// The hold on the file.
    pub file: Arc<HeldFile>,
    /// Waits for the end of the hold.
    pub end: AwaitedEnd,
}

/// A file that this process holds, and that lacks no changes. The fields are dropped in this order.
#[derive(Debug)]
pub struct Held {
    /// The first connection.
    pub connection: Connection,
    /// What was known before the file was written.
    pub evidence: Evidence,
    /// The hold on the file.
    pub file: Arc<HeldFile>,
    /// Waits for the end of the hold.
    pub end: AwaitedEnd,
}

/// Holds the file at a resolved path, in the schema that it has. `ledger.restored_at` may accept that changes are lost.
///
/// # Errors
/// If the file can't be used, is in use by another process, lacks changes, or was written by a newer version. It stays as
/// it is then.
pub fn hold(configured: &Path, path: &Path, restoring: &Restoring) -> Result<Held, LedgerError> {
    let log = Log::find(path)?;
    let (end, file) = HeldFile::lock(path, configured)?;
    let (start, length) = file.start().map_err(LedgerError::unavailable)?;
    log.expect_to_fit(&start)?;
    log.expect_whole(path, &start, length)?;
    let file = Arc::new(file);
    let connection = open(path)?;
    keep_log(&connection)?;
    let evidence = Evidence { record: FileRecord::read(&connection)?, last_write: LastWrite::read(&file.note()), log };
    evidence.expect_no_loss(&connection, restoring)?;
    use_log(&connection)?;
    Ok(Held { connection, evidence, file, end })
}

/// Starts a ledger, and brings its schema up to date.
///
/// # Errors
/// As [`hold`].
pub fn start(configured: &Path, restoring: &Restoring) -> Result<Start, LedgerError> {
    let folder = folder_of(configured);
    fs::create_dir_all(folder).map_err(|error| LedgerError::unavailable(format!("{}: {error}", folder.display())))?;
    let path = resolve(configured)?;
    let Held { end, file, evidence, mut connection } = hold(configured, &path, restoring)?;
    migrate(&mut connection)?;
    let noted = match evidence.last_write {
        Some(write) if write.is_in(&connection)? => write,
        _ => {
            // Of a ledger that was lost: a start that is killed after this must not take it for a new loss.
            file.empty_note()?;
            LastWrite::newest(&connection)?
        }
    };
    let restore = begin(&connection, restoring)?;
    move_log(&connection)?;
    let note = Note::new(Arc::clone(&file), noted);
    Ok(Start { connection, note, restore, path, file, end })
}

/// Looks at the place of a ledger without opening it: what is there can be one, or nothing is there yet.
///
/// # Errors
/// Why a service could not use it.
pub fn check_location(path: &Path) -> Result<(), LedgerError> {
    // The folder is made at the start.
    if !folder_of(path).exists() {
        return Ok(());
    }
    let path = resolve(path)?;
    Log::find(&path)?;
    read_note(&beside(&path, ".lock")).map(drop)
}
