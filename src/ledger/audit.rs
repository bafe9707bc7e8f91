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

/// Entries that one page looks at. Without a limit, a search for a client that never came would read the whole trail.
pub const LOOKED_AT: usize = 10_000;

/// An entry's position in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditPosition {
    /// When it was done.
    pub at: Timestamp,
    /// Its position among entries of one time.
    pub sequence: i64,
}

/// A part of the trail, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditPage {
    /// The entries. There may be fewer than were asked for, even none, and more all the same.
    pub records: Vec<AuditRecord>,
    /// Where the search goes on; `None` at the end of the trail.
    pub next: Option<AuditPosition>,
}

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

impl AuditRecord {
    /// Its position in the list.
    pub const fn position(&self) -> AuditPosition {
        AuditPosition { at: self.entry.at, sequence: self.sequence }
    }
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
    pub before: Option<AuditPosition>,
    /// At most so many on a page.
    pub limit: usize,
}

impl AuditFilter {
    /// Whether only actions of people are wanted.
    pub const fn is_of_people(&self) -> bool {
        matches!(self.action, Some(Action::Replayed | Action::Resolved | Action::Cancelled))
    }

    /// Whether entries of a time are left out.
    pub const fn searches(&self) -> bool {
        self.action.is_some() || self.by.is_some() || self.client.is_some()
    }

    /// Whether an entry of the right time is wanted.
    pub fn lets_through(&self, action: &str, by: &str, client: Option<&str>) -> bool {
        self.action.is_none_or(|wanted| wanted.name() == action)
            && self.by.as_deref().is_none_or(|wanted| wanted == by)
            && self.client.as_deref().is_none_or(|wanted| client == Some(wanted))
    }
}

/// Where the audit trail is read.
#[async_trait]
pub trait AuditTrail: Debug + Send + Sync {
    /// The next entries that a filter lets through, of the next [`LOOKED_AT`].
    async fn audit(&self, filter: AuditFilter) -> Result<AuditPage, LedgerError>;
}
