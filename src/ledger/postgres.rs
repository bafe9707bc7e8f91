//! The ledger in a PostgreSQL database that several replicas share.
//!
//! An open order belongs to one replica by a lease, counted on the database's clock. Of two changes to one revision the
//! database takes one, so two replicas never begin one attempt. The lease outlasts the attempt, so no replica takes over
//! an attempt that is being made.

mod audit;
mod carts;
mod census;
mod certificates;
mod claims;
mod committing_session;
mod connection;
mod failure;
mod outbox;
mod probe;
mod readers;
mod readiness;
mod row;
mod schema;
mod writer;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{Postgres, Row as _};
use tokio::sync::Mutex;

use super::audit::{AuditFilter, AuditPage, AuditTrail};
use super::group_commit::GroupCommit;
use super::open_orders::Census;
use super::outbox::{Channel, Incident, Outbox, OutboxWrite, OutboxWritten, Pending, Recipients};
use super::page::Page;
use super::statistics::LedgerStatistics;
use super::{
    Claimed, Filter, Ledger, LedgerError, ListPosition, Sharing, Stored, claimed, indexed_cart_number, left_out,
};
use crate::order::{Admission, Candidate, Order, OrderId, State, Terms};
use claims::Claims;
use committing_session::CommittingSession;
use connection::{Connector, Purpose};
use readers::{Readers, on_the_primary};
use readiness::Readiness;
use row::{milliseconds, read_record, signed, whole};
use writer::Writer;

pub use carts::CartReader;
pub use connection::{UrlSource, file_mistakes};
pub use failure::OpenError;
pub use probe::{Probe, probe};

/// Interrupted attempts that one claim takes over: more than any replica makes at the same time.
const TAKEN_OVER: i64 = 1_000;

/// A ledger in a database, for one replica.
#[derive(Debug, Clone)]
pub struct PostgresLedger {
    writer: GroupCommit,
    statistics: Arc<LedgerStatistics>,
    readers: Readers,
    readiness: Arc<Readiness>,
    /// The name of this process among the replicas; a restart has another.
    replica: String,
    lease: Duration,
    claims: Arc<Mutex<Claims>>,
}

impl PostgresLedger {
    /// Connects, brings the schema up to date, and starts the writer. `lease` has to be longer than any attempt.
    ///
    /// # Errors
    /// If the database can't be reached, and may be later; or if its URL, its files, its encoding, its sessions or its
    /// schema can't be used.
    pub async fn open(url: UrlSource, lease: Duration) -> Result<Self, OpenError> {
        Self::open_with(url, lease, Recipients::default()).await
    }

    /// The same, where others hear of changes.
    ///
    /// # Errors
    /// As [`PostgresLedger::open`].
    pub async fn open_with(url: UrlSource, lease: Duration, recipients: Recipients) -> Result<Self, OpenError> {
        let connector = Connector::new(url);
        let mut first = connector.connect(Purpose::Migration).await?;
        let mut reader = connector.connect(Purpose::Orders).await?;
        Connector::check_pooling(&mut first, &mut reader).await?;
        schema::migrate(&mut first.connection).await.map_err(failure::opening)?.map_err(OpenError::Permanent)?;
        let replica = uuid::Uuid::new_v4().to_string();
        let readers = Readers::new(connector.clone());
        readers.put_back(reader);
        let readiness = Arc::new(Readiness::new(connector.clone()));
        let writer = Writer {
            sessions: CommittingSession::new(connector.clone()),
            runtime: tokio::runtime::Handle::current(),
            replica: replica.clone(),
            lease,
            lacks_room: readiness.lacks_room(),
            suspects: HashMap::new(),
            recipients,
        };
        let statistics = Arc::new(LedgerStatistics::default());
        let writer = GroupCommit::start(writer, Arc::clone(&statistics)).map_err(OpenError::Permanent)?;
        let claims = Arc::new(Mutex::new(Claims::new(connector)));
        Ok(Self { writer, statistics, readers, readiness, replica, lease, claims })
    }

