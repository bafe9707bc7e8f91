//! What the relay reports: the trait of those who listen, and everything that they hear of.
//!
//! The relay itself neither logs nor counts. `app.rs` gives it its observers.

use std::error::Error;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::ledger::LedgerError;
use crate::order::{Admission, Order, OrderId};

/// Something that happened to an order, or to the relay. Each is reported once, by the process that did it.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// The ledger has answered what a cart is: a new order, another try, or one that is known.
    Admitted(&'a Admission),
    /// The ledger has the begin of an attempt: 11VMS is asked for the order next, or gets it.
    AttemptBegan(&'a Order),
    /// The ledger has the end of an attempt, also of an interrupted one: settled, or waiting for the next.
    AttemptEnded(&'a Order),
    /// The ledger has that an attempt was none: nothing was sent, because no token can be fetched, the breaker opened before the
    /// order's turn, or the service stops. The order waits.
    AttemptDeferred {
        /// The order.
        order: &'a Order,
        /// Why nothing was sent.
        reason: &'a str,
    },
    /// The ledger has what a person did: settled the order, or had it tried again.
    Intervened(&'a Order),

    /// 11VMS keeps failing: nothing is sent for the pause, then one order probes.
    BreakerOpened {
        /// The time until the probe.
        pause: Duration,
        /// The failure that opened the breaker, if it is known.
        failure: Option<&'a str>,
    },
    /// 11VMS responds: orders are sent again.
    BreakerClosed,

    /// An attempt was found whose process stopped; its end is reported next.
    AttemptInterrupted(&'a Order),
    /// 11VMS is asked for an order that the ledger, which was restored, may have forgotten.
    AskedSinceRestore(&'a Order),
    /// The begin of an attempt is stored once more, because its lease is no longer fresh.
    BeginRepeated(&'a Order),
    /// So many next attempts were stored for a time that is farther away than any wait.
    AttemptsBroughtNearer(usize),

    /// An outcome counts no more, because another replica has taken the order over.
    OutcomeSuperseded(&'a Order),
    /// The ledger did not take an outcome before the service stopped.
    OutcomeNotStored(&'a Order),
    /// The ledger can't hold something, whatever its own state is.
    Unwritable {
        /// What it can't hold.
        part: UnwritablePart,
        /// The order.
        order: &'a Order,
        /// Why it can't.
        reason: &'a str,
    },
    /// A defect of the service: an order does not permit what was to be done with it.
    Illegal {
        /// What was to be done.
        change: IllegalStep,
        /// The order.
        order: &'a Order,
        /// Why it does not permit it.
        defect: &'a dyn Error,
    },
    /// A defect of the service: the work on an order panicked.
    WorkBrokeOff {
        /// The order.
        id: &'a OrderId,
        /// How it ended.
        error: &'a dyn Error,
    },

    /// At the start: the ledger was restored, and that matters for some time.
    LedgerRestored {
        /// The time of the backup.
        backup: Timestamp,
        /// Until when it matters.
        until: Timestamp,
    },
    /// A stop has waited for its attempts as long as it may, and some are still under way.
    StoppedWithinAttempts,
    /// A stop could not give its leases back.
    LeasesKept(&'a LedgerError),
    /// The ledger fails, and what was asked of it is asked again. It reports its outages itself.
    LedgerAwaited {
        /// What was asked.
        question: LedgerQuestion<'a>,
        /// How it failed.
        error: &'a LedgerError,
    },
}

/// What of an order a ledger can't hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnwritablePart {
    /// The begin of an attempt: nothing is sent.
    Begin,
    /// 11VMS's answer: the outcome is stored without it.
    Answer,
    /// An outcome in any form: only a person can settle the order.
    Outcome,
}

/// What was to be done with an order that does not permit it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IllegalStep {
    /// To begin an attempt.
    Begin,
    /// To record its outcome.
    Conclude,
    /// To record that it was interrupted.
    Interrupt,
}

/// What the relay asks of a ledger until it is answered.
#[derive(Debug, Clone, Copy)]
pub enum LedgerQuestion<'a> {
    /// To store an order.
    Store(&'a Order),
    /// To read an order.
    Read(&'a OrderId),
    /// Which orders are due.
    Sweep,
    /// What other replicas have settled.
    Replicas,
    /// Whether orders were attempted since the restore; asked once.
    Restore,
}

/// Somebody who listens to the relay.
pub trait Observer: Debug + Send + Sync {
    /// Hears of an event. Called in the middle of the work on an order: returns at once, and never fails.
    fn observe(&self, event: &Event<'_>);
}

/// All who listen to one relay, in the order in which they hear.
#[derive(Debug, Clone, Default)]
pub struct Observers(Vec<Arc<dyn Observer>>);

impl Observers {
    /// These observers.
    pub const fn new(observers: Vec<Arc<dyn Observer>>) -> Self {
        Self(observers)
    }

    /// Tells all of them.
    pub fn report(&self, event: Event<'_>) {
        for observer in &self.0 {
            observer.observe(&event);
        }
    }
}
