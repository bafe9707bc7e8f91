//! The outbox in a database: a message belongs to the replica that has claimed it, for as long as a delivery may take.

use jiff::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, Row as _, Transaction};

use super::readers::{Readers, on_the_primary};
use super::row::{milliseconds, whole};
use crate::ledger::LedgerError;
use crate::ledger::outbox::{
    CLAIM, Channel, Conclusion, Incident, Kind, Message, OutboxWrite, OutboxWritten, Pending, latest_wait,
};

/// Makes a write within the transaction of its group.
///
/// # Errors
/// If the database refuses it, or fails.
pub async fn write(
    transaction: &mut Transaction<'_, Postgres>,
    write: &OutboxWrite,
) -> Result<OutboxWritten, sqlx::Error> {
    Ok(match write {
        OutboxWrite::Enqueue(messages) => {
            insert(transaction, messages).await?;
            OutboxWritten::Done
        }
        OutboxWrite::Claim(channel, now) => {
            OutboxWritten::Claimed(claim(transaction, *channel, *now).await?.map(Box::new))
        }
        OutboxWrite::Conclude(sequence, conclusion) => {
            conclude(transaction, *sequence, *conclusion).await?;
            OutboxWritten::Done
        }
        OutboxWrite::Begin(incident, messages) => OutboxWritten::Changed(begin(transaction, incident, messages).await?),
        OutboxWrite::End(subject, seen_before, messages) => {
            let query = sqlx::query("DELETE FROM incidents WHERE subject = $1 AND seen_at <= $2");
            let query = query.bind(subject).bind(seen_before.as_millisecond());
            let has_ended = query.execute(&mut **transaction).await?.rows_affected() > 0;
            if has_ended {
                insert(transaction, messages).await?;
            }
            OutboxWritten::Changed(has_ended)
        }
        OutboxWrite::Tidy(keep, before) => OutboxWritten::Removed(tidy(transaction, *keep, *before).await?),
    })
}

/// Stores messages; one with a known id is left out.
///
/// # Errors
/// If the database refuses it, or fails.
pub async fn insert(transaction: &mut Transaction<'_, Postgres>, messages: &[Message]) -> Result<(), sqlx::Error> {
    let query = "INSERT INTO outbox (id, channel, kind, subject, payload, created_at, next_attempt_at)
        VALUES ($1, $2, $3, $4, $5, $6, 0) ON CONFLICT (channel, id) DO NOTHING";
    for message in messages {
        let query = sqlx::query(query)
            .bind(&message.id)
            .bind(message.channel.name())
            .bind(message.kind.name())
            .bind(&message.subject)
            .bind(&message.payload)
            .bind(message.created_at.as_millisecond());
        query.execute(&mut **transaction).await?;
    }
    Ok(())
}

/// Replicas that claim at the same moment do not wait for each other.
async fn claim(
    transaction: &mut Transaction<'_, Postgres>,
    channel: Channel,
    now: Timestamp,
) -> Result<Option<Pending>, sqlx::Error> {
    let query = "WITH due AS MATERIALIZED (
            SELECT sequence FROM outbox AS message WHERE channel = $1
                AND (next_attempt_at <= $2 OR next_attempt_at > $3)
                AND (claimed_until IS NULL OR claimed_until < clock_timestamp())
                AND NOT EXISTS (SELECT 1 FROM outbox AS earlier WHERE earlier.channel = message.channel
                    AND earlier.subject = message.subject AND earlier.sequence < message.sequence)
            ORDER BY sequence LIMIT 1 FOR UPDATE SKIP LOCKED)
        UPDATE outbox SET claimed_until = clock_timestamp() + $4 * interval '1 millisecond'
        WHERE sequence IN (SELECT sequence FROM due)
        RETURNING sequence, attempts, id, kind, subject, payload, created_at";
    let query = sqlx::query(query)
        .bind(channel.name())
        .bind(now.as_millisecond())
        .bind(latest_wait(now).as_millisecond())
        .bind(milliseconds(CLAIM));
    let row = query.fetch_optional(&mut **transaction).await?;
    row.map(|row| read(&row, channel)).transpose()
}

fn read(row: &PgRow, channel: Channel) -> Result<Pending, sqlx::Error> {
    let message = Message {
        id: row.try_get(2)?,
        channel,
        // A kind of a later version is no alert for anybody.
        kind: Kind::parse(row.try_get(3)?).unwrap_or(Kind::Change),
        subject: row.try_get(4)?,
        payload: row.try_get(5)?,
        created_at: time(row.try_get(6)?),
    };
    let attempts = u32::try_from(row.try_get::<i32, _>(1)?).unwrap_or(0);
    Ok(Pending { sequence: row.try_get(0)?, attempts, message })
}

