//! The ledger: durable storage of every order. Nothing is sent that is not in it, and nobody is answered before it has
//! the outcome.
//!
//! Owns the trait that the relay knows, and the group commit in front of every backend. The only SQL is in
//! `ledger/sqlite.rs` and `ledger/postgres/`.

pub mod audit;
pub mod group_commit;
pub mod kept_carts;
pub mod open_orders;
pub mod outage_log;
pub mod outbox;
mod page;
pub mod postgres;
mod purge;
mod shared_answer;
pub mod sqlite;
pub mod statistics;
pub mod working_set;

use std::fmt::{Debug, Display};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use thiserror::Error;
use tracing::error;

use crate::cart::without_leading_zeros;
use crate::order::{Admission, Candidate, Order, OrderId, State, Terms};
use open_orders::Census;
use statistics::LedgerStatistics;

/// Why an operation of the ledger failed. Whether a failed write was made can't be told.
#[derive(Debug, Clone, Error)]
pub enum LedgerError {
    /// The storage refused or failed.
    #[error("the ledger is unavailable: {0}")]
    Unavailable(String),
    /// The storage has not answered in time, and may yet do what was asked.
    #[error("the ledger has not answered in time")]
    TimedOut,
    /// Somebody else has locked the order in the storage; nothing was written. Others are not concerned.
    #[error("the ledger can't change the order: {0}")]
    Locked(String),
    /// The storage can't hold what was to be written, whatever its state is; nothing was written.
    #[error("the ledger can't store it: {0}")]
    Unwritable(String),
    /// A record that this version can't read.
    #[error("the ledger's record of order {id} can't be read: {detail}")]
    Unreadable {
        /// The order.
        id: String,
        /// What is wrong with the record.
        detail: String,
    },
}

impl LedgerError {
    /// The reason, without the words that it is about the ledger.
    pub fn reason(&self) -> String {
        match self {
            Self::Unavailable(reason) | Self::Locked(reason) | Self::Unwritable(reason) => reason.clone(),
            Self::TimedOut | Self::Unreadable { .. } => self.to_string(),
        }
    }

    /// The storage refused or failed, for this reason.
    pub fn unavailable(reason: impl Display) -> Self {
        Self::Unavailable(reason.to_string())
    }
}

/// The result of storing a changed order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// The change is on disk, since now or since an earlier try of the same write.
    Committed,
    /// The order has a later revision than the one that was changed, and stays as it is.
    Superseded,
}

/// An open order that nobody works on, and that belongs to this process now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The order.
    pub id: OrderId,
    /// When its cart first arrived.
    pub received_at: Timestamp,
    /// `accepted`, `retrying`, or `forwarding` if the process that began the attempt is gone.
    pub state: State,
    /// The revision at which it was found.
    pub revision: u64,
}

/// Whether other processes write to the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// This process holds the ledger alone.
    Exclusive,
    /// Replicas share the ledger. An order belongs to one of them by a lease, and may be settled by any.
    Shared,
}

/// The orders that a list shows, newest first.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only orders in this state.
    pub state: Option<State>,
    /// Only orders with this cart number, with or without leading zeros.
    pub cart_number: Option<String>,
    /// Only orders after this position.
    pub after: Option<ListPosition>,
    /// The largest number of orders.
    pub limit: usize,
}

/// An order's position in the list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListPosition {
    /// When the cart first arrived.
    pub received_at: Timestamp,
    /// The order.
    pub id: OrderId,
}

impl ListPosition {
    /// The position of a row, whose order may be one that can't be read.
    pub(crate) fn of_columns(received_at: i64, id: &str) -> Self {
        let received_at = Timestamp::from_millisecond(received_at).unwrap_or_default();
        Self { received_at, id: OrderId::stored(id.to_owned()) }
    }
}

