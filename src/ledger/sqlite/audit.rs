//! The audit trail in a file.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::schema::whole;
use crate::ledger::audit::{AuditFilter, AuditPage, AuditPosition, AuditRecord, LOOKED_AT, interventions};
use crate::ledger::purge::ENTRIES_IN_A_PORTION;
use crate::ledger::working_set::Audited;
use crate::ledger::{LedgerError, stored_cart_number};
use crate::order::{Action, AuditEntry, OrderId};

/// Stores entries within the transaction of the changes that they are about.
///
/// # Errors
/// If the file can't be written.
pub fn insert(connection: &Connection, entries: &[Audited]) -> Result<(), LedgerError> {
    let query = "INSERT INTO audit (at, order_id, cart_number, action, actor, client, address, request_id, detail)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    for Audited { order_id, cart_number, entry } in entries {
        connection.prepare_cached(query)?.execute(params![
            entry.at.as_millisecond(),
            order_id.as_str(),
            stored_cart_number(cart_number),
            entry.action.name(),
            entry.by,
            entry.client,
            entry.address.map(|address| address.to_string()),
            entry.request_id,
            entry.detail,
        ])?;
    }
    Ok(())
}

/// Removes those of the next entries whose orders are gone; returns the last entry that it looked at, if there may be more.
///
/// # Errors
/// If the file can't be written.
pub fn purge(
    connection: &Connection,
    before: Timestamp,
    after: Option<AuditPosition>,
) -> Result<Option<AuditPosition>, LedgerError> {
    let before = before.as_millisecond();
    let (at, sequence) = after.map_or((i64::MIN, 0), |after| (after.at.as_millisecond(), after.sequence));
    let last = "SELECT sequence, at FROM audit INDEXED BY audit_by_time WHERE at < ?1 AND (at, sequence) > (?2, ?3)
        ORDER BY at, sequence LIMIT 1 OFFSET ?4";
    let last = connection
        .prepare_cached(last)?
        .query_row(params![before, at, sequence, whole(ENTRIES_IN_A_PORTION - 1)], position)
        .optional()?;
    let (last_at, last_sequence) =
        last.map_or((before, 0), |last: AuditPosition| (last.at.as_millisecond(), last.sequence));
    let query = "DELETE FROM audit WHERE sequence IN (SELECT sequence FROM audit INDEXED BY audit_by_time
        WHERE (at, sequence) > (?1, ?2) AND (at, sequence) <= (?3, ?4)
            AND NOT EXISTS (SELECT 1 FROM orders WHERE orders.id = audit.order_id))";
    connection.prepare_cached(query)?.execute(params![at, sequence, last_at, last_sequence])?;
    Ok(last)
}

/// Reads the next entries that a filter lets through, newest first.
///
/// # Errors
/// If the file can't be read.
pub fn list(connection: &Connection, filter: &AuditFilter) -> Result<AuditPage, LedgerError> {
    let (query, values) = query(filter);
    let mut query = connection.prepare_cached(&query)?;
    let mut rows = query.query(rusqlite::params_from_iter(values))?;
    let (mut page, mut looked_at) = (AuditPage::default(), 0);
    while let Some(row) = rows.next()? {
        looked_at += 1;
        if is_wanted(row, filter)? {
            if page.records.len() == filter.limit {
                page.next = page.records.last().map(AuditRecord::position);
                return Ok(page);
            }
            // An action of a later version has no name here.
            page.records.extend(read(row)?);
        }
        if looked_at == LOOKED_AT {
            page.next = Some(position(row)?);
            return Ok(page);
        }
    }
    Ok(page)
}

/// The entries of the filter's time, by an index that has them in this order, or that has only those of people, who do little.
fn query(filter: &AuditFilter) -> (String, Vec<i64>) {
    let (mut conditions, mut values) = (vec!["1"], Vec::new());
    if let Some(AuditPosition { at, sequence }) = filter.before {
        conditions.push("(at, sequence) < (?, ?)");
        values.extend([at.as_millisecond(), sequence]);
    }
    for (condition, bound) in [("at >= ?", filter.from), ("at < ?", filter.to)] {
        if let Some(bound) = bound {
            conditions.push(condition);
            values.push(bound.as_millisecond());
        }
    }
    let index = if filter.is_of_people() {
        conditions.push(concat!("action IN ", interventions!()));
        "audit_of_people"
    } else {
        "audit_by_time"
    };
    let query = format!(
        "SELECT sequence, at, order_id, cart_number, action, actor, client, address, request_id, detail
        FROM audit INDEXED BY {index} WHERE {} ORDER BY at DESC, sequence DESC",
        conditions.join(" AND ")
    );
    (query, values)
}

fn is_wanted(row: &Row<'_>, filter: &AuditFilter) -> rusqlite::Result<bool> {
    let (action, by, client) =
        (row.get_ref(4)?.as_str()?, row.get_ref(5)?.as_str()?, row.get_ref(6)?.as_str_or_null()?);
    Ok(filter.lets_through(action, by, client))
}

fn position(row: &Row<'_>) -> rusqlite::Result<AuditPosition> {
    Ok(AuditPosition { at: time(row)?, sequence: row.get(0)? })
}

fn time(row: &Row<'_>) -> rusqlite::Result<Timestamp> {
    Ok(Timestamp::from_millisecond(row.get(1)?).unwrap_or_default())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Option<AuditRecord>> {
    let Some(action) = Action::parse(&row.get::<_, String>(4)?) else { return Ok(None) };
    let address: Option<String> = row.get(7)?;
    let entry = AuditEntry {
        at: time(row)?,
        by: row.get(5)?,
        action,
        detail: row.get(9)?,
        client: row.get(6)?,
        address: address.and_then(|address| address.parse().ok()),
        request_id: row.get(8)?,
    };
    let order_id = OrderId::stored(row.get(2)?);
    Ok(Some(AuditRecord { sequence: row.get(0)?, order_id, cart_number: row.get(3)?, entry }))
}