async fn conclude(
    transaction: &mut Transaction<'_, Postgres>,
    sequence: i64,
    conclusion: Conclusion,
) -> Result<(), sqlx::Error> {
    let query = match conclusion {
        Conclusion::Remove => sqlx::query("DELETE FROM outbox WHERE sequence = $1").bind(sequence),
        Conclusion::Retry(at) => sqlx::query(
            "UPDATE outbox SET attempts = attempts + 1, next_attempt_at = $2, claimed_until = NULL WHERE sequence = $1",
        )
        .bind(sequence)
        .bind(at.as_millisecond()),
    };
    query.execute(&mut **transaction).await.map(drop)
}

async fn begin(
    transaction: &mut Transaction<'_, Postgres>,
    incident: &Incident,
    messages: &[Message],
) -> Result<bool, sqlx::Error> {
    let query = "INSERT INTO incidents (subject, begun_at, seen_at, payload) VALUES ($1, $2, $3, $4)
        ON CONFLICT (subject) DO UPDATE SET seen_at = greatest(incidents.seen_at, excluded.seen_at)
        RETURNING xmax = 0";
    let query = sqlx::query_scalar(query)
        .bind(&incident.subject)
        .bind(incident.begun_at.as_millisecond())
        .bind(incident.seen_at.as_millisecond())
        .bind(&incident.payload);
    // A row that was there has been locked by the update.
    let is_new: bool = query.fetch_one(&mut **transaction).await?;
    if is_new {
        insert(transaction, messages).await?;
    }
    Ok(is_new)
}

async fn tidy(
    transaction: &mut Transaction<'_, Postgres>,
    keep: usize,
    before: Timestamp,
) -> Result<Vec<(String, u64)>, sqlx::Error> {
    let query = "WITH ranked AS (
            SELECT sequence, row_number() OVER (PARTITION BY channel ORDER BY sequence DESC) AS place FROM outbox),
        removed AS (
            DELETE FROM outbox USING ranked WHERE outbox.sequence = ranked.sequence
                AND (ranked.place > $1 OR outbox.created_at < $2) RETURNING outbox.channel)
        SELECT channel, count(*) FROM removed GROUP BY channel";
    let query = sqlx::query(query).bind(whole(keep)).bind(before.as_millisecond());
    query.fetch_all(&mut **transaction).await?.iter().map(|row| count(row, 0)).collect()
}

/// Whether a message of a channel may be due.
///
/// # Errors
/// If the database can't be read.
pub async fn has_due(readers: &Readers, channel: Channel, now: Timestamp) -> Result<bool, LedgerError> {
    let query = on_the_primary!(
        "SELECT 1 FROM outbox AS message WHERE channel = $1 AND (next_attempt_at <= $2 OR next_attempt_at > $3)
            AND (claimed_until IS NULL OR claimed_until < clock_timestamp())
            AND NOT EXISTS (SELECT 1 FROM outbox AS earlier WHERE earlier.channel = message.channel
                AND earlier.subject = message.subject AND earlier.sequence < message.sequence) LIMIT 1"
    );
    let query =
        || sqlx::query(query).bind(channel.name()).bind(now.as_millisecond()).bind(latest_wait(now).as_millisecond());
    let rows = readers.read(query).await?;
    Ok(rows.iter().any(|row| row.try_get::<i32, _>(1).is_ok()))
}

/// The incidents that have begun and not ended.
///
/// # Errors
/// If the database can't be read.
pub async fn incidents(readers: &Readers) -> Result<Vec<Incident>, LedgerError> {
    let rows =
        readers.read(|| sqlx::query(on_the_primary!("SELECT subject, begun_at, seen_at, payload FROM incidents")));
    let read = |row: &PgRow| {
        // Where there is none, the columns of the one row are NULL.
        Some(Incident {
            subject: row.try_get(1).ok()?,
            begun_at: time(row.try_get(2).ok()?),
            seen_at: time(row.try_get(3).ok()?),
            payload: row.try_get(4).ok()?,
        })
    };
    Ok(rows.await?.iter().filter_map(read).collect())
}

/// The number of messages that wait, by the name of their channel.
///
/// # Errors
/// If the database can't be read.
pub async fn pending(readers: &Readers) -> Result<Vec<(String, u64)>, LedgerError> {
    let query = on_the_primary!("SELECT channel, count(*) FROM outbox GROUP BY channel");
    let rows = readers.read(|| sqlx::query(query)).await?;
    Ok(rows.iter().filter_map(|row| count(row, 1).ok()).collect())
}

fn count(row: &PgRow, first: usize) -> Result<(String, u64), sqlx::Error> {
    Ok((row.try_get(first)?, u64::try_from(row.try_get::<i64, _>(first + 1)?).unwrap_or(0)))
}

fn time(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or_default()
}
