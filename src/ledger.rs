//! The ledger: what was promised, durably. Nothing is sent that is not in it, nothing is answered before it is.
//!
//! Owns the trait that the relay knows, and the group commit in front of every backend. The only SQL stands in
//! `ledger/sqlite.rs`.

mod group;
pub mod sqlite;

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use thiserror::Error;

use crate::order::retry::Policy;
use crate::order::{Admission, Candidate, Order, OrderId, State};

pub use group::GroupCommit;

/// The ledger can't do what was asked; nothing was recorded, or it can't be told whether it was.
#[derive(Debug, Clone, Error)]
pub enum LedgerError {
    /// The storage refused or failed.
    #[error("the ledger is unavailable: {0}")]
    Unavailable(String),
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
    /// It is on disk.
    Now,
    /// A newer revision is there; it stays.
    Superseded,
}

/// Which orders a list shows, newest first.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only this state.
    pub state: Option<State>,
    /// Only this cart number, with or without leading zeros.
    pub cart_number: Option<String>,
    /// Only orders behind this place.
    pub after: Option<Place>,
    /// At most so many.
    pub limit: usize,
}

/// An order's place in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// When the cart first arrived.
    pub received_at: Timestamp,
    /// The order.
    pub id: OrderId,
}

/// Durable memory of every order. Every method that writes returns after the write is on disk.
#[async_trait]
pub trait Ledger: Debug + Send + Sync + 'static {
    /// Records a candidate, or says what is known under its id already ([`crate::order::admit`]).
    async fn admit(&self, candidate: Candidate, now: Timestamp, policy: Policy) -> Result<Admission, LedgerError>;
    /// Stores a changed order, unless a newer revision of it is there.
    async fn store(&self, order: Order) -> Result<Stored, LedgerError>;
    /// One order.
    async fn find(&self, id: &OrderId) -> Result<Option<Order>, LedgerError>;
    /// A list of orders.
    async fn list(&self, filter: Filter) -> Result<Vec<Order>, LedgerError>;
    /// Open orders that need someone now: accepted and forwarding ones, and retrying ones whose time has come.
    /// Oldest first, at most `limit`.
    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<OrderId>, LedgerError>;
    /// Whether it can be read, and its writer runs.
    async fn check(&self) -> Result<(), LedgerError>;
    /// When the next retrying order is due that is not due yet.
    async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, LedgerError>;
    /// Removes orders that were settled longer ago than `retention`; returns how many. Parked ones stay: they wait
    /// for a person.
    async fn purge(&self, now: Timestamp, retention: Duration) -> Result<usize, LedgerError>;
}
