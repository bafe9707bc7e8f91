//! A ledger that was restored from a backup: 11VMS may have orders that the ledger has lost.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::dependencies::RestoredLedger;
use super::observer::{Event, LedgerQuestion, Observers};
use crate::clock::{Clock, Moment, after, between};
use crate::ledger::{Filter, Ledger};
use crate::order::Order;

/// Orders that are read at the start: one of them that was attempted since the restore says that the restore is not new.
const RECENT_ORDERS: usize = 20;

/// A restored ledger, as long as that matters.
#[derive(Debug)]
pub struct Restored {
    /// The time of the backup.
    pub backup: jiff::Timestamp,
    /// Until when carts may come again that the ledger has lost: on the monotonic clock, which nobody sets.
    until: Moment,
    /// Orders were attempted since the restore, by a process before this one.
    is_old: AtomicBool,
    observers: Observers,
}

impl Restored {
    /// Reckons at the start how long it matters, and says so.
    pub fn new(ledger: RestoredLedger, clock: &dyn Clock, observers: Observers) -> Self {
        let end = after(ledger.backup, ledger.matters_for);
        let left = between(clock.now(), end);
        if !left.is_zero() {
            observers.report(Event::LedgerRestored { backup: ledger.backup, until: end });
        }
        let until = clock.moment().after(left);
        Self { backup: ledger.backup, until, is_old: AtomicBool::new(false), observers }
    }

    /// Whether carts may still come that the ledger has lost.
    pub fn matters(&self, now: Moment) -> bool {
        now < self.until
    }

    /// Whether 11VMS has to be asked for an order because the ledger may know too little about it.
    pub fn concerns(&self, order: &Order, now: Moment) -> bool {
        self.matters(now) && order.may_have_been_forgotten(self.backup)
    }

    /// Finds out at the start whether orders were attempted since the restore. Then what was sent before it has had its
    /// grace, and new carts need not wait for it at every start.
    pub async fn learn_age(&self, ledger: &dyn Ledger) {
        match ledger.list(Filter { limit: RECENT_ORDERS, ..Filter::default() }).await {
            Ok(recent) => {
                let is_old = recent.iter().any(|order| order.restored_from == Some(self.backup));
                self.is_old.store(is_old, Ordering::Relaxed);
            }
            Err(error) => {
                self.observers.report(Event::LedgerAwaited { question: LedgerQuestion::Restore, error: &error });
            }
        }
    }

    /// Until when 11VMS may be busy with what was sent before the restore, by processes that were gone when this one
    /// started.
    pub fn end_of_grace(&self, started_at: Moment, grace: Duration) -> Moment {
        if self.is_old.load(Ordering::Relaxed) { Moment::default() } else { started_at.after(grace) }
    }
}
