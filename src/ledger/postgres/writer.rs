//! The writer of the PostgreSQL ledger: a group of writes is one transaction on one connection, which is opened again when
//! it breaks.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use sqlx::{Connection as _, PgConnection, Postgres, Row as _, Transaction};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout};
use tracing::warn;

use super::audit;
use super::carts::write_carts;
use super::committing_session::{CommittingSession, Origin};
use super::connection::QUERY_TIMEOUT;
use super::failure::{Fault, is_full, no_answer, text_of};
use super::outbox;
use super::row::{milliseconds, read_record, texts, whole};
use crate::ledger::group_commit::{Backend, Write, Written};
use crate::ledger::outbox::{Message, Recipients};
use crate::ledger::purge::{ORDERS_IN_A_PORTION, Purge, Purged};
use crate::ledger::working_set::{Applied, Change, Known, WorkingSet};
use crate::ledger::{LedgerError, indexed_cart_number};
use crate::order::{Order, OrderId, State};

/// Tries for a group that conflicts with other replicas' writes. Each try sees what they wrote, so the second mostly
/// goes well; a group that fails this often is an error that its callers get.
const MAX_TRIES: usize = 5;

/// Reads and locks orders.
const LOCK: &str = "SELECT id, record, writer FROM orders WHERE id = ANY($1) ORDER BY id FOR UPDATE";

/// The same for those that nobody else has locked.
const LOCK_IF_FREE: &str =
    "SELECT id, record, writer FROM orders WHERE id = ANY($1) ORDER BY id FOR UPDATE SKIP LOCKED";

type Results = Vec<Result<Written, LedgerError>>;

/// Time for which an order that another session had locked is not waited for: a person's open transaction may last for hours,
/// and each wait would hold the others up.
const SUSPECTED_FOR: Duration = Duration::from_mins(1);

/// What a group does about orders that another session has locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Locked {
    /// It waits, but not for those that were locked a moment ago: a replica's transaction takes milliseconds.
    Wait,
    /// It leaves them out, and each of their writes fails alone.
    LeaveOut,
}

/// The one writer of this replica.
pub struct Writer {
    pub sessions: CommittingSession,
    pub runtime: Handle,
    pub replica: String,
    pub lease: Duration,
    /// Set when the database has no room for a group.
    pub lacks_room: Arc<AtomicBool>,
    /// Orders that another session has locked, since when they are not waited for.
    pub suspects: HashMap<OrderId, Instant>,
    /// Who hears of the changes.
    pub recipients: Recipients,
}

/// Why a group was not written.
enum Failure {
    /// Another replica wrote the same orders at the same moment: nothing was written, and another try may succeed.
    Contended,
    /// Another session did not give a lock back in time: nothing was written.
    Locked(LedgerError),
    /// One of the writes can't be stored: nothing was written.
    Value(LedgerError),
    /// Nothing was written.
    Broken(LedgerError),
    /// The commit itself broke off: it may have been written.
    Ambiguous(LedgerError),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        match Fault::of(&error) {
            Fault::Contention => Self::Contended,
            Fault::Locked => Self::Locked(LedgerError::Locked(text_of(&error))),
            Fault::Value => Self::Value(LedgerError::Unwritable(text_of(&error))),
            Fault::Session | Fault::Other => Self::Broken(error.into()),
        }
    }
}

impl Writer {
    async fn write(&mut self, group: &[Write]) -> Result<Results, LedgerError> {
        let mut locked = Locked::Wait;
        for _ in 0..MAX_TRIES {
            // A session that failed is not put back.
            let (mut session, origin) = self.sessions.take().await?;
            let write = self.try_to_write(&mut session.connection, group, locked);
            let Ok(written) = timeout(QUERY_TIMEOUT, write).await else {
                return Err(no_answer());
            };
            match written {
                Ok(results) => {
                    self.sessions.put_back(session);
                    return Ok(results);
                }
                Err(Failure::Contended) => self.sessions.put_back(session),
                Err(Failure::Locked(_)) if locked == Locked::Wait => {
                    locked = Locked::LeaveOut;
                    self.sessions.put_back(session);
                }
                Err(Failure::Value(error) | Failure::Locked(error)) => {
                    self.sessions.put_back(session);
                    return Err(error);
                }
                // A new session is tried.
                Err(Failure::Broken(_)) if origin == Origin::Rested => {}
                Err(Failure::Broken(error) | Failure::Ambiguous(error)) => return Err(error),
            }
        }
        Err(LedgerError::unavailable("other replicas wrote the same orders again and again"))
    }

