//! The number of open and parked orders, by the indexes: settled orders, which are nearly all, are not looked at.

use jiff::Timestamp;
use rusqlite::Connection;

use crate::ledger::LedgerError;
use crate::ledger::open_orders::Census;
use crate::order::State;

const BY_STATE: &str = "SELECT state, count(*) FROM orders
    WHERE state IN ('accepted', 'forwarding', 'retrying', 'parked') GROUP BY state";

const OLDEST: &str = "SELECT min(oldest) FROM (
    SELECT min(received_at) AS oldest FROM orders WHERE state = 'accepted'
    UNION ALL SELECT min(received_at) FROM orders WHERE state = 'forwarding'
    UNION ALL SELECT min(received_at) FROM orders WHERE state = 'retrying')";

const OVERDUE: &str =
    "SELECT count(*) FROM orders WHERE settled_at IS NULL AND state = 'retrying' AND next_attempt_at < ?1";

/// Counts them in one transaction.
///
/// # Errors
/// If the file can't be read.
pub fn count(connection: &Connection, overdue_since: Timestamp) -> Result<Census, LedgerError> {
    let transaction = connection.unchecked_transaction()?;
    let mut census = Census::default();
    for row in transaction
        .prepare_cached(BY_STATE)?
        .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?
    {
        let (state, number) = row?;
        if let Some(state) = State::parse(&state) {
            census.add(state, number);
        }
    }
    let oldest: Option<i64> = transaction.prepare_cached(OLDEST)?.query_row([], |row| row.get(0))?;
    census.oldest_open = oldest.and_then(|at| Timestamp::from_millisecond(at).ok());
    census.overdue =
        transaction.prepare_cached(OVERDUE)?.query_row([overdue_since.as_millisecond()], |row| row.get(0))?;
    Ok(census)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::sqlite::schema::query_plan;

    #[test]
    fn no_settled_order_is_looked_at() {
        for query in [BY_STATE, OLDEST, OVERDUE] {
            let plan = query_plan(query);
            // A search is by the state, so it meets open and parked orders alone.
            assert!(plan.iter().any(|step| step.starts_with("SEARCH orders USING")), "{plan:?}");
            assert!(!plan.iter().any(|step| step.starts_with("SCAN orders")), "{plan:?}");
        }
    }
}
