//! The carts that a file keeps with its orders: written with their orders, and read by whoever rehearses a mapping.
//!
//! The reader writes nothing, changes no schema, and takes no lock that a service waits for. It reads page by page, so that
//! the service can shorten its write-ahead log meanwhile. It belongs into a process of its own: who closes a file in the
//! service's process gives up the locks that SQLite has on it there.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, params};

use super::location::{beside, inspect, resolve};
use super::schema::{BUSY, WITH_CARTS, keep_log, latest, open_untouched, version, whole};
use super::session::Log;
use crate::ledger::LedgerError;
use crate::ledger::kept_carts::page::{CARTS_A_PAGE, CartCount, KeptCart};
use crate::ledger::working_set::WorkingSet;
use crate::order::OrderId;

/// Stores the carts of admitted orders, and removes those that are no longer kept.
///
/// # Errors
/// If the file can't be written.
pub fn write_carts(connection: &Connection, orders: &WorkingSet) -> Result<(), LedgerError> {
    let upsert =
        "INSERT INTO order_carts (id, cart) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET cart = excluded.cart";
    for (id, cart) in orders.carts() {
        match cart {
            Some(cart) => connection.prepare_cached(upsert)?.execute(params![id.as_str(), cart])?,
            None => connection.prepare_cached("DELETE FROM order_carts WHERE id = ?1")?.execute([id.as_str()])?,
        };
    }
    Ok(())
}

/// Reads the carts of a ledger's file, or of a copy of it, in the order of their ids.
#[derive(Debug)]
pub struct CartReader {
    configured: PathBuf,
    /// The file, where it is read without its log: nobody may begin to use it meanwhile.
    unused: Option<PathBuf>,
    connection: Connection,
    last: String,
}

impl CartReader {
    /// Opens a ledger that a service may be using.
    ///
    /// # Errors
    /// If there is none, or it has the schema of another version.
    pub fn open(configured: &Path) -> Result<Self, LedgerError> {
        Self::try_open(configured).map_err(|error| named(configured, error))
    }

    fn try_open(configured: &Path) -> Result<Self, LedgerError> {
        let path = resolve(configured)?;
        if inspect(&path)?.is_none_or(|metadata| metadata.len() == 0) {
            return Err(LedgerError::unavailable("there is no ledger; expected its file"));
        }
        let (connection, unused) = connect_read_only(&path)?;
        let found = version(&connection).map_err(|error| without_index(&path, error))?;
        if found < WITH_CARTS {
            return Err(LedgerError::unavailable(format!(
                "its schema is version {found}, which keeps no carts; expected {}: start a service of this version on it, \
                 with ledger.keep_carts = \"on\"",
                latest()
            )));
        }
        Ok(Self { configured: configured.to_owned(), unused, connection, last: String::new() })
    }

    /// Counts the orders, and those whose cart is kept.
    ///
    /// # Errors
    /// If the file can't be read.
    pub fn count(&self) -> Result<CartCount, LedgerError> {
        let query = "SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM order_carts)";
        let counts: Result<(i64, i64), _> = self.connection.query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?)));
        let (orders, carts) = counts.map_err(|error| named(&self.configured, error.into()))?;
        Ok(CartCount { orders: u64::try_from(orders).unwrap_or(0), carts: u64::try_from(carts).unwrap_or(0) })
    }

    /// The next carts; none at the end.
    ///
    /// # Errors
    /// If the file can't be read, or a service has begun to use a file that nobody used.
    pub fn next_page(&mut self) -> Result<Vec<KeptCart>, LedgerError> {
        let page = self.read_page().map_err(|error| named(&self.configured, error.into()));
        // Also where a read fails: it may have met half of a write.
        if self.unused.as_deref().is_some_and(has_log) {
            let begun = "a service has begun to use the ledger while it was read; expected the same command again";
            return Err(named(&self.configured, LedgerError::unavailable(begun)));
        }
        let page = page?;
        if let Some(last) = page.last() {
            self.last = last.id.to_string();
        }
        Ok(page)
    }

    fn read_page(&self) -> rusqlite::Result<Vec<KeptCart>> {
        let mut query =
            self.connection.prepare_cached("SELECT id, cart FROM order_carts WHERE id > ?1 ORDER BY id LIMIT ?2")?;
        let carts = query.query_map(params![self.last, whole(CARTS_A_PAGE)], |row| {
            Ok(KeptCart { id: OrderId::stored(row.get(0)?), text: row.get(1)? })
        })?;
        carts.collect()
    }
}

/// An error with the path that it is about: the file need not be that of the settings.
fn named(path: &Path, error: LedgerError) -> LedgerError {
    match error {
        LedgerError::Unavailable(detail) => LedgerError::unavailable(format!("{}: {detail}", path.display())),
        other => other,
    }
}

/// Says what is missing where SQLite could not make the index of a log.
fn without_index(path: &Path, error: LedgerError) -> LedgerError {
    if beside(path, "-shm").exists() || !has_log(path) {
        return error;
    }
    let expected =
        "FILE-wal is there without FILE-shm, which this user can't make: expected both, or a copy made by backup";
    LedgerError::unavailable(format!("{}; {expected}", error.reason()))
}

/// A connection that can't write. A file without a log is read as it is: SQLite would make a log beside it, which might belong
/// to another user than the service's. With a log, SQLite reads both, and its index keeps a mark of the reader.
fn connect_read_only(path: &Path) -> Result<(Connection, Option<PathBuf>), LedgerError> {
    Log::find(path)?;
    if !has_log(path) {
        return Ok((open_untouched(path)?, Some(path.to_owned())));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    // The log is the service's, also where this connection is the last one.
    keep_log(&connection)?;
    Ok((connection, None))
}

/// Whether there is a write-ahead log with changes, or a service that may write one.
fn has_log(path: &Path) -> bool {
    let length = |ending| fs::metadata(beside(path, ending)).map(|metadata| metadata.len()).ok();
    match (length("-wal"), length("-shm")) {
        (Some(log), None) => log > 0,
        (log, Some(_)) => log.is_some(),
        (None, None) => false,
    }
}
