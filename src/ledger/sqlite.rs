//! The ledger in one SQLite file: WAL, `synchronous=FULL`, one writer.

mod probe;

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Row, ToSql, TransactionBehavior, params};

use super::group_commit::{Backend, GroupCommit, PURGE_PORTION, Write, Written};
use super::working_set::{Applied, Change, Known, WorkingSet};
use super::{Claimed, Filter, Ledger, LedgerError, Sharing, Stored, claimed, indexed_cart_number, left_out};
use crate::order::{Admission, Candidate, Order, OrderId};

pub use probe::probe;

/// Schema changes, oldest first; `user_version` counts the applied ones. A released one is never edited.
const MIGRATIONS: [&str; 1] = [include_str!("sqlite/0001_orders.sql")];

/// Statements that a connection caches: more than the handful below.
const STATEMENTS: usize = 16;

/// Wait for a lock that a backup tool holds on the file.
const BUSY: Duration = Duration::from_secs(5);

/// A ledger file, open for one process.
#[derive(Debug, Clone)]
pub struct SqliteLedger {
    writer: GroupCommit,
    reader: Arc<Mutex<Connection>>,
    /// Held while the ledger is open: two processes on one file would send orders twice.
    _lock: Arc<File>,
}

impl SqliteLedger {
    /// Opens or creates the file and its folder, brings its schema up to date, and starts the writer.
    ///
    /// # Errors
    /// If the file can't be used, is in use by another process, or was written by a newer version.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(|error| unavailable(format!("{}: {error}", folder.display())))?;
        }
        let lock = lock(path)?;
        let mut connection = connect(path)?;
        migrate(&mut connection).map_err(|error| unavailable(format!("{}: {error}", path.display())))?;
        let reader = connect(path)?;
        reader.pragma_update(None, "query_only", true)?;
        Ok(Self {
            writer: GroupCommit::start(Writer { connection })?,
            reader: Arc::new(Mutex::new(reader)),
            _lock: Arc::new(lock),
        })
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let reader = Arc::clone(&self.reader);
        let read = move || query(&reader.lock().unwrap_or_else(PoisonError::into_inner));
        tokio::task::spawn_blocking(read).await.map_err(|error| unavailable(error.to_string()))?
    }
}

#[async_trait]
impl Ledger for SqliteLedger {
    fn sharing(&self) -> Sharing {
        Sharing::Exclusive
    }

    async fn admit(&self, candidate: Candidate, now: Timestamp, grace: Duration) -> Result<Admission, LedgerError> {
        self.writer.admit(candidate, now, grace).await
    }

