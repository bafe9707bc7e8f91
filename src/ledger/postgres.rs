//! The ledger in a PostgreSQL database that several replicas share.
//!
//! An open order belongs to one replica by a lease, counted on the database's clock. Of two changes to one revision the
//! database takes one, so two replicas never begin one attempt. The lease outlasts the attempt, so no replica takes over
//! an attempt that is being made.

mod connection;
mod probe;
mod row;
mod schema;
mod writer;

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::postgres::{PgArguments, PgPool, PgPoolOptions, PgRow};
use sqlx::query::Query;
use sqlx::{Postgres, Row as _};

use super::group_commit::GroupCommit;
use super::{Claimed, Filter, Ledger, LedgerError, Sharing, Stored, claimed, indexed_cart_number, left_out};
use crate::order::{Admission, Candidate, Order, OrderId, State};
use connection::{CONNECT_TIMEOUT, QUERY_TIMEOUT, connect, no_answer, options, prepare};
use row::{milliseconds, read_record, signed, whole};
use writer::Writer;

pub use connection::UrlSource;
pub use probe::{Probe, probe};

/// Interrupted attempts that one claim takes over: more than any replica makes at the same time.
const TAKEN_OVER: i64 = 1_000;

/// Connections for reading; the writer has one of its own. A read takes about a millisecond, and replicas share what the
/// database permits (100 by default).
const READERS: u32 = 4;

/// A ledger in a database, for one replica.
#[derive(Debug, Clone)]
pub struct PostgresLedger {
    writer: GroupCommit,
    readers: PgPool,
    /// The name of this process among the replicas; a restart has another.
    replica: String,
    lease: Duration,
}

impl PostgresLedger {
    /// Connects, brings the schema up to date, and starts the writer. `lease` has to be longer than any attempt.
    ///
    /// # Errors
    /// If the URL can't be read, the database can't be reached, or its schema is of a newer version.
    pub async fn open(url: UrlSource, lease: Duration) -> Result<Self, LedgerError> {
        let options = options(&url)?;
        schema::migrate(&mut connect(&options).await?).await?;
        let replica = uuid::Uuid::new_v4().to_string();
        let readers = PgPoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(CONNECT_TIMEOUT)
            .after_connect(|connection, _| Box::pin(prepare(connection)))
            .connect_lazy_with(options);
        let runtime = tokio::runtime::Handle::current();
        let writer = Writer::new(url, readers.clone(), runtime, replica.clone(), lease);
        Ok(Self { writer: GroupCommit::start(writer)?, readers, replica, lease })
    }

    /// Runs a query. A connection that does not answer is given up, because the next query would wait for it too.
    async fn rows(&self, query: Query<'_, Postgres, PgArguments>) -> Result<Vec<PgRow>, LedgerError> {
        let mut connection = self.readers.acquire().await?;
        if let Ok(rows) = tokio::time::timeout(QUERY_TIMEOUT, query.fetch_all(&mut *connection)).await {
            return Ok(rows?);
        }
        drop(connection.detach());
        Err(no_answer())
    }
}

#[async_trait]
impl Ledger for PostgresLedger {
    fn sharing(&self) -> Sharing {
        Sharing::Shared
    }

    async fn admit(&self, candidate: Candidate, now: Timestamp, grace: Duration) -> Result<Admission, LedgerError> {
        self.writer.admit(candidate, now, grace).await
    }

    async fn store(&self, order: Order) -> Result<Stored, LedgerError> {
        self.writer.store(order).await
    }

    async fn find(&self, id: &OrderId) -> Result<Option<Order>, LedgerError> {
        // A text of PostgreSQL holds no NUL, so no order has such an id.
        if id.as_str().contains('\0') {
            return Ok(None);
        }
        let query = sqlx::query("SELECT id, record FROM orders WHERE id = $1").bind(id.as_str());
        self.rows(query).await?.first().map(read_record).transpose()
    }

    async fn settled_since(&self, orders: Vec<(OrderId, u64)>) -> Result<Vec<Order>, LedgerError> {
        let query = "SELECT orders.id, record FROM orders JOIN UNNEST($1::text[], $2::bigint[]) AS known (id, revision)
                ON orders.id = known.id AND orders.revision > known.revision
            WHERE state NOT IN ('accepted', 'forwarding', 'retrying')";
        let (ids, revisions): (Vec<_>, Vec<_>) =
            orders.iter().map(|(id, revision)| (id.as_str(), signed(*revision))).unzip();
        Ok(readable(&self.rows(sqlx::query(query).bind(ids).bind(revisions)).await?))
    }

    async fn list(&self, filter: Filter) -> Result<Vec<Order>, LedgerError> {
        let query = "SELECT id, record FROM orders
            WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR cart_number = $2)
                AND ($3::bigint IS NULL OR (received_at, id) < ($3, $4))
            ORDER BY received_at DESC, id DESC LIMIT $5";
        let position = filter.after.as_ref();
        let query = sqlx::query(query)
            .bind(filter.state.map(State::name))
            .bind(filter.cart_number.as_deref().map(indexed_cart_number))
            .bind(position.map(|position| position.received_at.as_millisecond()))
            .bind(position.map(|position| position.id.as_str()))
            .bind(whole(filter.limit));
        Ok(readable(&self.rows(query).await?))
    }

    async fn claim(&self, now: Timestamp, limit: usize) -> Result<Vec<Claimed>, LedgerError> {
        // Replicas that claim at the same moment do not wait for each other: each takes what the others leave.
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
        let query = sqlx::query(query)
            .bind(milliseconds(self.lease))
            .bind(&self.replica)
            .bind(now.as_millisecond())
            .bind(whole(limit))
            .bind(TAKEN_OVER);
        let rows = self.rows(query).await?;
        let mut orders: Vec<Claimed> =
            rows.iter().filter_map(|row| claimed(row.get(0), row.get(1), row.get(2), row.get(3))).collect();
        orders.sort_by(|one, other| (one.received_at, &one.id).cmp(&(other.received_at, &other.id)));
        Ok(orders)
    }

    async fn release(&self) -> Result<(), LedgerError> {
        let query = "UPDATE orders SET lease_until = NULL WHERE writer = $1 AND state IN ('accepted', 'retrying')";
        self.rows(sqlx::query(query).bind(&self.replica)).await.map(drop)
    }

    async fn check(&self) -> Result<(), LedgerError> {
        self.writer.check()?;
        self.rows(sqlx::query("SELECT 1")).await.map(drop)
    }

    async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, LedgerError> {
        let query = "SELECT min(next_attempt_at) FROM orders WHERE state = 'retrying' AND next_attempt_at > $1";
        let rows = self.rows(sqlx::query(query).bind(now.as_millisecond())).await?;
        let at = rows.first().and_then(|row| row.get::<Option<i64>, _>(0));
        Ok(at.and_then(|at| Timestamp::from_millisecond(at).ok()))
    }

    async fn purge(&self, now: Timestamp, retention: Duration) -> Result<usize, LedgerError> {
        self.writer.purge(now, retention).await
    }
}

/// The orders of rows. A record that can't be read must not hide the others.
fn readable(rows: &[PgRow]) -> Vec<Order> {
    let read = |row| read_record(row).map_err(left_out).ok();
    rows.iter().filter_map(read).collect()
}
