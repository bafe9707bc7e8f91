//! The ledger in one SQLite file: WAL, `synchronous=FULL`, one writer, and a hold on the file itself.

mod audit;
mod backup;
mod carts;
mod census;
mod file_record;
mod header;
mod held_file;
mod last_write;
mod location;
mod lock_note;
mod note;
mod open_in_memory;
mod orders;
mod outbox;
mod packed;
mod probe;
mod readiness;
mod restore;
mod schema;
mod session;
mod start;
mod unpacking;
mod watched_files;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::Connection;

use super::audit::{AuditFilter, AuditPage, AuditTrail};
use super::group_commit::GroupCommit;
use super::open_orders::Census;
use super::outbox::{Channel, Incident, Outbox, OutboxWrite, OutboxWritten, Pending, Recipients};
use super::shared_answer::SharedAnswer;
use super::statistics::LedgerStatistics;
use super::{Claimed, Filter, Ledger, LedgerError, Sharing, Stored};
use crate::order::{Admission, Candidate, Order, OrderId, Terms};
use held_file::AwaitedEnd;
use location::named;
use open_in_memory::OpenInMemory;
use orders::{DUE, DUE_AFTER, NEXT_DUE, find, list, open_orders};
use readiness::{LastResult, PROBE_BUSY, Readiness};
use restore::Restoring;
use schema::{LedgerConnection, connect};
use start::{Start, start};
use watched_files::WatchedFiles;
use writer::Writer;

pub use backup::{Backup, back_up};
pub use carts::CartReader;
pub use probe::probe;
pub use restore::{CLOCK_TOLERANCE, Restore, whole_milliseconds};
pub use unpacking::{Unpacked, unpack_ledger};

/// A ledger file, open for one process.
#[derive(Debug, Clone)]
pub struct SqliteLedger {
    ledger: Arc<OpenLedger>,
}

/// The parts of an open ledger. They are dropped in this order: the writer's connection is the last one, which moves the log
/// into the file. Of two that close at the same moment, neither does.
#[derive(Debug)]
struct OpenLedger {
    reader: Arc<Mutex<LedgerConnection>>,
    readiness: Arc<Readiness>,
    /// A look at the files is cheap, so no answer outlives its question; but a disk that hangs is asked once.
    readiness_answer: SharedAnswer,
    writer: GroupCommit,
    statistics: Arc<LedgerStatistics>,
    restore: Option<Restore>,
    _end: AwaitedEnd,
}

impl SqliteLedger {
    /// Opens or creates the file and its folder, brings its schema up to date, and starts the writer.
    ///
    /// # Errors
    /// If the file can't be used, is in use by another process, lacks changes that were made, or was written by a newer
    /// version.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        Self::open_restored(path, None)
    }

    /// The same, where `ledger.restored_at` may say that changes are missing, and that this is known.
    ///
    /// # Errors
    /// As [`SqliteLedger::open`].
    pub fn open_restored(path: &Path, restored_at: Option<Timestamp>) -> Result<Self, LedgerError> {
        Self::open_at(path, restored_at, restored_at.unwrap_or_default(), Recipients::default())
    }

    /// The same, where the time of the start is noted if it takes a restore, and others hear of changes.
    ///
    /// # Errors
    /// As [`SqliteLedger::open`].
    pub fn open_at(
        path: &Path,
        restored_at: Option<Timestamp>,
        now: Timestamp,
        recipients: Recipients,
    ) -> Result<Self, LedgerError> {
        let restoring = Restoring { setting: restored_at.map(whole_milliseconds), now };
        Self::try_open(path, &restoring, recipients).map_err(|error| named(path, error))
    }

    /// The time after which the ledger may lack changes: when the backup was made that it was restored from, or what
    /// `ledger.restored_at` was when it was taken. `None` if it has everything.
    pub fn restored_from(&self) -> Option<Timestamp> {
        self.ledger.restore.map(|restore| restore.from)
    }

    /// The restore that it comes from, if it does.
    pub fn restore(&self) -> Option<Restore> {
        self.ledger.restore
    }

    fn try_open(configured: &Path, restoring: &Restoring, recipients: Recipients) -> Result<Self, LedgerError> {
        // Dropped from the last to the first, if something fails: the end has to be that.
        let Start { end, file, path, restore, note, connection } = start(configured, restoring)?;
        let (reader, probe) = (connect(&path)?, connect(&path)?);
        reader.pragma_update(None, "query_only", true)?;
        probe.busy_timeout(PROBE_BUSY)?;
        let files = Arc::new(WatchedFiles::record(configured, &path)?);
        let own = |connection| LedgerConnection::new(connection, Arc::clone(&files), Arc::clone(&file));
        let last_result = Arc::new(LastResult::default());
        let statistics = Arc::new(LedgerStatistics::default());
        // At the start, so that from then on every change can be counted.
        statistics.open_orders.replace(census::count(&connection, Timestamp::MIN)?);
        let writer = Writer {
            link: own(connection),
            note,
            last_result: Arc::clone(&last_result),
            statistics: Arc::clone(&statistics),
            recipients,
            open: OpenInMemory::default(),
        };
        let ledger = OpenLedger {
            writer: GroupCommit::start(writer, Arc::clone(&statistics))?,
            statistics,
            reader: Arc::new(Mutex::new(own(reader))),
            readiness: Arc::new(Readiness::new(own(probe), Arc::clone(&file), last_result)),
            readiness_answer: SharedAnswer::new(Duration::ZERO),
            restore,
            _end: end,
        };
        Ok(Self { ledger: Arc::new(ledger) })
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let reader = Arc::clone(&self.ledger.reader);
        blocking(move || {
            let link = reader.lock().unwrap_or_else(PoisonError::into_inner);
            link.files.check_if_stale()?;
            query(&link.connection)
        })
        .await
    }
}

