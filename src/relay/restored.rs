//! A ledger that was restored from a backup: 11VMS may have orders that the ledger has lost.

use tracing::warn;

use super::dependencies::RestoredLedger;
use crate::clock::{Clock, Moment, after, between};
use crate::order::Order;

/// A restored ledger, as long as that matters.
#[derive(Debug, Clone, Copy)]
pub struct Restored {
    /// The time of the backup.
    pub backup: jiff::Timestamp,
    /// Until when carts may come again that the ledger has lost: on the monotonic clock, which nobody sets.
    until: Moment,
}

impl Restored {
    /// Reckons at the start how long it matters, and says so.
    pub fn new(ledger: RestoredLedger, clock: &dyn Clock) -> Self {
        let end = after(ledger.backup, ledger.matters_for);
        let left = between(clock.now(), end);
        let restored = Self { backup: ledger.backup, until: clock.moment().after(left) };
        if !left.is_zero() {
            warn!(
                ledger.restored_at = %ledger.backup,
                ledger.restored_until = %end,
                "the ledger was restored from a backup: until ledger.restored_until, 11VMS is asked for each order that the ledger may have lost or last tried before the backup, and then it is sent"
            );
        }
        restored
    }

    /// Whether 11VMS has to be asked for an order because the ledger may know too little about it.
    pub fn concerns(&self, order: &Order, now: Moment) -> bool {
        now < self.until && order.may_have_been_forgotten(self.backup)
    }
}
