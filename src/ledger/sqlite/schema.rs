//! The connections to a ledger's file, and its schema.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use url::Url;

use super::held_file::HeldFile;
use super::watched_files::WatchedFiles;
use crate::ledger::LedgerError;

/// Schema changes, oldest first; `user_version` counts the applied ones. A released one is never edited.
const MIGRATIONS: [&str; 9] = [
    include_str!("0001_orders.sql"),
    include_str!("0002_file.sql"),
    include_str!("0003_restores.sql"),
    include_str!("0004_carts.sql"),
    include_str!("0005_outbox.sql"),
    include_str!("0006_audit.sql"),
    include_str!("0007_bodies.sql"),
    include_str!("0008_fewer_indexes.sql"),
    include_str!("0009_lean.sql"),
];

/// The schema's version from which on the file has the table `ledger_file`.
pub const WITH_FILE_TABLE: i64 = 2;

/// The schema's version from which on the file has the table `order_carts`.
pub const WITH_CARTS: i64 = 4;

/// The schema's version from which on the file has packed orders.
pub const WITH_PACKED: i64 = 9;

/// Statements that a connection caches: more than there are.
const STATEMENTS: usize = 32;

/// Wait for a lock that a backup tool holds on the file.
pub const BUSY: Duration = Duration::from_secs(5);

/// A connection of an open ledger. The fields are dropped in this order.
///
/// The last one that is closed moves the log into the file and removes it by its name, also if it is another one by now: the
/// file is this ledger's for life, and so whatever lies beside it is nobody else's. SQLite itself leaves everything as it is
/// if the file was moved.
#[derive(Debug)]
pub struct LedgerConnection {
    /// The connection itself.
    pub connection: Connection,
    /// Whether they are still there.
    pub files: Arc<WatchedFiles>,
    _file: Arc<HeldFile>,
}

impl LedgerConnection {
    /// A connection to a file that is held and watched.
    pub const fn new(connection: Connection, files: Arc<WatchedFiles>, file: Arc<HeldFile>) -> Self {
        Self { connection, files, _file: file }
    }
}

/// Leaves the write-ahead log as it is when the connection is closed.
///
/// # Errors
/// If SQLite refuses it.
pub fn keep_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map(drop)
}

/// Moves the log into the file when the last connection is closed, as SQLite does by itself.
///
/// # Errors
/// If SQLite refuses it.
pub fn move_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map(drop)
}

/// Opens a connection with a write-ahead log.
///
/// # Errors
/// If the file is no database, or can't be used.
pub fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open(path)?;
    use_log(&connection)?;
    Ok(connection)
}

/// Pages in the log from which on a commit moves it into the file: 16 MiB. Most orders change once more before that, so that their
/// pages are moved once. A start after a crash reads so much in some hundredths of a second.
const LOG_PAGES: i64 = 4_096;

/// Writes with a write-ahead log, and a wait for the disk at each commit.
///
/// # Errors
/// If the file is no database, or can't be used.
pub fn use_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
    connection.pragma_update(None, "synchronous", "FULL")
}

/// Opens a connection to an existing file, as that file is. No path is read as a URI.
///
/// # Errors
/// If the file can't be opened.
pub fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    settle_plans(&connection)?;
    Ok(connection)
}

/// Has each statement planned once. Otherwise it is prepared anew for each value that might let a partial index be used.
fn settle_plans(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

/// Opens a file that nobody uses so that nothing is written, locked or made beside it; what is in its log is not seen.
///
/// # Errors
/// If the file can't be opened.
pub fn open_untouched(path: &Path) -> Result<Connection, LedgerError> {
    let url = Url::from_file_path(path).map_err(|()| LedgerError::unavailable("expected an absolute path"))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Ok(Connection::open_with_flags(format!("{url}?immutable=1"), flags)?)
}

/// The number of schema changes that a file has; none, if it is new.
///
/// # Errors
/// If it was written by a newer program, or is another program's database.
pub fn version(connection: &Connection) -> Result<i64, LedgerError> {
    let applied = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if applied > latest() {
        return Err(LedgerError::unavailable(format!(
            "its schema is version {applied}, this program knows {}; expected a newer program",
            latest()
        )));
    }
    if applied <= 0 && tables > 0 {
        return Err(LedgerError::unavailable("it is the database of another program"));
    }
    Ok(applied)
}

/// Brings the schema up to date.
///
/// # Errors
/// If the file can't be written.
pub fn migrate(connection: &mut Connection) -> Result<(), LedgerError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
    let applied = version(&transaction)?;
    if applied < latest() {
        for migration in MIGRATIONS.iter().skip(usize::try_from(applied).unwrap_or(0)) {
            transaction.execute_batch(migration)?;
        }
        transaction.pragma_update(None, "user_version", latest())?;
    }
    Ok(transaction.commit()?)
}

/// How SQLite would run a query on the newest schema.
#[cfg(test)]
pub fn query_plan(query: &str) -> Vec<String> {
    let mut connection = Connection::open_in_memory().unwrap();
    settle_plans(&connection).unwrap();
    migrate(&mut connection).unwrap();
    let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {query}")).unwrap();
    let parameters = vec![0_i64; explain.parameter_count()];
    let steps = explain.query_map(rusqlite::params_from_iter(parameters), |row| row.get(3)).unwrap();
    steps.map(Result::unwrap).collect()
}

/// A count as a parameter.
pub fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The number of schema changes that this program knows.
pub fn latest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
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
