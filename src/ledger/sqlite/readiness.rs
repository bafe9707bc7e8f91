//! Whether the ledger can be written, now and without an order.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::held_file::HeldFile;
use super::schema::LedgerConnection;
use crate::ledger::LedgerError;

/// Age at which a good write is no proof any more: probes come about once a second, and each proof costs an fsync.
const PROOF_AGE: Duration = Duration::from_secs(5);

/// Wait for the writer to finish its transaction; a kubelet waits for two seconds in all.
pub const PROBE_BUSY: Duration = Duration::from_secs(1);

/// The result of the last write, by whomever.
#[derive(Debug, Default)]
pub struct LastResult(Mutex<Option<Instant>>);

impl LastResult {
    /// A write is on disk.
    pub fn written(&self) {
        *self.lock() = Some(Instant::now());
    }

    /// A write failed: only a good one is proof of the contrary.
    pub fn failed(&self) {
        *self.lock() = None;
    }

    fn is_proof(&self) -> bool {
        self.lock().is_some_and(|written| written.elapsed() < PROOF_AGE)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Proves that the ledger can be written.
#[derive(Debug)]
pub struct Readiness {
    connection: Mutex<LedgerConnection>,
    file: Arc<HeldFile>,
    last: Arc<LastResult>,
}

impl Readiness {
    /// With a connection of its own, so that a probe does not wait for the orders in front of the writer.
    pub const fn new(connection: LedgerConnection, file: Arc<HeldFile>, last: Arc<LastResult>) -> Self {
        Self { connection: Mutex::new(connection), file, last }
    }

    /// Checks that the files are in their place, that the disk has room, and that a write goes well; one that went well
    /// some seconds ago is enough. Blocks.
    ///
    /// # Errors
    /// If one of these fails.
    pub fn check(&self) -> Result<(), LedgerError> {
        // One after the other: who waited here finds the proof of who came first.
        let link = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        link.files.check()?;
        self.file.check_room()?;
        if self.last.is_proof() {
            return Ok(());
        }
        let written = link.connection.execute("UPDATE ledger_file SET checks = checks + 1", []);
        if written.is_ok() {
            self.last.written();
        }
        Ok(written.map(drop)?)
    }
}
