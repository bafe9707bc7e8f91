//! The number of open and parked orders, by the indexes: settled orders, which are nearly all, are not looked at.

use jiff::Timestamp;
use rusqlite::Connection;

use crate::ledger::LedgerError;
use crate::ledger::open_orders::Census;
use crate::order::State;

const BY_STATE: &str =
    "SELECT state, count(*) FROM orders INDEXED BY orders_open WHERE settled_at IS NULL GROUP BY state
    UNION ALL SELECT state, count(*) FROM orders
    WHERE settled_at IS NOT NULL AND state <> 'created' AND state = 'parked' GROUP BY state";

const OLDEST: &str = "SELECT min(received_at) FROM orders INDEXED BY orders_open WHERE settled_at IS NULL";

const OVERDUE: &str = "SELECT count(*) FROM orders INDEXED BY orders_open
    WHERE settled_at IS NULL AND state = 'retrying' AND next_attempt_at < ?1";

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
            let looks = plan.iter().filter(|step| step.contains("orders"));
            let by_index = |step: &String| {
                step.contains("COVERING INDEX orders_open") || step.contains("INDEX orders_not_created (state=?)")
            };
            assert!(looks.clone().count() > 0 && looks.into_iter().all(by_index), "{query}: {plan:?}");
        }
    }
}
