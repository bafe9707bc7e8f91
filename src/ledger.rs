//! The ledger: what was promised, durably. Nothing is sent that is not in it, nothing is answered before it is.
//!
//! Owns the trait that the relay knows, and the group commit in front of every backend. The only SQL stands in
//! `ledger/sqlite.rs` and `ledger/postgres.rs`.

pub mod group_commit;
pub mod postgres;
pub mod sqlite;
pub mod working_set;

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use thiserror::Error;

use crate::cart::without_leading_zeros;
use crate::order::retry::RetryPolicy;
use crate::order::{Admission, Candidate, Order, OrderId, State};

pub use group_commit::GroupCommit;

/// The ledger can't do what was asked; nothing was recorded, or it can't be told whether it was.
#[derive(Debug, Clone, Error)]
pub enum LedgerError {
    /// The storage refused or failed.
    #[error("the ledger is unavailable: {0}")]
    Unavailable(String),
    /// The storage has not answered in time, and may yet do what was asked.
    #[error("the ledger has not answered in time")]
    TimedOut,
    /// A record that this version can't read.
    #[error("the ledger's record of order {id} can't be read: {detail}")]
    Unreadable {
        /// The order.
        id: String,
        /// What is wrong with it.
        detail: String,
    },
}

/// What became of a changed order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// It is on disk, just now or since an earlier try of the same write.
    Committed,
    /// The order has gone on since the revision that was changed: it stays as it is.
    Superseded,
}

/// An open order that needs someone, and is this process's now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The order.
    pub id: OrderId,
    /// When its cart first arrived.
    pub received_at: Timestamp,
    /// `accepted`, `retrying`, or `forwarding` if whoever began the attempt is gone.
    pub state: State,
    /// At which revision it was found so.
    pub revision: u64,
}

/// Who else writes to the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// Nobody: this process holds it.
    Exclusive,
    /// Other replicas. An order belongs to one of them by a lease, and may be settled by any.
    Shared,
}

/// Which orders a list shows, newest first.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only this state.
    pub state: Option<State>,
    /// Only this cart number, with or without leading zeros.
    pub cart_number: Option<String>,
    /// Only orders behind this place.
    pub after: Option<ListPosition>,
    /// At most so many.
    pub limit: usize,
}

/// An order's place in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPosition {
    /// When the cart first arrived.
    pub received_at: Timestamp,
    /// The order.
    pub id: OrderId,
}

/// Durable memory of every order. Every method that writes returns after the write is on disk. A write that failed may
/// have been made all the same; the same write again is safe.
#[async_trait]
pub trait Ledger: Debug + Send + Sync + 'static {
    /// Who else writes to it.
    fn sharing(&self) -> Sharing;
    /// Records a candidate, or says what is known under its id already ([`crate::order::admit`]). What is recorded
    /// belongs to this process.
    async fn admit(&self, candidate: Candidate, now: Timestamp, policy: RetryPolicy) -> Result<Admission, LedgerError>;
    /// Stores a changed order if it is one revision ahead of what is there: of two changes to one revision, one wins.
    async fn store(&self, order: Order) -> Result<Stored, LedgerError>;
    /// One order.
    async fn find(&self, id: &OrderId) -> Result<Option<Order>, LedgerError>;
    /// Those of several orders that have been settled since a revision, by whoever. Where nobody else writes, who
    /// settled them knows it already.
    async fn settled_since(&self, _: Vec<(OrderId, u64)>) -> Result<Vec<Order>, LedgerError> {
        Ok(Vec::new())
    }
    /// A list of orders.
    async fn list(&self, filter: Filter) -> Result<Vec<Order>, LedgerError>;
    /// Open orders that need someone now: accepted ones and retrying ones whose time has come, at most `limit`, and
    /// forwarding ones whose attempt nobody makes any more. Oldest first. Where the ledger is shared, none of them belongs
    /// to another replica, and all of them belong to this one for the time of a lease. Where it is not, orders that
    /// this process is working on are among them.
    async fn claim(&self, now: Timestamp, limit: usize) -> Result<Vec<Claimed>, LedgerError>;
    /// Gives back the orders that belong to this process and that nobody has begun to send: other replicas need not wait
    /// for its leases to end.
    async fn release(&self) -> Result<(), LedgerError>;
    /// Whether it can be read, and its writer runs.
    async fn check(&self) -> Result<(), LedgerError>;
    /// When the next retrying order is due that is not due yet.
    async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, LedgerError>;
    /// Removes orders that were settled longer ago than `retention`; returns how many. Parked ones stay: they wait
    /// for a person.
    async fn purge(&self, now: Timestamp, retention: Duration) -> Result<usize, LedgerError>;
}

/// A cart number as it stands in the column that is indexed_cart_number: without leading zeros, and without what no index takes.
/// The number as it was sent stands in the record.
fn indexed_cart_number(cart_number: &str) -> String {
    const MOST_CHARS: usize = 64;
    let readable = cart_number.chars().filter(|character| !character.is_control());
    without_leading_zeros(&readable.take(MOST_CHARS).collect::<String>()).to_owned()
}

/// A row of a claim; `None` for a state of no name that this program knows.
fn claimed(id: &str, received_at: i64, state: &str, revision: i64) -> Option<Claimed> {
    let received_at = Timestamp::from_millisecond(received_at).ok()?;
    Some(Claimed {
        id: OrderId::of(id),
        received_at,
        state: State::parse(state)?,
        revision: u64::try_from(revision).ok()?,
    })
}
