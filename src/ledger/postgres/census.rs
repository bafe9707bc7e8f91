//! The number of open and parked orders of all replicas, by the indexes: settled orders, which are nearly all, are not looked
//! at.

use jiff::Timestamp;
use sqlx::Row as _;

use super::readers::{Readers, on_the_primary};
use crate::ledger::LedgerError;
use crate::ledger::open_orders::Census;
use crate::order::State;

/// Counts them in one statement.
///
/// # Errors
/// If the database can't be read.
pub async fn count(readers: &Readers, overdue_since: Timestamp) -> Result<Census, LedgerError> {
    let query = on_the_primary!(
        "SELECT state, count(*) AS number, min(received_at) AS oldest,
            count(*) FILTER (WHERE state = 'retrying' AND next_attempt_at < $1) AS overdue
        FROM orders WHERE state IN ('accepted', 'forwarding', 'retrying', 'parked') GROUP BY state"
    );
    let rows = readers.read(|| sqlx::query(query).bind(overdue_since.as_millisecond())).await?;
    let mut census = Census::default();
    for row in &rows {
        // Where there is none, the columns of the one row are NULL.
        let Some(state) = row.try_get(1).ok().and_then(State::parse) else { continue };
        census.add(state, row.try_get(2).unwrap_or_default());
        census.overdue += row.try_get::<i64, _>(4).unwrap_or_default();
        let oldest = row.try_get(3).ok().and_then(|at| Timestamp::from_millisecond(at).ok());
        if state.is_open() {
            census.oldest_open = census.oldest_open.into_iter().chain(oldest).min();
        }
    }
    Ok(census)
}