    /// Takes over interrupted attempts, and open orders that are due and that nobody has. Replicas that claim at the same
    /// moment do not wait for each other: each takes what the others leave.
    fn claim_query(&self, now: Timestamp, limit: usize) -> Query<'_, Postgres, PgArguments> {
        let query = "WITH gone AS MATERIALIZED (
                SELECT id FROM orders WHERE state = 'forwarding' AND lease_until < clock_timestamp()
                ORDER BY received_at, id LIMIT $5 FOR UPDATE SKIP LOCKED),
            due AS MATERIALIZED (
                SELECT id FROM orders WHERE state IN ('accepted', 'retrying')
                    AND (next_attempt_at IS NULL OR next_attempt_at <= $3)
                    AND (lease_until IS NULL OR lease_until < clock_timestamp())
                ORDER BY received_at, id LIMIT $4 FOR UPDATE SKIP LOCKED)
            UPDATE orders SET lease_until = clock_timestamp() + $1 * interval '1 millisecond', writer = $2
            WHERE id IN (SELECT id FROM gone UNION ALL SELECT id FROM due)
            RETURNING id, received_at, state, revision";
        sqlx::query(query)
            .bind(milliseconds(self.lease))
            .bind(&self.replica)
            .bind(now.as_millisecond())
            .bind(whole(limit))
            .bind(TAKEN_OVER)
    }

    /// The open orders that belong to this replica, those that it works on among them.
    async fn owned(&self) -> Result<Vec<Claimed>, LedgerError> {
        let query = on_the_primary!(
            "SELECT id, received_at, state, revision FROM orders WHERE writer = $1
                AND state IN ('accepted', 'forwarding', 'retrying') AND lease_until >= clock_timestamp()"
        );
        let rows = self.readers.read(|| sqlx::query(query).bind(&self.replica)).await?;
        Ok(claimed_orders(&rows))
    }
}

#[async_trait]
impl Ledger for PostgresLedger {
    fn sharing(&self) -> Sharing {
        Sharing::Shared
    }

    async fn admit(&self, candidate: Candidate, terms: Terms) -> Result<Admission, LedgerError> {
        self.writer.admit(candidate, terms).await
    }

    async fn store(&self, order: Order) -> Result<Stored, LedgerError> {
        self.writer.store(order).await
    }

    async fn find(&self, id: &OrderId) -> Result<Option<Order>, LedgerError> {
        if is_nowhere(id) {
            return Ok(None);
        }
        let query = on_the_primary!("SELECT id, record FROM orders WHERE id = $1");
        let rows = self.readers.read(|| sqlx::query(query).bind(id.as_str())).await?;
        rows.first().and_then(|row| read_record(row, 1).transpose()).transpose()
    }

    async fn settled_since(&self, orders: Vec<(OrderId, u64)>) -> Result<Vec<Order>, LedgerError> {
        let query = on_the_primary!(
            "SELECT orders.id, record FROM orders JOIN UNNEST($1::text[], $2::bigint[]) AS known (id, revision)
                ON orders.id = known.id AND orders.revision > known.revision
            WHERE state NOT IN ('accepted', 'forwarding', 'retrying')"
        );
        let (ids, revisions): (Vec<_>, Vec<_>) =
            orders.iter().map(|(id, revision)| (id.as_str(), signed(*revision))).unzip();
        Ok(readable(&self.readers.read(|| sqlx::query(query).bind(&ids).bind(&revisions)).await?))
    }

