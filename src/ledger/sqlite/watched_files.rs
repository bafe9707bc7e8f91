//! Whether the ledger's files are still where they were opened. SQLite goes on with files that were removed or renamed,
//! and whatever it writes then is gone after a restart.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::location::{Identity, beside};
use crate::ledger::LedgerError;

/// Age at which a look at the files is repeated before a read; there is one before every commit in any case.
const FRESH: Duration = Duration::from_millis(100);

/// The paths of an open ledger, and the files that were found there.
#[derive(Debug)]
pub struct WatchedFiles {
    files: Vec<(PathBuf, Identity)>,
    seen: Mutex<Option<Instant>>,
}

impl WatchedFiles {
    /// Remembers the files of an open ledger: the one that the settings name, and what SQLite has beside it.
    ///
    /// # Errors
    /// If one of them is not there.
    pub fn record(configured: &Path, resolved: &Path) -> Result<Self, LedgerError> {
        let paths = [configured.to_owned(), beside(resolved, "-wal"), beside(resolved, "-shm")];
        let identify = |path: PathBuf| {
            let metadata = fs::metadata(&path).map_err(|error| missing(&path, &error))?;
            Ok((path, Identity::of(&metadata)))
        };
        let files = paths.into_iter().map(identify).collect::<Result<_, LedgerError>>()?;
        Ok(Self { files, seen: Mutex::new(None) })
    }

    /// Looks at the files, unless that was done a moment ago.
    ///
    /// # Errors
    /// As [`WatchedFiles::check`].
    pub fn check_if_stale(&self) -> Result<(), LedgerError> {
        let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.is_some_and(|seen| seen.elapsed() < FRESH) { Ok(()) } else { self.check() }
    }

    /// Looks at the files.
    ///
    /// # Errors
    /// If one of them was removed, renamed or replaced, or its folder was, or something else is mounted there now.
    pub fn check(&self) -> Result<(), LedgerError> {
        let before = Instant::now();
        let found = self.files.iter().try_for_each(|(path, identity)| match fs::metadata(path) {
            Ok(metadata) if Identity::of(&metadata) == *identity => Ok(()),
            Ok(_) => Err(displaced(&format!("{} is another file than the one in use", path.display()))),
            Err(error) => Err(missing(path, &error)),
        });
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = found.is_ok().then_some(before);
        found
    }
}

fn missing(path: &Path, error: &io::Error) -> LedgerError {
    displaced(&match error.kind() {
        io::ErrorKind::NotFound => format!("{} was removed or renamed", path.display()),
        _ => format!("{}: {error}", path.display()),
    })
}

fn displaced(what: &str) -> LedgerError {
    LedgerError::unavailable(format!(
        "{what}; expected the very file back in its place, or a restart with the ledger that is right"
    ))
}
