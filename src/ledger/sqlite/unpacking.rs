//! The orders of a file as plain text again: an earlier version reads nothing else, and neither does `sqlite3`.
//!
//! The file is held as a service holds it, so that none uses it meanwhile. Its schema stays as it is, and a backup stays a backup. A
//! service that starts later packs what it changes. After an interruption, the same again goes on.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::file_record::FileState;
use super::location::{inspect, named, resolve};
use super::packed::unpack;
use super::restore::Restoring;
use super::schema::{WITH_PACKED, move_log, version, whole};
use super::session;
use super::start::{Held, hold};
use crate::ledger::LedgerError;

/// Rows of a transaction: their texts are in memory together.
const PORTION: usize = 100;

/// Damaged orders that a message names.
const NAMED: usize = 20;

/// A table with a packed column.
struct Table {
    /// Packed rows after one, each with the id of its order.
    select: &'static str,
    /// Writes the text of a row.
    update: &'static str,
}

const ORDERS: Table = Table {
    select: "SELECT rowid, id, packed FROM orders WHERE rowid > ?1 AND packed IS NOT NULL ORDER BY rowid LIMIT ?2",
    update: "UPDATE orders SET record = ?2, packed = NULL WHERE rowid = ?1",
};

const BODIES: Table = Table {
    select: "SELECT place, coalesce((SELECT id FROM orders WHERE body = place), ''), packed
        FROM order_bodies WHERE place > ?1 AND packed IS NOT NULL ORDER BY place LIMIT ?2",
    update: "UPDATE order_bodies SET body = ?2, packed = NULL WHERE place = ?1",
};

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// Orders whose records are plain text since now.
    pub orders: u64,
    /// Orders that stay packed, with what is wrong with them.
    pub damaged: Vec<String>,
}

impl Unpacked {
    /// The damaged orders in one line, some of them.
    pub fn damages(&self) -> String {
        let further = self.damaged.len().saturating_sub(NAMED);
        let further = if further == 0 { String::new() } else { format!("; and {further} more") };
        let some: Vec<&str> = self.damaged.iter().take(NAMED).map(String::as_str).collect();
        some.join("; ") + &further
    }
}

/// Unpacks every order of a ledger that no service uses, but for damaged ones.
///
/// # Errors
/// If there is no ledger, if it is in use, lacks changes, or can't be written.
pub fn unpack_ledger(configured: &Path) -> Result<Unpacked, LedgerError> {
    unpack_file(configured).map_err(|error| named(configured, error))
}

fn unpack_file(configured: &Path) -> Result<Unpacked, LedgerError> {
    let path = resolve(configured)?;
    if inspect(&path)?.is_none_or(|metadata| metadata.len() == 0) {
        return Err(LedgerError::unavailable("there is no ledger; expected its file"));
    }
    let restoring = Restoring { setting: None, now: Timestamp::UNIX_EPOCH };
    // Dropped from the last to the first: the end has to be that.
    let Held { end: _end, file: _file, evidence, mut connection } = hold(configured, &path, &restoring)?;
    move_log(&connection)?;
    let mut unpacked = Unpacked::default();
    if version(&connection)? >= WITH_PACKED {
        unpacked.orders = unpack_table(&mut connection, &ORDERS, &mut unpacked.damaged)?;
        unpack_table(&mut connection, &BODIES, &mut unpacked.damaged)?;
    }
    if evidence.record.is_some_and(|record| record.state != FileState::Backup) {
        session::end(&connection)?;
    }
    Ok(unpacked)
}

fn unpack_table(connection: &mut Connection, table: &Table, damaged: &mut Vec<String>) -> Result<u64, LedgerError> {
    let (mut count, mut last) = (0, i64::MIN);
    loop {
        let transaction = connection.transaction()?;
        let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let rows: Vec<(i64, String, Vec<u8>)> = {
            let mut query = transaction.prepare_cached(table.select)?;
            query.query_map(params![last, whole(PORTION)], row)?.collect::<Result<_, _>>()?
        };
        for (place, id, packed) in &rows {
            last = *place;
            match unpack(packed) {
                Ok(text) => {
                    transaction.prepare_cached(table.update)?.execute(params![place, text])?;
                    count += 1;
                }
                Err(error) => damaged.push(format!("order {id}: {error}")),
            }
        }
        transaction.commit()?;
        if rows.len() < PORTION {
            return Ok(count);
        }
    }
}