    async fn list(&self, filter: Filter) -> Result<Vec<Order>, LedgerError> {
        if filter.after.as_ref().is_some_and(|position| is_nowhere(&position.id)) {
            return Ok(Vec::new());
        }
        let query = on_the_primary!(
            "SELECT id, record, received_at FROM orders
            WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR cart_number = $2)
                AND ($3::bigint IS NULL OR (received_at, id) < ($3, $4))
            ORDER BY received_at DESC, id DESC LIMIT $5"
        );
        let mut page = Page::new(filter);
        while let Some(rest) = page.rest() {
            let bound = || {
                let position = rest.after.as_ref();
                sqlx::query(query)
                    .bind(rest.state.map(State::name))
                    .bind(rest.cart_number.as_deref().map(indexed_cart_number))
                    .bind(position.map(|position| position.received_at.as_millisecond()))
                    .bind(position.map(|position| position.id.as_str()))
                    .bind(whole(rest.limit))
            };
            let rows = self.readers.read(bound).await?;
            page.add(rows.iter().filter_map(listed));
        }
        Ok(page.into_orders())
    }

    async fn claim(&self, now: Timestamp, limit: usize) -> Result<Vec<Claimed>, LedgerError> {
        let mut claims = self.claims.lock().await;
        let rows = claims.run(|| self.claim_query(now, limit)).await?;
        let mut orders: Vec<Claimed> = if claims.may_lack_some {
            // Those of this claim are among them.
            self.owned().await?
        } else {
            rows.iter().filter_map(|row| claimed(row.get(0), row.get(1), row.get(2), row.get(3))).collect()
        };
        claims.is_answered();
        orders.sort_by(|one, other| (one.received_at, &one.id).cmp(&(other.received_at, &other.id)));
        Ok(orders)
    }

    async fn release(&self) -> Result<(), LedgerError> {
        let query = "UPDATE orders SET lease_until = NULL WHERE writer = $1 AND state IN ('accepted', 'retrying')";
        self.claims.lock().await.run(|| sqlx::query(query).bind(&self.replica)).await.map(drop)
    }

    async fn check(&self) -> Result<(), LedgerError> {
        self.writer.check()?;
        self.readiness.check().await
    }

    async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, LedgerError> {
        let query = on_the_primary!(
            "SELECT min(next_attempt_at) FROM orders WHERE state = 'retrying' AND next_attempt_at > $1"
        );
        let rows = self.readers.read(|| sqlx::query(query).bind(now.as_millisecond())).await?;
        let at = rows.first().and_then(|row| row.get::<Option<i64>, _>(1));
        Ok(at.and_then(|at| Timestamp::from_millisecond(at).ok()))
    }

    async fn due_after(&self, time: Timestamp, limit: usize) -> Result<Vec<Claimed>, LedgerError> {
        let query = on_the_primary!(
            "SELECT id, received_at, state, revision FROM orders WHERE state = 'retrying' AND next_attempt_at > $1 LIMIT $2"
        );
        let query = || sqlx::query(query).bind(time.as_millisecond()).bind(whole(limit));
        let rows = self.readers.read(query).await?;
        Ok(claimed_orders(&rows))
    }

    async fn census(&self, overdue_since: Timestamp) -> Result<Census, LedgerError> {
        census::count(&self.readers, overdue_since).await
    }

    fn statistics(&self) -> Arc<LedgerStatistics> {
        Arc::clone(&self.statistics)
    }

    async fn purge(&self, now: Timestamp, retention: Duration) -> Result<usize, LedgerError> {
        self.writer.purge(now, retention).await
    }
}

#[async_trait]
impl Outbox for PostgresLedger {
    async fn write(&self, write: OutboxWrite) -> Result<OutboxWritten, LedgerError> {
        self.writer.outbox(write).await
    }

    async fn next(&self, channel: Channel, now: Timestamp) -> Result<Option<Pending>, LedgerError> {
        // Mostly there is none, and a question is cheaper than a commit.
        if !outbox::has_due(&self.readers, channel, now).await? {
            return Ok(None);
        }
        match self.writer.outbox(OutboxWrite::Claim(channel, now)).await? {
            OutboxWritten::Claimed(pending) => Ok(pending.map(|pending| *pending)),
            _ => Ok(None),
        }
    }

    async fn incidents(&self) -> Result<Vec<Incident>, LedgerError> {
        outbox::incidents(&self.readers).await
    }

    async fn pending(&self) -> Result<Vec<(String, u64)>, LedgerError> {
        outbox::pending(&self.readers).await
    }
}

#[async_trait]
impl AuditTrail for PostgresLedger {
    async fn audit(&self, filter: AuditFilter) -> Result<AuditPage, LedgerError> {
        audit::list(&self.readers, &filter).await
    }
}

/// The orders of rows `id, received_at, state, revision` of a query [`on_the_primary`].
fn claimed_orders(rows: &[PgRow]) -> Vec<Claimed> {
    // Where there is none, the columns of the one row are NULL.
    let read =
        |row: &PgRow| claimed(row.try_get(1).ok()?, row.try_get(2).ok()?, row.try_get(3).ok()?, row.try_get(4).ok()?);
    rows.iter().filter_map(read).collect()
}

/// Whether no order can have an id: a text of PostgreSQL holds no NUL.
fn is_nowhere(id: &OrderId) -> bool {
    id.as_str().contains('\0')
}

/// A row of a list, with its position; `None` of the one that says that there is none.
fn listed(row: &PgRow) -> Option<(ListPosition, Result<Order, LedgerError>)> {
    let (id, received_at): (Option<&str>, Option<i64>) = (row.try_get(1).ok()?, row.try_get(3).ok()?);
    Some((ListPosition::of_columns(received_at?, id?), read_record(row, 1).transpose()?))
}

/// The orders of rows. A record that can't be read must not hide the others.
fn readable(rows: &[PgRow]) -> Vec<Order> {
    let read = |row| read_record(row, 1).map_err(left_out).ok().flatten();
    rows.iter().filter_map(read).collect()
}
