//! The write-ahead log as a start finds it, before SQLite opens the file and makes a new one.

use std::fs;
use std::path::Path;

use super::held_file::HeldFile;
use super::location::{beside, inspect};
use crate::ledger::LedgerError;

/// The beginning of a database (SQLite's file format, §1.3), up to the version that says whether it has such a log.
const HEADER: usize = 19;
const MAGIC: &[u8] = b"SQLite format 3\0";

/// The header's write version of a file with such a log.
const WITH_LOG: u8 = 2;

/// Whether there are changes that are not in the file itself.
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
    /// If there is a log without its file: its changes are nowhere else.
    pub fn find(path: &Path) -> Result<Self, LedgerError> {
        let length = inspect(path)?.map_or(0, |metadata| metadata.len());
        let log = fs::metadata(beside(path, "-wal")).map_or(0, |metadata| metadata.len());
        if length == 0 && log > 0 {
            return Err(unavailable(
                "the file is missing or empty, but its write-ahead log, FILE-wal, is there; expected both, or none",
            ));
        }
        Ok(if log == 0 { Self::Missing } else { Self::Present })
    }

    /// Checks that the file is a database, and that the log belongs to it. A backup that was put back must not meet the
    /// log of the file before it: SQLite would mix them.
    ///
    /// # Errors
    /// If not.
    pub fn expect_to_fit(self, file: &HeldFile) -> Result<(), LedgerError> {
        let failed = |error: std::io::Error| unavailable(&error.to_string());
        if file.length().map_err(failed)? == 0 {
            return Ok(());
        }
        match file.header::<HEADER>().map_err(failed)? {
            Some(header) if header.starts_with(MAGIC) => {
                let has_none = header.last().is_some_and(|version| *version < WITH_LOG);
                if has_none && self == Self::Present {
                    return Err(unavailable(
                        "FILE-wal is the write-ahead log of another file than this one; move FILE-wal and FILE-shm away, \
                         and start again",
                    ));
                }
                Ok(())
            }
            _ => Err(unavailable("it is not a database of SQLite")),
        }
    }
}

fn unavailable(detail: &str) -> LedgerError {
    LedgerError::Unavailable(detail.to_owned())
}