/// Durable storage of orders. Every method that writes returns after the write is on disk. A write that failed may have
/// been made all the same; the same write again is safe.
#[async_trait]
pub trait Ledger: Debug + Send + Sync + 'static {
    /// Whether other processes write to the ledger.
    fn sharing(&self) -> Sharing;
    /// Records a candidate, or returns the order that is known under its id ([`crate::order::admit`]). A recorded order
    /// belongs to this process.
    async fn admit(&self, candidate: Candidate, terms: Terms) -> Result<Admission, LedgerError>;
    /// Stores a changed order if it is one revision ahead of the stored one: of two changes to one revision, one wins.
    async fn store(&self, order: Order) -> Result<Stored, LedgerError>;
    /// Reads one order.
    async fn find(&self, id: &OrderId) -> Result<Option<Order>, LedgerError>;
    /// Reads those of several orders that any process has settled since a revision. Where no other process writes, the
    /// process that settled them knows it already.
    async fn settled_since(&self, _: Vec<(OrderId, u64)>) -> Result<Vec<Order>, LedgerError> {
        Ok(Vec::new())
    }
    /// Reads a list of orders; their bodies may be left out.
    async fn list(&self, filter: Filter) -> Result<Vec<Order>, LedgerError>;
    /// Claims open orders that need work now, oldest first: accepted ones and retrying ones that are due, at most
    /// `limit`, and forwarding ones whose attempt nobody makes any more. In a shared ledger, none of them belongs to
    /// another replica, and all of them belong to this one for the length of a lease. In an exclusive one, orders that
    /// this process works on are among them.
    async fn claim(&self, now: Timestamp, limit: usize) -> Result<Vec<Claimed>, LedgerError>;
    /// Releases this process's leases on orders that it has not begun to send, so that other replicas need not wait for
    /// them to expire.
    async fn release(&self) -> Result<(), LedgerError>;
    /// Checks that the ledger can write. Cheap enough for a probe a second.
    async fn check(&self) -> Result<(), LedgerError>;
    /// The earliest time at which a retrying order is due, of those that are not due yet.
    async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, LedgerError>;
    /// Finds retrying orders that are due after a time, at most `limit`, without claiming them.
    async fn due_after(&self, time: Timestamp, limit: usize) -> Result<Vec<Claimed>, LedgerError>;
    /// Counts the open and the parked orders by indexes, and those retrying ones that were due before `overdue_since`. Takes
    /// longer the more of them there are.
    async fn census(&self, _overdue_since: Timestamp) -> Result<Census, LedgerError> {
        Ok(Census::default())
    }
    /// What it counts of its own work.
    fn statistics(&self) -> Arc<LedgerStatistics> {
        Arc::default()
    }
    /// Removes orders that were settled longer ago than `retention`; returns how many. Parked ones stay, because they
    /// wait for a person.
    async fn purge(&self, now: Timestamp, retention: Duration) -> Result<usize, LedgerError>;
}

/// A cart number as a column holds it: as it was sent, without characters that no storage takes, and at most 64 characters
/// long. The record may have more: earlier versions took longer numbers.
fn stored_cart_number(cart_number: &str) -> String {
    const MAX_CHARS: usize = 64;
    cart_number.chars().filter(|character| !character.is_control()).take(MAX_CHARS).collect()
}

/// A cart number as it is searched: as a column holds it, without leading zeros.
fn indexed_cart_number(cart_number: &str) -> String {
    without_leading_zeros(&stored_cart_number(cart_number)).to_owned()
}

/// Reports a record that is left out of a list because it can't be read.
#[expect(clippy::needless_pass_by_value, reason = "the error ends here")]
fn left_out(error: LedgerError) {
    error!(error.message = %error, "an order is left out of a list: its record can't be read");
}

/// A row of a claim; `None` for a state that this version does not know.
fn claimed(id: &str, received_at: i64, state: &str, revision: i64) -> Option<Claimed> {
    let received_at = Timestamp::from_millisecond(received_at).ok()?;
    Some(Claimed {
        id: OrderId::stored(id.to_owned()),
        received_at,
        state: State::parse(state)?,
        revision: u64::try_from(revision).ok()?,
    })
}
