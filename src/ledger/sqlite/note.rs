//! The note of the last write, kept in `FILE.lock` while a ledger is open.

use std::sync::Arc;

use super::held_file::HeldFile;
use super::last_write::{LastWrite, NOTE_LENGTH};
use crate::ledger::LedgerError;

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