    async fn store(&self, order: Order) -> Result<Stored, LedgerError> {
        self.writer.store(order).await
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
        self.writer.check()?;
        self.read(|connection| Ok(connection.query_row("SELECT 1", [], |_| Ok(()))?)).await
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

    async fn purge(&self, now: Timestamp, retention: Duration) -> Result<usize, LedgerError> {
        self.writer.purge(now, retention).await
    }
}

struct Writer {
    connection: Connection,
}

impl Backend for Writer {
    fn commit(&mut self, group: &[Write]) -> Result<Vec<Result<Written, LedgerError>>, LedgerError> {
        // Dropping the transaction on an error rolls it back: all or nothing.
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut orders = WorkingSet::new(known(&transaction, &WorkingSet::ids(group))?);
        let applied: Vec<_> = group.iter().map(|write| orders.apply(write)).collect();
        for change in orders.changes() {
            write_back(&transaction, &change)?;
        }
        let mut written = Vec::with_capacity(group.len());
        for applied in applied {
            written.push(match applied {
                Applied::ToAnOrder(result) => result,
                // After the changes, so that an order that the group restarts is not removed.
                Applied::ToAll(before) => Ok(Written::Purged(purge(&transaction, before)?)),
            });
        }
        transaction.commit()?;
        Ok(written)
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

fn purge(connection: &Connection, before: Timestamp) -> Result<usize, LedgerError> {
    let query = "DELETE FROM orders WHERE rowid IN
        (SELECT rowid FROM orders WHERE settled_at < ?1 AND state <> 'parked' LIMIT ?2)";
    Ok(connection.prepare_cached(query)?.execute(params![before.as_millisecond(), whole(PURGE_PORTION)])?)
}

fn write_back(connection: &Connection, change: &Change<'_>) -> Result<(), LedgerError> {
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
    let record = serde_json::to_string(order).map_err(|error| unreadable(&order.id, &error))?;
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
    Ok(())
}

fn find(connection: &Connection, id: &OrderId) -> Result<Option<Order>, LedgerError> {
    let mut query = connection.prepare_cached("SELECT id, record FROM orders WHERE id = ?1")?;
    query.query_row([id.as_str()], texts).optional()?.map(read_record).transpose()
}

fn list(connection: &Connection, filter: &Filter) -> Result<Vec<Order>, LedgerError> {
    let mut conditions = Vec::new();
    let mut values: Vec<Box<dyn ToSql>> = Vec::new();
    if let Some(state) = filter.state {
        conditions.push("state = ?");
        values.push(Box::new(state.name()));
    }
    if let Some(number) = &filter.cart_number {
        conditions.push("cart_number = ?");
        values.push(Box::new(indexed_cart_number(number)));
    }
    if let Some(position) = &filter.after {
        conditions.push("(received_at, id) < (?, ?)");
        values.push(Box::new(position.received_at.as_millisecond()));
        values.push(Box::new(position.id.as_str().to_owned()));
    }
    values.push(Box::new(whole(filter.limit)));
    let condition = if conditions.is_empty() { "1".to_owned() } else { conditions.join(" AND ") };
    let query = format!("SELECT id, record FROM orders WHERE {condition} ORDER BY received_at DESC, id DESC LIMIT ?");
    let mut query = connection.prepare_cached(&query)?;
    let records = query.query_map(rusqlite::params_from_iter(values), texts)?.collect::<Result<Vec<_>, _>>()?;
    // A record that can't be read must not hide the others.
    let readable = |record| read_record(record).map_err(left_out).ok();
    Ok(records.into_iter().filter_map(readable).collect())
}

const DUE: &str = "SELECT id, received_at, state, revision FROM orders WHERE state IN ('accepted', 'forwarding')
    OR (state = 'retrying' AND next_attempt_at <= ?1) ORDER BY received_at, id LIMIT ?2";

const DUE_AFTER: &str = "SELECT id, received_at, state, revision FROM orders
    WHERE state = 'retrying' AND next_attempt_at > ?1 LIMIT ?2";

/// Runs a query for open orders by the time of their next attempt.
fn open_orders(
    connection: &Connection,
    query: &str,
    time: Timestamp,
    limit: usize,
) -> Result<Vec<Claimed>, LedgerError> {
    let mut query = connection.prepare_cached(query)?;
    let columns = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get::<_, String>(2)?, row.get(3)?));
    let rows =
        query.query_map(params![time.as_millisecond(), whole(limit)], columns)?.collect::<Result<Vec<_>, _>>()?;
    Ok(rows
        .iter()
        .filter_map(|(id, received_at, state, revision)| claimed(id, *received_at, state, *revision))
        .collect())
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn texts(row: &Row<'_>) -> rusqlite::Result<(String, String)> {
    Ok((row.get(0)?, row.get(1)?))
}

fn read_record((id, record): (String, String)) -> Result<Order, LedgerError> {
    serde_json::from_str(&record).map_err(|error| unreadable(&OrderId::stored(id), &error))
}

fn connect(path: &Path) -> Result<Connection, LedgerError> {
    let connection = Connection::open(path).map_err(|error| unavailable(format!("{}: {error}", path.display())))?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

/// Locks `FILE.lock`; the locks of the file itself are SQLite's.
fn lock(path: &Path) -> Result<File, LedgerError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let problem = |detail: String| unavailable(format!("{}: {detail}", name.display()));
    let file = File::create(&name).map_err(|error| problem(error.to_string()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(problem("another process uses this ledger; expected one service a file".to_owned()))
        }
        Err(TryLockError::Error(error)) => Err(problem(error.to_string())),
    }
}

fn migrate(connection: &mut Connection) -> Result<(), LedgerError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
    let applied: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if applied > known {
        return Err(unavailable(format!(
            "its schema is version {applied}, this program knows {known}; expected a newer program"
        )));
    }
    for migration in MIGRATIONS.iter().skip(usize::try_from(applied).unwrap_or(0)) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}

fn unavailable(detail: String) -> LedgerError {
    LedgerError::Unavailable(detail)
}

fn unreadable(id: &OrderId, error: &serde_json::Error) -> LedgerError {
    LedgerError::Unreadable { id: id.to_string(), detail: error.to_string() }
}

impl From<rusqlite::Error> for LedgerError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            // A value that no file holds, whatever its state is.
            Some(ErrorCode::TooBig | ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch) => {
                Self::Unwritable(error.to_string())
            }
            _ => Self::Unavailable(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
