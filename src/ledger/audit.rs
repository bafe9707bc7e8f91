//! The audit trail of all orders: who sent, replayed, settled what, when, from where. It is kept as long as its orders.
//!
//! Owns the trait that the API knows. An entry is stored in the transaction of the change that it is about; each backend has
//! the statements.

use std::fmt::Debug;

use async_trait::async_trait;
use jiff::Timestamp;

use super::LedgerError;
use crate::order::{Action, AuditEntry, OrderId};

/// Actions of people, which are few, as a list for SQL: the condition of the index that finds them.
macro_rules! interventions {
    () => {
        "('replayed', 'resolved', 'cancelled')"
    };
}
pub(super) use interventions;

/// An entry, and the order that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// Its position in the trail of all orders: a later one is larger.
    pub sequence: i64,
    /// The order.
    pub order_id: OrderId,
    /// The cart number as sent.
    pub cart_number: String,
    /// What was done.
    pub entry: AuditEntry,
}

/// Which entries are wanted, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// With this action.
    pub action: Option<Action>,
    /// By this name, exactly.
    pub by: Option<String>,
    /// With this client, exactly.
    pub client: Option<String>,
    /// Not before this time.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub to: Option<Timestamp>,
    /// Older than this position.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: usize,
}

impl AuditFilter {
    /// Whether only actions of people are wanted.
    pub const fn is_of_people(&self) -> bool {
        matches!(self.action, Some(Action::Replayed | Action::Resolved | Action::Cancelled))
    }
}

/// Where the audit trail is read.
#[async_trait]
pub trait AuditTrail: Debug + Send + Sync {
    /// The entries that a filter lets through, newest first.
    async fn audit(&self, filter: AuditFilter) -> Result<Vec<AuditRecord>, LedgerError>;
}
