//! The portions in which what is older than `ledger.retention` is removed: orders first, then the entries of the audit trail whose
//! orders are gone. If a process stops in between, the next removal goes on.

use jiff::Timestamp;

use super::audit::AuditPosition;

/// Orders that are removed in one transaction, which takes some ten milliseconds.
pub const ORDERS_IN_A_PORTION: usize = 250;

/// Entries of the audit trail that one transaction looks at: those of as many orders, resends included.
pub const ENTRIES_IN_A_PORTION: usize = 1_000;

/// A portion of a removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purge {
    /// [`ORDERS_IN_A_PORTION`] of the orders that were settled before the time, parked ones aside.
    Orders(Timestamp),
    /// Those of the next [`ENTRIES_IN_A_PORTION`] entries whose orders are gone.
    Audit {
        /// Entries of this time and later ones are not looked at.
        before: Timestamp,
        /// Nor are those up to this position.
        after: Option<AuditPosition>,
    },
}

/// What a portion has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purged {
    /// The number of orders removed.
    Orders(usize),
    /// The last entry that was looked at; `None` if there are no more.
    Audit(Option<AuditPosition>),
}

impl Purged {
    /// Whether there may be more of the kind.
    pub const fn is_full(self) -> bool {
        match self {
            Self::Orders(count) => count == ORDERS_IN_A_PORTION,
            Self::Audit(last) => last.is_some(),
        }
    }
}
