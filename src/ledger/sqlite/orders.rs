//! The queries for orders in a file.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, params};

use super::packed::{Damaged, unpack};
use super::schema::whole;
use crate::ledger::page::Page;
use crate::ledger::purge::ORDERS_IN_A_PORTION;
use crate::ledger::{Claimed, Filter, LedgerError, ListPosition, claimed, indexed_cart_number};
use crate::order::{Order, OrderId, State};

/// Open orders that are due.
pub const DUE: &str =
    "SELECT id, received_at, state, revision FROM orders INDEXED BY orders_open WHERE settled_at IS NULL
    AND (state <> 'retrying' OR next_attempt_at <= ?1) ORDER BY received_at, id LIMIT ?2";

/// Retrying orders that are due later.
pub const DUE_AFTER: &str = "SELECT id, received_at, state, revision FROM orders
    WHERE settled_at IS NULL AND state = 'retrying' AND next_attempt_at > ?1 LIMIT ?2";

/// When the next of them is due.
pub const NEXT_DUE: &str = "SELECT min(next_attempt_at) FROM orders
    WHERE settled_at IS NULL AND state = 'retrying' AND next_attempt_at > ?1";

/// Removes orders that were settled before a time. Their receipt was before it too, unless a clock was ahead then: such an order stays
/// until its receipt is as old. Those of earlier receipt that stay are few: open, parked, or restarted since.
const PURGE: &str = "DELETE FROM orders WHERE rowid IN
    (SELECT rowid FROM orders INDEXED BY orders_by_receipt WHERE received_at < ?1 AND settled_at < ?1 AND state <> 'parked'
    ORDER BY received_at LIMIT ?2)";

/// An order with its body.
#[derive(Debug)]
pub struct Found {
    /// The order.
    pub order: Order,
    /// Whether its record has the body, as versions before the table `order_bodies` wrote it.
    pub has_body_in_record: bool,
}

/// Reads one order.
///
/// # Errors
/// If the file, or the record, can't be read.
pub fn find(connection: &Connection, id: &OrderId) -> Result<Option<Order>, LedgerError> {
    Ok(find_whole(connection, id)?.map(|found| found.order))
}

/// The same, with what is known of its body.
///
/// # Errors
/// If the file, or the record, can't be read; if there is no body.
pub fn find_whole(connection: &Connection, id: &OrderId) -> Result<Option<Found>, LedgerError> {
    let query = "SELECT orders.id, orders.record, orders.packed, order_bodies.body, order_bodies.packed
        FROM orders LEFT JOIN order_bodies ON order_bodies.place = orders.body WHERE orders.id = ?1";
    let mut query = connection.prepare_cached(query)?;
    let row = query.query_row([id.as_str()], |row| Ok((record_of(row)?, kept_at(row, 3)?))).optional()?;
    let Some((record, body)) = row else { return Ok(None) };
    let mut order = read_record(record)?;
    let has_body_in_record = !order.body.is_empty();
    if !has_body_in_record {
        let body = body.ok_or_else(|| "its body is missing".to_owned());
        let body = body.and_then(|body| body.map_err(|error| format!("its body: {error}")));
        order.body = body.map_err(|detail| LedgerError::Unreadable { id: id.to_string(), detail })?;
    }
    Ok(Some(Found { order, has_body_in_record }))
}

/// Reads a list of orders, without their bodies.
///
/// # Errors
/// If the file can't be read.
pub fn list(connection: &Connection, filter: &Filter) -> Result<Vec<Order>, LedgerError> {
    let mut page = Page::new(filter.clone());
    while let Some(rest) = page.rest() {
        let (query, values) = list_query(rest);
        let mut query = connection.prepare_cached(&query)?;
        let row = |row: &Row<'_>| Ok((record_of(row)?, row.get(3)?));
        let rows: Vec<(_, i64)> =
            query.query_map(rusqlite::params_from_iter(values), row)?.collect::<Result<_, _>>()?;
        page.add(
            rows.into_iter()
                .map(|(record, received_at)| (ListPosition::of_columns(received_at, &record.0), read_record(record))),
        );
    }
    Ok(page.into_orders())
}

