//! The audit trail in a database.

use jiff::Timestamp;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{Postgres, Row as _, Transaction};

use super::readers::{Readers, on_the_primary};
use super::row::whole;
use crate::ledger::audit::{AuditFilter, AuditPage, AuditPosition, AuditRecord, LOOKED_AT};
use crate::ledger::purge::ENTRIES_IN_A_PORTION;
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

/// Removes those of the next entries whose orders are gone; returns the last entry that it looked at, if there may be more. The
/// statements are planned each time, for these times.
///
/// # Errors
/// If the database refuses it, or fails.
pub async fn purge(
    transaction: &mut Transaction<'_, Postgres>,
    before: Timestamp,
    after: Option<AuditPosition>,
) -> Result<Option<AuditPosition>, sqlx::Error> {
    let before = before.as_millisecond();
    let (at, sequence) = after.map_or((i64::MIN, 0), |after| (after.at.as_millisecond(), after.sequence));
    let last = "SELECT at, sequence FROM audit WHERE at < $1 AND at >= $2 AND (at, sequence) > ($2, $3)
        ORDER BY at, sequence LIMIT 1 OFFSET $4";
    let last = sqlx::query_as(last).persistent(false).bind(before).bind(at).bind(sequence);
    let last: Option<(i64, i64)> =
        last.bind(whole(ENTRIES_IN_A_PORTION - 1)).fetch_optional(&mut **transaction).await?;
    let (last_at, last_sequence) = last.unwrap_or((before, 0));
    let query = "DELETE FROM audit WHERE sequence IN (SELECT sequence FROM audit
        WHERE at >= $1 AND (at, sequence) > ($1, $2) AND at <= $3 AND (at, sequence) <= ($3, $4)
            AND NOT EXISTS (SELECT 1 FROM orders WHERE orders.id = audit.order_id) FOR UPDATE SKIP LOCKED)";
    let query = sqlx::query(query).persistent(false).bind(at).bind(sequence).bind(last_at).bind(last_sequence);
    query.execute(&mut **transaction).await?;
    Ok(last.map(|(at, sequence)| AuditPosition { at: Timestamp::from_millisecond(at).unwrap_or_default(), sequence }))
}

/// A query about the next [`LOOKED_AT`] entries of the filter's time, from all of them or from those of people.
macro_rules! looked_at {
    ($columns:literal, $from:literal, $rest:literal) => {
        on_the_primary!(
            "SELECT ",
            $columns,
            " FROM (SELECT * FROM ",
            $from,
            " WHERE (at, sequence) < ($1, $2) AND at >= $3 AND at < $4
                ORDER BY at DESC, sequence DESC LIMIT $5) AS looked_at ",
            $rest
        )
    };
    ($columns:literal, $rest:literal) => {
        Queries {
            // An index has all of them in this order.
            of_all: looked_at!($columns, "audit", $rest),
            // People do little: theirs are sorted. `OFFSET 0` keeps the index of theirs from being passed over for that of all.
            of_people: looked_at!(
                $columns,
                "(SELECT * FROM audit WHERE action IN ('replayed', 'resolved', 'cancelled') OFFSET 0) AS of_people",
                $rest
            ),
        }
    };
}

/// The entries that a filter lets through.
const WANTED: Queries = looked_at!(
    "sequence, at, order_id, cart_number, action, actor, client, address, request_id, detail",
    "WHERE ($6::text IS NULL OR actor = $6) AND ($7::text IS NULL OR client = $7) AND ($8::text IS NULL OR action = $8)
        ORDER BY at DESC, sequence DESC LIMIT $9"
);

/// The last entry that was looked at, if there may be more behind it.
const LAST: Queries = looked_at!("sequence, at", "ORDER BY at DESC, sequence DESC OFFSET $5 - 1");

/// A query for each of two ways to the entries.
struct Queries {
    of_all: &'static str,
    of_people: &'static str,
}

impl Queries {
    /// The query for a filter, with its times. It is planned each time: a plan that suits any times might
    /// sort the whole trail.
    fn of<'q>(&self, filter: &AuditFilter) -> Query<'q, Postgres, PgArguments> {
        let last = (i64::MAX, i64::MAX);
        let (at, sequence) = filter.before.map_or(last, |before| (before.at.as_millisecond(), before.sequence));
        sqlx::query(if filter.is_of_people() { self.of_people } else { self.of_all })
            .persistent(false)
            .bind(at)
            .bind(sequence)
            .bind(filter.from.map_or(i64::MIN, Timestamp::as_millisecond))
            .bind(filter.to.map_or(i64::MAX, Timestamp::as_millisecond))
            .bind(whole(LOOKED_AT))
    }
}

/// Reads the next entries that a filter lets through, newest first.
///
/// # Errors
/// If the database can't be read.
pub async fn list(readers: &Readers, filter: &AuditFilter) -> Result<AuditPage, LedgerError> {
    let wanted = || {
        WANTED
            .of(filter)
            .bind(filter.by.as_deref())
            .bind(filter.client.as_deref())
            .bind(filter.action.map(Action::name))
            .bind(whole(filter.limit + 1))
    };
    let rows = readers.read(wanted).await?;
    // Where there is none, the columns of the one row are NULL; an action of a later version has no name here.
    let mut records: Vec<AuditRecord> = rows.iter().filter_map(read).collect();
    // SQL promises no order beyond the inner query.
    records.sort_by_key(|record| std::cmp::Reverse((record.entry.at, record.sequence)));
    let next = if records.len() > filter.limit {
        records.truncate(filter.limit);
        records.last().map(AuditRecord::position)
    } else if filter.searches() {
        readers.read(|| LAST.of(filter)).await?.iter().find_map(position)
    } else {
        None
    };
    Ok(AuditPage { records, next })
}

fn position(row: &PgRow) -> Option<AuditPosition> {
    Some(AuditPosition { at: Timestamp::from_millisecond(row.try_get(2).ok()?).ok()?, sequence: row.try_get(1).ok()? })
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
