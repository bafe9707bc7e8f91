//! The end of an attempt: it is stored, then published to every caller that waits, and the next attempt is planned.

use jiff::Timestamp;

use std::time::Duration;

use super::Relay;
use super::holds::Hold;
use super::observer::{Event, UnwritablePart};
use super::retrying_ledger::Write;
use super::spans::{self, Ended};
use crate::clock::between;
use crate::ledger::Stored;
use crate::order::{Doubt, Order, State};
use crate::trace::{self, SpanKind};

/// How an attempt ended.
pub struct End {
    /// What the wall clock showed when the order was changed: it may have stepped since, and the wait is what was decided then.
    pub at: Timestamp,
    /// Why it was none, if it was deferred.
    pub deferred: Option<String>,
}

impl End {
    /// The end of an attempt that was made.
    pub const fn at(time: Timestamp) -> Self {
        Self { at: time, deferred: None }
    }
}

impl Relay {
    /// Stores the end of an attempt, however long the ledger takes; then publishes it to every caller that waits, and plans
    /// the next attempt if there is one. Returns the end as it is stored; `None` if it is not.
    pub(super) async fn settle(&self, order: Order, end: End) -> Option<Ended> {
        let (moment, policy) = (self.dependencies.clock.moment(), &self.dependencies.policy);
        let wait = order.next_attempt_at.map(|time| between(end.at, time)).unwrap_or_default();
        let due = moment.after(wait.min(policy.longest_wait()));
        // An attempt that was none has begun no grace, and could begin only after that of the one before.
        let grace = if end.deferred.is_none() { policy.unknown_grace } else { Duration::ZERO };
        let quiet_until = moment.after(grace);
        // Before it is stored: the write may be made, and its answer lost.
        if order.state == State::Retrying || order.doubt != Doubt::None {
            self.holds.set(&order.id, Hold::new(&order, due, quiet_until));
        }
        let mut stored = trace::child("settle order", SpanKind::Internal);
        let Some(order) = stored.enclose(self.store_outcome(order)).await else {
            spans::describe_unstored(&mut stored);
            return None;
        };
        drop(stored);
        if order.state == State::Retrying {
            self.postpone(&order, due);
        }
        let ended = match &end.deferred {
            None => {
                self.report(Event::AttemptEnded(&order));
                Ended::of(&order)
            }
            Some(reason) => {
                self.report(Event::AttemptDeferred { order: &order, reason });
                Ended::deferred(&order)
            }
        };
        self.waiters.publish(order);
        Some(ended)
    }

    /// Stores an outcome, and returns it as it is stored; `None` if it does not count. An outcome that the ledger can't hold
    /// is stored in plain words.
    async fn store_outcome(&self, order: Order) -> Option<Order> {
        let reason = match self.store_once(&order).await {
            Write::Done(Stored::Committed) => return Some(order),
            Write::Refused(reason) => reason,
            Write::Done(Stored::Superseded) | Write::GivenUp => return None,
        };
        self.report(Event::Unwritable { part: UnwritablePart::Answer, order: &order, reason: &reason });
        let plain = order.without_foreign_text(&reason);
        match self.store_once(&plain).await {
            Write::Done(Stored::Committed) => Some(plain),
            Write::Refused(reason) => {
                self.report(Event::Unwritable { part: UnwritablePart::Outcome, order: &plain, reason: &reason });
                self.abandoned.note(&plain);
                None
            }
            Write::Done(Stored::Superseded) | Write::GivenUp => None,
        }
    }

    async fn store_once(&self, order: &Order) -> Write {
        let write = self.retrying_ledger.store(order, &self.stopped).await;
        match &write {
            // Another replica has taken the order over.
            Write::Done(Stored::Superseded) => self.report(Event::OutcomeSuperseded(order)),
            Write::GivenUp => self.report(Event::OutcomeNotStored(order)),
            Write::Done(Stored::Committed) | Write::Refused(_) => {}
        }
        write
    }
}