    async fn try_to_write(
        &mut self,
        connection: &mut PgConnection,
        group: &[Write],
        locked: Locked,
    ) -> Result<Results, Failure> {
        let mut transaction = connection.begin().await?;
        match self.apply(&mut transaction, group, locked).await {
            Ok((results, messages)) => {
                let committed = transaction.commit().await.inspect_err(|error| self.note_room(error));
                committed.map_err(|error| Failure::Ambiguous(error.into()))?;
                if !messages.is_empty() || group.iter().any(Write::has_messages) {
                    self.recipients.ring();
                }
                Ok(results)
            }
            Err(failure) => {
                // Before the session rests, so that no lock rests with it. If it fails, the session shows it when it is used.
                let _ = transaction.rollback().await;
                Err(failure)
            }
        }
    }

    /// Applies a group within a transaction.
    async fn apply(
        &mut self,
        transaction: &mut Transaction<'_, Postgres>,
        group: &[Write],
        locked: Locked,
    ) -> Result<(Results, Vec<Message>), Failure> {
        let mut orders = WorkingSet::new(self.lock(transaction, &WorkingSet::ids(group), locked).await?);
        let applied: Vec<_> = group.iter().map(|write| orders.apply(write)).collect();
        let (mut new, mut newer) = (Rows::default(), Rows::default());
        for change in orders.changes() {
            match change {
                Change::New(order) => new.add(order).map_err(Failure::Value)?,
                Change::Newer(order) => newer.add(order).map_err(Failure::Value)?,
            }
        }
        self.insert(transaction, &new).await?;
        self.update(transaction, &newer).await?;
        write_carts(transaction, &orders).await.inspect_err(|error| self.note_room(error))?;
        audit::insert(transaction, orders.audited()).await.inspect_err(|error| self.note_room(error))?;
        let messages = self.recipients.messages(orders.events());
        outbox::insert(transaction, &messages).await.inspect_err(|error| self.note_room(error))?;
        let mut results = Vec::with_capacity(group.len());
        for applied in applied {
            results.push(match applied {
                Applied::ToAnOrder(result) => result,
                // After the changes, so that an order that the group restarts is not removed.
                Applied::ToAll(Purge::Orders(before)) => {
                    Ok(Written::Purged(Purged::Orders(purge(transaction, before).await?)))
                }
                Applied::ToAll(Purge::Audit { before, after }) => {
                    Ok(Written::Purged(Purged::Audit(audit::purge(transaction, before, after).await?)))
                }
                Applied::ToOutbox(write) => Ok(Written::Outbox(outbox::write(transaction, write).await?)),
            });
        }
        Ok((results, messages))
    }

    /// Reads and locks the orders, those that are waited for always in the order of their ids, so that replicas can't deadlock.
    async fn lock(
        &mut self,
        transaction: &mut Transaction<'_, Postgres>,
        ids: &[OrderId],
        locked: Locked,
    ) -> Result<BTreeMap<OrderId, Known>, Failure> {
        self.suspects.retain(|_, since| since.elapsed() < SUSPECTED_FOR);
        let (mut awaited, mut left): (Vec<&OrderId>, Vec<&OrderId>) =
            ids.iter().partition(|id| locked == Locked::Wait && !self.suspects.contains_key(*id));
        let mut orders = BTreeMap::new();
        for (ids, query) in [(&mut awaited, LOCK), (&mut left, LOCK_IF_FREE)] {
            if ids.is_empty() {
                continue;
            }
            for row in sqlx::query(query).bind(texts(ids)).fetch_all(&mut **transaction).await? {
                let Some(order) = read_record(&row, 0).transpose() else { continue };
                let written_by_us = row.get::<&str, _>(2) == self.replica;
                orders.insert(OrderId::stored(row.get(0)), Known { order, written_by_us });
            }
        }
        self.leave_out(transaction, &left, &mut orders).await?;
        Ok(orders)
    }

    /// Of orders that were not waited for, those that are there and locked: their writes fail.
    async fn leave_out(
        &mut self,
        transaction: &mut Transaction<'_, Postgres>,
        ids: &[&OrderId],
        orders: &mut BTreeMap<OrderId, Known>,
    ) -> Result<(), Failure> {
        if ids.is_empty() {
            return Ok(());
        }
        let query = sqlx::query("SELECT id FROM orders WHERE id = ANY($1)").bind(texts(ids));
        for row in query.fetch_all(&mut **transaction).await? {
            let id = OrderId::stored(row.get(0));
            if orders.contains_key(&id) {
                self.suspects.remove(&id);
                continue;
            }
            if self.suspects.insert(id.clone(), Instant::now()).is_none() {
                warn!(
                    order.id = %id,
                    "another session of the database has locked the order: it can't be changed until that transaction ends"
                );
            }
            let reason = "another session of the database has locked it".to_owned();
            orders.insert(id, Known { order: Err(LedgerError::Locked(reason)), written_by_us: false });
        }
        Ok(())
    }