/// Checks whether the path can be that of a ledger, without opening it; errors name the setting and the path.
///
/// # Errors
/// Why a service could not use it.
pub fn check_location(path: &Path) -> Result<(), LedgerError> {
    start::check_location(path).map_err(|error| named(path, error))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LedgerError> + Send + 'static,
) -> Result<T, LedgerError> {
    tokio::task::spawn_blocking(work).await.map_err(LedgerError::unavailable)?
}

#[async_trait]
impl Ledger for SqliteLedger {
    fn sharing(&self) -> Sharing {
        Sharing::Exclusive
    }

    async fn admit(&self, candidate: Candidate, terms: Terms) -> Result<Admission, LedgerError> {
        self.ledger.writer.admit(candidate, terms).await
    }

    async fn store(&self, order: Order) -> Result<Stored, LedgerError> {
        self.ledger.writer.store(order).await
    }

    async fn find(&self, id: &OrderId) -> Result<Option<Order>, LedgerError> {
        let id = id.clone();
        self.read(move |connection| find(connection, &id)).await
    }

    async fn list(&self, filter: Filter) -> Result<Vec<Order>, LedgerError> {
        self.read(move |connection| list(connection, &filter)).await
    }

    async fn release(&self) -> Result<(), LedgerError> {
        Ok(())
    }

    async fn check(&self) -> Result<(), LedgerError> {
        self.ledger.writer.check()?;
        let readiness = Arc::clone(&self.ledger.readiness);
        self.ledger.readiness_answer.get(|_| false, move || blocking(move || readiness.check())).await
    }

    async fn claim(&self, now: Timestamp, limit: usize) -> Result<Vec<Claimed>, LedgerError> {
        self.read(move |connection| open_orders(connection, DUE, now, limit)).await
    }

    async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, LedgerError> {
        self.read(move |connection| {
            let at: Option<i64> =
                connection.prepare_cached(NEXT_DUE)?.query_row([now.as_millisecond()], |row| row.get(0))?;
            Ok(at.and_then(|at| Timestamp::from_millisecond(at).ok()))
        })
        .await
    }

    async fn due_after(&self, time: Timestamp, limit: usize) -> Result<Vec<Claimed>, LedgerError> {
        self.read(move |connection| open_orders(connection, DUE_AFTER, time, limit)).await
    }

    async fn census(&self, overdue_since: Timestamp) -> Result<Census, LedgerError> {
        self.read(move |connection| census::count(connection, overdue_since)).await
    }

    fn statistics(&self) -> Arc<LedgerStatistics> {
        Arc::clone(&self.ledger.statistics)
    }

    async fn purge(&self, now: Timestamp, retention: Duration) -> Result<usize, LedgerError> {
        self.ledger.writer.purge(now, retention).await
    }
}

#[async_trait]
impl Outbox for SqliteLedger {
    async fn write(&self, write: OutboxWrite) -> Result<OutboxWritten, LedgerError> {
        self.ledger.writer.outbox(write).await
    }

    async fn next(&self, channel: Channel, now: Timestamp) -> Result<Option<Pending>, LedgerError> {
        self.read(move |connection| outbox::next(connection, channel, now)).await
    }

    async fn incidents(&self) -> Result<Vec<Incident>, LedgerError> {
        self.read(outbox::incidents).await
    }

    async fn pending(&self) -> Result<Vec<(String, u64)>, LedgerError> {
        self.read(outbox::pending).await
    }
}

#[async_trait]
impl AuditTrail for SqliteLedger {
    async fn audit(&self, filter: AuditFilter) -> Result<AuditPage, LedgerError> {
        self.read(move |connection| audit::list(connection, &filter)).await
    }
}

#[cfg(test)]
mod tests;
