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
mod orders;
mod outbox;
mod probe;
mod readiness;
mod restore;
mod schema;
mod session;
mod start;
mod watched_files;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior, params};

use super::audit::{AuditFilter, AuditRecord, AuditTrail};
use super::group_commit::{Backend, GroupCommit, Write, Written};
use super::open_orders::Census;
use super::outbox::{Channel, Incident, Outbox, OutboxWrite, OutboxWritten, Pending, Recipients};
use super::shared_answer::SharedAnswer;
use super::statistics::LedgerStatistics;
use super::working_set::{Applied, Change, Known, WorkingSet};
use super::{Claimed, Filter, Ledger, LedgerError, Sharing, Stored, indexed_cart_number};
use crate::order::{Admission, Candidate, Order, OrderId};
use carts::write_carts;
use held_file::AwaitedEnd;
use last_write::LastWrite;
use location::named;
use note::Note;
use orders::{DUE, DUE_AFTER, find, list, open_orders, purge};
use readiness::{LastResult, PROBE_BUSY, Readiness};
use restore::Restoring;
use schema::{LedgerConnection, connect};
use start::{Start, start};
use watched_files::WatchedFiles;

pub use backup::{Backup, back_up};
pub use carts::CartReader;
pub use probe::probe;
pub use restore::{CLOCK_TOLERANCE, Restore, whole_milliseconds};

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

    async fn admit(&self, candidate: Candidate, now: Timestamp, grace: Duration) -> Result<Admission, LedgerError> {
        self.ledger.writer.admit(candidate, now, grace).await
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
        let query = "SELECT min(next_attempt_at) FROM orders WHERE state = 'retrying' AND next_attempt_at > ?1";
        self.read(move |connection| {
            let at: Option<i64> =
                connection.prepare_cached(query)?.query_row([now.as_millisecond()], |row| row.get(0))?;
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
    async fn audit(&self, filter: AuditFilter) -> Result<Vec<AuditRecord>, LedgerError> {
        self.read(move |connection| audit::list(connection, &filter)).await
    }
}

/// The writer. Its fields are dropped in this order, after the clean end.
struct Writer {
    link: LedgerConnection,
    note: Note,
    last_result: Arc<LastResult>,
    recipients: Recipients,
    statistics: Arc<LedgerStatistics>,
}

impl Backend for Writer {
    fn commit(&mut self, group: &[Write]) -> Result<Vec<Result<Written, LedgerError>>, LedgerError> {
        let committed = self.commit_in_place(group);
        if matches!(committed, Err(LedgerError::Unavailable(_))) {
            self.last_result.failed();
        }
        committed
    }
}

impl Writer {
    fn commit_in_place(&mut self, group: &[Write]) -> Result<Vec<Result<Written, LedgerError>>, LedgerError> {
        let counted = self.statistics.open_orders.begin_commit();
        // Dropping the transaction on an error rolls it back: all or nothing.
        let transaction = self.link.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut orders = WorkingSet::new(known(&transaction, &WorkingSet::ids(group))?);
        let applied: Vec<_> = group.iter().map(|write| orders.apply(write)).collect();
        let mut last_write = None;
        for change in orders.changes() {
            last_write = Some(LastWrite::of(write_back(&transaction, &change)?));
        }
        write_carts(&transaction, &orders)?;
        audit::insert(&transaction, orders.audited())?;
        let messages = self.recipients.messages(orders.events());
        outbox::insert(&transaction, &messages)?;
        let mut removed = 0;
        let mut written = Vec::with_capacity(group.len());
        for applied in applied {
            written.push(match applied {
                Applied::ToAnOrder(result) => result,
                // After the changes, so that an order that the group restarts is not removed.
                Applied::ToAll(before) => {
                    let count = purge(&transaction, before)?;
                    audit::purge(&transaction, before)?;
                    removed += count;
                    Ok(Written::Purged(count))
                }
                Applied::ToOutbox(write) => Ok(Written::Outbox(outbox::write(&transaction, write)?)),
            });
        }
        if removed > 0 {
            // Before the note is taken back, which the failure of a commit leaves so.
            self.link.files.check()?;
            let noted = self.note.withdraw()?.clone();
            let mut remaining =
                last_write.into_iter().chain([noted]).filter(|write| write.is_in(&transaction) == Ok(true));
            last_write = Some(remaining.next().map_or_else(|| LastWrite::newest(&transaction), Ok)?);
        }
        // At the last moment: what is written into a file that was taken away is gone after a restart.
        self.link.files.check()?;
        transaction.commit()?;
        counted.is_done(orders.census_changes());
        if let Some(last_write) = last_write {
            self.last_result.written();
            self.note.set(last_write);
        }
        if !messages.is_empty() || group.iter().any(Write::has_messages) {
            self.recipients.ring();
        }
        Ok(written)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Without a clean end, the next start finds the log.
        if self.link.files.check().is_ok() {
            let _ = session::end(&self.link.connection);
        }
    }
}

/// Reads the orders. This process holds the file alone, so it wrote them, now or before its last restart.
fn known(connection: &Connection, ids: &[OrderId]) -> Result<BTreeMap<OrderId, Known>, LedgerError> {
    let mut known = BTreeMap::new();
    for id in ids {
        match find(connection, id) {
            Ok(None) => {}
            Ok(Some(order)) => drop(known.insert(id.clone(), Known { order: Ok(order), written_by_us: true })),
            Err(error @ LedgerError::Unreadable { .. }) => {
                known.insert(id.clone(), Known { order: Err(error), written_by_us: true });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(known)
}

/// Writes an order, and returns it.
fn write_back<'a>(connection: &Connection, change: &Change<'a>) -> Result<&'a Order, LedgerError> {
    let (order, query) = match change {
        Change::New(order) => (
            order,
            "INSERT INTO orders (id, cart_number, state, received_at, settled_at, next_attempt_at, record, revision)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        ),
        Change::Newer(order) => (
            order,
            "UPDATE orders SET cart_number = ?2, state = ?3, received_at = ?4, settled_at = ?5, next_attempt_at = ?6,
            record = ?7, revision = ?8 WHERE id = ?1",
        ),
    };
    let record = serde_json::to_string(order).map_err(|error| LedgerError::Unwritable(error.to_string()))?;
    connection.prepare_cached(query)?.execute(params![
        order.id.as_str(),
        indexed_cart_number(&order.cart_number),
        order.state.name(),
        order.received_at.as_millisecond(),
        order.settled_at.map(Timestamp::as_millisecond),
        order.next_attempt_at.map(Timestamp::as_millisecond),
        record,
        i64::try_from(order.revision).unwrap_or(i64::MAX),
    ])?;
    Ok(order)
}

#[cfg(test)]
mod tests;
