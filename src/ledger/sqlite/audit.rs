//! The audit trail in a file.

use jiff::Timestamp;
use rusqlite::{Connection, Row, ToSql, params};

use super::schema::whole;
use crate::ledger::audit::{AuditFilter, AuditRecord, interventions};
use crate::ledger::group_commit::PURGE_PORTION;
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

/// Removes entries from before a time whose orders are gone. An order that is settled has no later entries.
///
/// # Errors
/// If the file can't be written.
pub fn purge(connection: &Connection, before: Timestamp) -> Result<(), LedgerError> {
    let query = "DELETE FROM audit WHERE sequence IN (SELECT sequence FROM audit WHERE at < ?1
        AND NOT EXISTS (SELECT 1 FROM orders WHERE orders.id = audit.order_id) LIMIT ?2)";
    connection.prepare_cached(query)?.execute(params![before.as_millisecond(), whole(2 * PURGE_PORTION)])?;
    Ok(())
}

/// Reads the entries that a filter lets through, newest first.
///
/// # Errors
/// If the file can't be read.
pub fn list(connection: &Connection, filter: &AuditFilter) -> Result<Vec<AuditRecord>, LedgerError> {
    let mut conditions = vec!["1"];
    let mut values: Vec<Box<dyn ToSql>> = Vec::new();
    let mut add = |condition: &'static str, value: Option<Box<dyn ToSql>>| {
        if let Some(value) = value {
            conditions.push(condition);
            values.push(value);
        }
    };
    let time = |time: Option<Timestamp>| time.map(|time| Box::new(time.as_millisecond()) as Box<dyn ToSql>);
    let text = |text: &Option<String>| text.clone().map(|text| Box::new(text) as Box<dyn ToSql>);
    add("sequence < ?", filter.before.map(|sequence| Box::new(sequence) as Box<dyn ToSql>));
    add("at >= ?", time(filter.from));
    add("at < ?", time(filter.to));
    add("actor = ?", text(&filter.by));
    add("client = ?", text(&filter.client));
    add("action = ?", filter.action.map(|action| Box::new(action.name()) as Box<dyn ToSql>));
    if filter.is_of_people() {
        conditions.push(concat!("action IN ", interventions!()));
    }
    values.push(Box::new(whole(filter.limit)));
    let query = format!(
        "SELECT sequence, at, order_id, cart_number, action, actor, client, address, request_id, detail FROM audit
        WHERE {} ORDER BY sequence DESC LIMIT ?",
        conditions.join(" AND ")
    );
    let mut query = connection.prepare_cached(&query)?;
    let records = query.query_map(rusqlite::params_from_iter(values), read)?.collect::<Result<Vec<_>, _>>()?;
    // An action of a later version has no name here.
    Ok(records.into_iter().flatten().collect())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Option<AuditRecord>> {
    let Some(action) = Action::parse(&row.get::<_, String>(4)?) else { return Ok(None) };
    let address: Option<String> = row.get(7)?;
    let entry = AuditEntry {
        at: Timestamp::from_millisecond(row.get(1)?).unwrap_or_default(),
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
