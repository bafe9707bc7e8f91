//! The audit trail in a database.

use jiff::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, Row as _, Transaction};

use super::readers::{Readers, on_the_primary};
use super::row::whole;
use crate::ledger::audit::{AuditFilter, AuditRecord};
use crate::ledger::group_commit::PURGE_PORTION;
use crate::ledger::working_set::Audited;
use crate::ledger::{LedgerError, stored_cart_number};
use crate::order::{Action, AuditEntry, OrderId};

/// Stores entries within the transaction of the changes that they are about.
///
/// # Errors
/// If the database refuses it, or fails.
pub async fn insert(transaction: &mut Transaction<'_, Postgres>, entries: &[Audited]) -> Result<(), sqlx::Error> {
    if entries.is_empty() {
        return Ok(());
    }
    let query = "INSERT INTO audit (at, order_id, cart_number, action, actor, client, address, request_id, detail)
        SELECT * FROM UNNEST($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
            $8::text[], $9::text[])";
    let column = |of: fn(&AuditEntry) -> Option<String>| -> Vec<Option<String>> {
        entries.iter().map(|one| of(&one.entry)).collect()
    };
    let query = sqlx::query(query)
        .bind(entries.iter().map(|one| one.entry.at.as_millisecond()).collect::<Vec<_>>())
        .bind(entries.iter().map(|one| one.order_id.as_str()).collect::<Vec<_>>())
        .bind(entries.iter().map(|one| stored_cart_number(&one.cart_number)).collect::<Vec<_>>())
        .bind(entries.iter().map(|one| one.entry.action.name()).collect::<Vec<_>>())
        .bind(entries.iter().map(|one| one.entry.by.as_str()).collect::<Vec<_>>())
        .bind(column(|entry| entry.client.clone()))
        .bind(column(|entry| entry.address.map(|address| address.to_string())))
        .bind(column(|entry| entry.request_id.clone()))
        .bind(column(|entry| entry.detail.clone()));
    query.execute(&mut **transaction).await.map(drop)
}

/// Removes entries from before a time whose orders are gone. An order that is settled has no later entries.
///
/// # Errors
/// If the database refuses it, or fails.
pub async fn purge(transaction: &mut Transaction<'_, Postgres>, before: Timestamp) -> Result<(), sqlx::Error> {
    let query = "DELETE FROM audit WHERE sequence IN (SELECT sequence FROM audit WHERE at < $1
        AND NOT EXISTS (SELECT 1 FROM orders WHERE orders.id = audit.order_id) LIMIT $2 FOR UPDATE SKIP LOCKED)";
    let query = sqlx::query(query).bind(before.as_millisecond()).bind(whole(2 * PURGE_PORTION));
    query.execute(&mut **transaction).await.map(drop)
}

/// Reads the entries that a filter lets through, newest first.
///
/// # Errors
/// If the database can't be read.
pub async fn list(readers: &Readers, filter: &AuditFilter) -> Result<Vec<AuditRecord>, LedgerError> {
    let query = on_the_primary!(
        "SELECT sequence, at, order_id, cart_number, action, actor, client, address, request_id, detail FROM audit
        WHERE ($1::bigint IS NULL OR sequence < $1) AND ($2::bigint IS NULL OR at >= $2) AND ($3::bigint IS NULL OR at < $3)
            AND ($4::text IS NULL OR actor = $4) AND ($5::text IS NULL OR client = $5) AND ($6::text IS NULL OR action = $6)
        ORDER BY sequence DESC LIMIT $7"
    );
    let of_people = on_the_primary!(
        "SELECT sequence, at, order_id, cart_number, action, actor, client, address, request_id, detail FROM audit
        WHERE ($1::bigint IS NULL OR sequence < $1) AND ($2::bigint IS NULL OR at >= $2) AND ($3::bigint IS NULL OR at < $3)
            AND ($4::text IS NULL OR actor = $4) AND ($5::text IS NULL OR client = $5) AND action = $6
            AND action IN ('replayed', 'resolved', 'cancelled')
        ORDER BY sequence DESC LIMIT $7"
    );
    let query = || {
        sqlx::query(if filter.is_of_people() { of_people } else { query })
            .bind(filter.before)
            .bind(filter.from.map(Timestamp::as_millisecond))
            .bind(filter.to.map(Timestamp::as_millisecond))
            .bind(filter.by.as_deref())
            .bind(filter.client.as_deref())
            .bind(filter.action.map(Action::name))
            .bind(whole(filter.limit))
    };
    let rows = readers.read(query).await?;
    // Where there is none, the columns of the one row are NULL; an action of a later version has no name here.
    let mut records: Vec<AuditRecord> = rows.iter().filter_map(read).collect();
    // SQL promises no order beyond the inner query.
    records.sort_by_key(|record| std::cmp::Reverse(record.sequence));
    Ok(records)
}

fn read(row: &PgRow) -> Option<AuditRecord> {
    let address: Option<String> = row.try_get(8).ok()?;
    let entry = AuditEntry {
        at: Timestamp::from_millisecond(row.try_get(2).ok()?).ok()?,
        by: row.try_get(6).ok()?,
        action: Action::parse(row.try_get(5).ok()?)?,
        detail: row.try_get(10).ok()?,
        client: row.try_get(7).ok()?,
        address: address.and_then(|address| address.parse().ok()),
        request_id: row.try_get(9).ok()?,
    };
    let order_id = OrderId::stored(row.try_get(3).ok()?);
    Some(AuditRecord { sequence: row.try_get(1).ok()?, order_id, cart_number: row.try_get(4).ok()?, entry })
}
