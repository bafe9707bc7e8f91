//! The outbox in a file. The process holds the file alone, so a message needs no claim.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::schema::whole;
use crate::ledger::LedgerError;
use crate::ledger::outbox::{
    Channel, Conclusion, Incident, Kind, Message, OutboxWrite, OutboxWritten, Pending, latest_wait,
};

/// Makes a write within the transaction of its group.
///
/// # Errors
/// If the file can't be written.
pub fn write(connection: &Connection, write: &OutboxWrite) -> Result<OutboxWritten, LedgerError> {
    Ok(match write {
        OutboxWrite::Enqueue(messages) => {
            insert(connection, messages)?;
            OutboxWritten::Done
        }
        OutboxWrite::Claim(channel, now) => OutboxWritten::Claimed(next(connection, *channel, *now)?.map(Box::new)),
        OutboxWrite::Conclude(sequence, conclusion) => {
            conclude(connection, *sequence, *conclusion)?;
            OutboxWritten::Done
        }
        OutboxWrite::Begin(incident, messages) => OutboxWritten::Changed(begin(connection, incident, messages)?),
        OutboxWrite::End(subject, seen_before, messages) => {
            let query = "DELETE FROM incidents WHERE subject = ?1 AND seen_at <= ?2";
            let parameters = params![subject, seen_before.as_millisecond()];
            let has_ended = connection.prepare_cached(query)?.execute(parameters)? > 0;
            if has_ended {
                insert(connection, messages)?;
            }
            OutboxWritten::Changed(has_ended)
        }
        OutboxWrite::Tidy(keep, before) => OutboxWritten::Removed(tidy(connection, *keep, *before)?),
    })
}

/// Stores messages; one with a known id is left out.
///
/// # Errors
/// If the file can't be written.
pub fn insert(connection: &Connection, messages: &[Message]) -> Result<(), LedgerError> {
    let query = "INSERT INTO outbox (id, channel, kind, subject, payload, created_at, next_attempt_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0) ON CONFLICT (channel, id) DO NOTHING";
    for message in messages {
        connection.prepare_cached(query)?.execute(params![
            message.id,
            message.channel.name(),
            message.kind.name(),
            message.subject,
            message.payload,
            message.created_at.as_millisecond(),
        ])?;
    }
    Ok(())
}

fn conclude(connection: &Connection, sequence: i64, conclusion: Conclusion) -> Result<(), LedgerError> {
    match conclusion {
        Conclusion::Remove => {
            connection.prepare_cached("DELETE FROM outbox WHERE sequence = ?1")?.execute([sequence])?
        }
        Conclusion::Retry(at) => connection
            .prepare_cached("UPDATE outbox SET attempts = attempts + 1, next_attempt_at = ?2 WHERE sequence = ?1")?
            .execute(params![sequence, at.as_millisecond()])?,
    };
    Ok(())
}

fn begin(connection: &Connection, incident: &Incident, messages: &[Message]) -> Result<bool, LedgerError> {
    let query = "UPDATE incidents SET seen_at = ?2 WHERE subject = ?1";
    let parameters = params![incident.subject, incident.seen_at.as_millisecond()];
    if connection.prepare_cached(query)?.execute(parameters)? > 0 {
        return Ok(false);
    }
    let query = "INSERT INTO incidents (subject, begun_at, seen_at, payload) VALUES (?1, ?2, ?3, ?4)";
    connection.prepare_cached(query)?.execute(params![
        incident.subject,
        incident.begun_at.as_millisecond(),
        incident.seen_at.as_millisecond(),
        incident.payload,
    ])?;
    insert(connection, messages)?;
    Ok(true)
}

fn tidy(connection: &Connection, keep: usize, before: Timestamp) -> Result<Vec<(String, u64)>, LedgerError> {
    let mut removed = Vec::new();
    for (channel, count) in pending(connection)? {
        let query = "DELETE FROM outbox WHERE channel = ?1 AND (created_at < ?3 OR sequence <=
            coalesce((SELECT sequence FROM outbox WHERE channel = ?1 ORDER BY sequence DESC LIMIT 1 OFFSET ?2), -1))";
        let parameters = params![channel, whole(keep), before.as_millisecond()];
        let surplus = connection.prepare_cached(query)?.execute(parameters)?;
        if surplus > 0 {
            removed.push((channel, u64::try_from(surplus).unwrap_or(count)));
        }
    }
    Ok(removed)
}

/// The next message of a channel that is due.
///
/// # Errors
/// If the file can't be read.
pub fn next(connection: &Connection, channel: Channel, now: Timestamp) -> Result<Option<Pending>, LedgerError> {
    let query = "SELECT sequence, attempts, id, kind, subject, payload, created_at FROM outbox AS message
        WHERE channel = ?1 AND (next_attempt_at <= ?2 OR next_attempt_at > ?3) AND NOT EXISTS (
            SELECT 1 FROM outbox AS earlier WHERE earlier.channel = message.channel
                AND earlier.subject = message.subject AND earlier.sequence < message.sequence)
        ORDER BY sequence LIMIT 1";
    let parameters = params![channel.name(), now.as_millisecond(), latest_wait(now).as_millisecond()];
    let found = connection.prepare_cached(query)?.query_row(parameters, |row| read(row, channel)).optional()?;
    Ok(found)
}

fn read(row: &Row<'_>, channel: Channel) -> rusqlite::Result<Pending> {
    let kind: String = row.get(3)?;
    Ok(Pending {
        sequence: row.get(0)?,
        attempts: row.get(1)?,
        message: Message {
            id: row.get(2)?,
            channel,
            // A kind of a later version is no alert for anybody.
            kind: Kind::parse(&kind).unwrap_or(Kind::Change),
            subject: row.get(4)?,
            payload: row.get(5)?,
            created_at: time(row.get(6)?),
        },
    })
}

/// The incidents that have begun and not ended.
///
/// # Errors
/// If the file can't be read.
pub fn incidents(connection: &Connection) -> Result<Vec<Incident>, LedgerError> {
    let mut query = connection.prepare_cached("SELECT subject, begun_at, seen_at, payload FROM incidents")?;
    let incidents = query.query_map([], |row| {
        Ok(Incident {
            subject: row.get(0)?,
            begun_at: time(row.get(1)?),
            seen_at: time(row.get(2)?),
            payload: row.get(3)?,
        })
    })?;
    Ok(incidents.collect::<Result<_, _>>()?)
}

/// The number of messages that wait, by the name of their channel.
///
/// # Errors
/// If the file can't be read.
pub fn pending(connection: &Connection) -> Result<Vec<(String, u64)>, LedgerError> {
    let mut query = connection.prepare_cached("SELECT channel, count(*) FROM outbox GROUP BY channel")?;
    let counts = query.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))?;
    let counts: Vec<(String, i64)> = counts.collect::<Result<_, _>>()?;
    Ok(counts.into_iter().map(|(channel, count)| (channel, u64::try_from(count).unwrap_or(0))).collect())
}

fn time(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or_default()
}
