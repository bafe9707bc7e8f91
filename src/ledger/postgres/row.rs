//! Rows and the values that are bound to statements.

use std::time::Duration;

use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::ledger::LedgerError;
use crate::order::{Order, OrderId};

/// Ids as an array parameter.
pub fn texts(ids: &[OrderId]) -> Vec<&str> {
    ids.iter().map(OrderId::as_str).collect()
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

/// Reads the order of a row that begins with the columns `id, record`.
pub fn read_record(row: &PgRow) -> Result<Order, LedgerError> {
    let (id, record): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
    serde_json::from_str(record)
        .map_err(|error| LedgerError::Unreadable { id: id.to_owned(), detail: error.to_string() })
}
