//! The orders of a file as plain text again: an earlier version reads nothing else, and neither does `sqlite3`.
//!
//! The file is held as a service holds it, so none uses it meanwhile; the next service packs what it changes. What is interrupted can
//! be begun again.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::location::{inspect, named, resolve};
use super::packed::unpack;
use super::restore::Restoring;
use super::schema::whole;
use super::session;
use super::start::{Start, start};
use crate::ledger::LedgerError;

/// Rows of a transaction.
const PORTION: usize = 1_000;

/// The packed columns, with what names a row of theirs.
const COLUMNS: [Column; 2] = [
    Column {
        packed: "SELECT rowid, id, packed FROM orders WHERE rowid > ?1 AND packed IS NOT NULL ORDER BY rowid LIMIT ?2",
        unpack: "UPDATE orders SET record = ?2, packed = NULL WHERE rowid = ?1",
    },
    Column {
        packed: "SELECT place, 'body ' || place, packed FROM order_bodies WHERE place > ?1 AND packed IS NOT NULL ORDER BY place LIMIT ?2",
        unpack: "UPDATE order_bodies SET body = ?2, packed = NULL WHERE place = ?1",
    },
];

struct Column {
    packed: &'static str,
    unpack: &'static str,
}

/// Unpacks every order of a ledger that no service uses; returns how many there were. `now` is noted if the file is a backup.
///
/// # Errors
/// If there is no ledger, if it is in use, lacks changes, or can't be written; names what is damaged.
pub fn unpack_ledger(configured: &Path, now: Timestamp) -> Result<u64, LedgerError> {
    let ledger = || {
        if inspect(&resolve(configured)?)?.is_none_or(|metadata| metadata.len() == 0) {
            return Err(LedgerError::unavailable("there is no ledger; expected its file"));
        }
        // Dropped from the last to the first: the end has to be that.
        let Start { end: _end, file: _file, note: _note, mut connection, .. } =
            start(configured, &Restoring { setting: None, now })?;
        let [records, bodies] = COLUMNS;
        let orders = unpack_column(&mut connection, &records)?;
        unpack_column(&mut connection, &bodies)?;
        session::end(&connection)?;
        Ok(orders)
    };
    ledger().map_err(|error| named(configured, error))
}

fn unpack_column(connection: &mut Connection, column: &Column) -> Result<u64, LedgerError> {
    let (mut count, mut last) = (0, i64::MIN);
    loop {
        let transaction = connection.transaction()?;
        let rows: Vec<(i64, String, Vec<u8>)> = {
            let mut query = transaction.prepare_cached(column.packed)?;
            let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
            query.query_map(params![last, whole(PORTION)], row)?.collect::<Result<_, _>>()?
        };
        for (place, id, packed) in &rows {
            let unreadable = |detail: String| LedgerError::Unreadable { id: id.clone(), detail };
            let text = unpack(packed).map_err(|error| unreadable(error.to_string()))?;
            transaction.prepare_cached(column.unpack)?.execute(params![place, text])?;
            (count, last) = (count + 1, *place);
        }
        transaction.commit()?;
        if rows.len() < PORTION {
            return Ok(count);
        }
    }
}