fn list_query(filter: &Filter) -> (String, Vec<Box<dyn ToSql>>) {
    let mut conditions = Vec::new();
    let mut values: Vec<Box<dyn ToSql>> = Vec::new();
    if let Some(state) = filter.state {
        conditions.push(of_state(state));
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
    (
        format!(
            "SELECT id, record, packed, received_at FROM orders WHERE {condition} ORDER BY received_at DESC, id DESC LIMIT ?"
        ),
        values,
    )
}

/// The condition for orders of a state, in the words of the index that has them: it is used for nothing else. Created ones are found
/// on the way through all.
const fn of_state(state: State) -> &'static str {
    match state {
        State::Accepted | State::Forwarding | State::Retrying => "settled_at IS NULL AND state = ?",
        State::Rejected | State::Parked | State::Cancelled => {
            "settled_at IS NOT NULL AND state <> 'created' AND state = ?"
        }
        State::Created => "state = ?",
    }
}

/// Runs a query for open orders by the time of their next attempt.
///
/// # Errors
/// If the file can't be read.
pub fn open_orders(
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

/// Removes a portion of the orders that were settled before a time, parked ones aside; returns how many.
///
/// # Errors
/// If the file can't be written.
pub fn purge(connection: &Connection, before: Timestamp) -> Result<usize, LedgerError> {
    Ok(connection.prepare_cached(PURGE)?.execute(params![before.as_millisecond(), whole(ORDERS_IN_A_PORTION)])?)
}

/// A text as it is kept, in one of two columns.
pub type Kept = Result<String, Damaged>;

/// Reads a text whose columns, plain and packed, are at `plain` and after it; `None` if both are null.
///
/// # Errors
/// If the columns are others.
pub fn kept_at(row: &Row<'_>, plain: usize) -> rusqlite::Result<Option<Kept>> {
    Ok(match row.get_ref(plain + 1)?.as_blob_or_null()? {
        Some(packed) => Some(unpack(packed)),
        None => row.get::<_, Option<String>>(plain)?.filter(|text| !text.is_empty()).map(Ok),
    })
}

/// An order's id, and its record.
fn record_of(row: &Row<'_>) -> rusqlite::Result<(String, Option<Kept>)> {
    Ok((row.get(0)?, kept_at(row, 1)?))
}

fn read_record((id, record): (String, Option<Kept>)) -> Result<Order, LedgerError> {
    let record = record.unwrap_or_else(|| Ok(String::new())).map_err(|error| error.to_string());
    let order = record.and_then(|record| serde_json::from_str(&record).map_err(|error| error.to_string()));
    order.map_err(|detail| LedgerError::Unreadable { id, detail })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::sqlite::schema::query_plan;

    #[test]
    fn open_orders_are_found_by_the_index_that_has_no_others() {
        for query in [DUE, DUE_AFTER, NEXT_DUE] {
            let plan = query_plan(query);
            assert!(plan.iter().any(|step| step.contains("INDEX orders_open")), "{query}: {plan:?}");
        }
    }

    #[test]
    fn a_list_is_read_from_the_index_that_has_its_orders() {
        let states = [
            (None, "orders_by_receipt"),
            (Some(State::Created), "orders_by_receipt"),
            (Some(State::Rejected), "orders_not_created"),
            (Some(State::Parked), "orders_not_created"),
            (Some(State::Cancelled), "orders_not_created"),
            (Some(State::Accepted), "orders_open"),
            (Some(State::Forwarding), "orders_open"),
            (Some(State::Retrying), "orders_open"),
        ];
        for (state, index) in states {
            let plan = query_plan(&list_query(&Filter { state, limit: 9, ..Filter::default() }).0);
            assert!(plan.iter().any(|step| step.contains(&format!("INDEX {index}"))), "{state:?}: {plan:?}");
            let sorts = plan.iter().any(|step| step.contains("TEMP B-TREE"));
            assert_eq!(sorts, index == "orders_open", "open orders are few: {plan:?}");
        }
    }

    #[test]
    fn what_was_settled_long_ago_is_found_without_a_look_at_the_others() {
        let plan = query_plan(PURGE);
        let by_receipt = |step: &String| step.contains("INDEX orders_by_receipt (received_at<?)");
        assert!(plan.iter().any(by_receipt), "{plan:?}");
    }
}