    async fn insert(&self, transaction: &mut Transaction<'_, Postgres>, rows: &Rows<'_>) -> Result<(), Failure> {
        let query = "INSERT INTO orders (id, cart_number, state, received_at, settled_at, next_attempt_at, record,
                revision, writer, lease_until)
            SELECT id, cart_number, state, received_at, settled_at, next_attempt_at, record, revision, $9,
                CASE WHEN leased THEN clock_timestamp() + $10 * interval '1 millisecond' END
            FROM UNNEST($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[],
                $8::bigint[], $11::boolean[])
                AS row (id, cart_number, state, received_at, settled_at, next_attempt_at, record, revision, leased)
            ORDER BY id ON CONFLICT (id) DO NOTHING";
        let written = self.run(query, transaction, rows).await?;
        // Another replica has admitted one of them first.
        if written == rows.len() { Ok(()) } else { Err(Failure::Contended) }
    }

    async fn update(&self, transaction: &mut Transaction<'_, Postgres>, rows: &Rows<'_>) -> Result<(), Failure> {
        let query = "UPDATE orders SET cart_number = row.cart_number, state = row.state,
                received_at = row.received_at, settled_at = row.settled_at, next_attempt_at = row.next_attempt_at,
                record = row.record, revision = row.revision, writer = $9,
                lease_until = CASE WHEN leased THEN clock_timestamp() + $10 * interval '1 millisecond' END
            FROM UNNEST($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[],
                $8::bigint[], $11::boolean[])
                AS row (id, cart_number, state, received_at, settled_at, next_attempt_at, record, revision, leased)
            WHERE orders.id = row.id";
        self.run(query, transaction, rows).await.map(drop)
    }

    async fn run(
        &self,
        query: &'static str,
        transaction: &mut Transaction<'_, Postgres>,
        rows: &Rows<'_>,
    ) -> Result<usize, Failure> {
        if rows.len() == 0 {
            return Ok(0);
        }
        let done = sqlx::query(query)
            .bind(&rows.ids)
            .bind(&rows.cart_numbers)
            .bind(&rows.states)
            .bind(&rows.received)
            .bind(&rows.settled)
            .bind(&rows.next_attempts)
            .bind(&rows.records)
            .bind(&rows.revisions)
            .bind(&self.replica)
            .bind(milliseconds(self.lease))
            .bind(&rows.leased)
            .execute(&mut **transaction)
            .await
            .inspect_err(|error| self.note_room(error))?;
        Ok(usize::try_from(done.rows_affected()).unwrap_or(usize::MAX))
    }
}

impl Writer {
    /// A full disk lets some writes pass and others not: readiness has to know of it.
    fn note_room(&self, error: &sqlx::Error) {
        if is_full(error) {
            self.lacks_room.store(true, Ordering::Release);
        }
    }
}

impl Backend for Writer {
    fn commit(&mut self, group: &[Write]) -> Result<Results, LedgerError> {
        let runtime = self.runtime.clone();
        runtime.block_on(self.write(group))
    }
}

async fn purge(transaction: &mut Transaction<'_, Postgres>, before: Timestamp) -> Result<usize, Failure> {
    let query = "DELETE FROM orders WHERE id IN
        (SELECT id FROM orders WHERE settled_at < $1 AND state <> 'parked' LIMIT $2 FOR UPDATE SKIP LOCKED)";
    let query = sqlx::query(query).bind(before.as_millisecond()).bind(whole(ORDERS_IN_A_PORTION));
    let done = query.execute(&mut **transaction).await?;
    Ok(usize::try_from(done.rows_affected()).unwrap_or(usize::MAX))
}

/// A record with its body: replicas of earlier versions look for it there.
#[derive(Serialize)]
struct WholeRecord<'a> {
    #[serde(flatten)]
    order: &'a Order,
    body: &'a str,
}

/// Orders by column, as one statement takes them.
#[derive(Default)]
struct Rows<'a> {
    ids: Vec<&'a str>,
    cart_numbers: Vec<String>,
    states: Vec<&'static str>,
    received: Vec<i64>,
    settled: Vec<Option<i64>>,
    next_attempts: Vec<Option<i64>>,
    records: Vec<String>,
    revisions: Vec<i64>,
    leased: Vec<bool>,
}

impl<'a> Rows<'a> {
    fn add(&mut self, order: &'a Order) -> Result<(), LedgerError> {
        let record = serde_json::to_string(&WholeRecord { order, body: &order.body });
        let record = record.map_err(|error| LedgerError::Unwritable(error.to_string()))?;
        self.ids.push(order.id.as_str());
        self.cart_numbers.push(indexed_cart_number(&order.cart_number));
        self.states.push(order.state.name());
        self.received.push(order.received_at.as_millisecond());
        self.settled.push(order.settled_at.map(Timestamp::as_millisecond));
        self.next_attempts.push(order.next_attempt_at.map(Timestamp::as_millisecond));
        self.records.push(record);
        self.revisions.push(i64::try_from(order.revision).unwrap_or(i64::MAX));
        // A retry has no lease: any replica takes it when it is due.
        self.leased.push(matches!(order.state, State::Accepted | State::Forwarding));
        Ok(())
    }

    const fn len(&self) -> usize {
        self.ids.len()
    }
}
