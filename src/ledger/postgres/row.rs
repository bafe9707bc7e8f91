//! Rows and the values that are bound to statements.

use std::time::Duration;

use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::ledger::LedgerError;
use crate::order::{Order, OrderId};

/// Ids as an array parameter.
pub fn texts<'i>(ids: &[&'i OrderId]) -> Vec<&'i str> {
    ids.iter().map(|id| id.as_str()).collect()
}

/// A count as a parameter.
pub fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A revision as a parameter.
pub fn signed(revision: u64) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX)
}

/// A duration as a parameter.
pub fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// Reads the order of a row whose columns from `first` on are `id, record`; `None` where there is none.
pub fn read_record(row: &PgRow, first: usize) -> Result<Option<Order>, LedgerError> {
    let (id, record): (Option<&str>, Option<&str>) = (row.try_get(first)?, row.try_get(first + 1)?);
    let (Some(id), Some(record)) = (id, record) else { return Ok(None) };
    let order = serde_json::from_str(record);
    order.map(Some).map_err(|error| LedgerError::Unreadable { id: id.to_owned(), detail: error.to_string() })
}
