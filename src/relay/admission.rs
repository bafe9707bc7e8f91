//! The admission of a cart: it is recorded, and its order queued. Where an order need not wait, the begin of its first attempt
//! is recorded with it: one write instead of two, and nothing to read.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;

use super::dispatcher::{Dispatch, Ticket};
use super::observer::Event;
use super::{Relay, spans};
use crate::clock::PointInTime;
use crate::ledger::LedgerError;
use crate::order::{Admission, Candidate, Order, OrderId, State, Terms, admit};
use crate::trace::{self, SpanKind};

impl Relay {
    /// Records a cart, and has its order sent. A caller that waits for the outcome has it sooner by one write.
    pub(super) async fn admit(
        self: &Arc<Self>,
        candidate: Candidate,
        wait: Duration,
    ) -> Result<Admission, LedgerError> {
        let before = PointInTime::now(self.dependencies.clock.as_ref());
        let alone = Terms::new(before.time(), self.dependencies.policy.unknown_grace);
        let reserved = if wait.is_zero() { None } else { self.reserve_first_attempt(&candidate.id) };
        let Some(dispatch) = reserved else {
            let id = candidate.id.clone();
            let admission = self.record(candidate, alone).await;
            let admission = admission.inspect_err(|_| self.enqueue_possibly_written(&id, alone.now))?;
            self.plan(&admission);
            return Ok(admission);
        };
        let terms = alone.with_first_attempt();
        match self.record(candidate.clone(), terms).await {
            Ok(Admission::Started(order)) => {
                self.spawn_begun_attempt(order.clone(), dispatch, Some(before));
                Ok(Admission::Started(order))
            }
            Ok(admission) => {
                drop(dispatch);
                self.plan(&admission);
                Ok(admission)
            }
            Err(error) => {
                self.attempt_if_written(candidate, terms, dispatch, &error);
                Err(error)
            }
        }
    }

    /// Reserves a permit for the first attempt of an order that need not wait; `None` if others wait, or if 11VMS has to be
    /// asked first.
    fn reserve_first_attempt(&self, id: &OrderId) -> Option<Dispatch> {
        let makes_attempts = self.running.load(Ordering::Acquire) && !self.stopping.is_cancelled();
        let matters = |restored: &super::Restored| restored.matters(self.dependencies.clock.moment());
        if !makes_attempts || self.restored.as_ref().is_some_and(matters) {
            return None;
        }
        self.dispatcher.try_reserve(id)
    }

    async fn record(&self, candidate: Candidate, terms: Terms) -> Result<Admission, LedgerError> {
        let mut span = trace::child("admit order", SpanKind::Internal);
        let admission = span.enclose(self.dependencies.ledger.admit(candidate, terms)).await;
        spans::describe_admission(&self.dependencies.tracer, &mut span, admission.as_ref());
        drop(span);
        if let Ok(admission) = &admission {
            self.report(Event::Admitted(admission));
        }
        admission
    }

    /// Plans what follows from an admission without an attempt.
    fn plan(&self, admission: &Admission) {
        match admission {
            Admission::Started(order) | Admission::Restarted(order) => self.schedule(order),
            // The process that recorded it may be gone, or may not know that it did.
            Admission::Joined(order) if order.state == State::Accepted => {
                self.dispatcher.enqueue(&order.id, Ticket::of(order));
            }
            Admission::Joined(_) | Admission::Replayed(_) | Admission::Conflicting(_) => {}
        }
    }

    /// Plans the first attempt of an order that was started or restarted.
    pub(super) fn schedule(&self, order: &Order) {
        match self.time_until_attempt(order) {
            None => {
                self.dispatcher.enqueue(&order.id, Ticket::of(order));
            }
            Some(wait) => {
                self.queue_at(self.dependencies.clock.moment().after(wait), &order.id, Ticket::of(order));
            }
        }
    }

    /// Queues an order whose write has failed: the write may have been made all the same, and a sweep would find it.
    pub(super) fn enqueue_possibly_written(&self, id: &OrderId, received_at: Timestamp) {
        if self.dispatcher.spare_capacity() > 0 {
            self.dispatcher.enqueue(id, Ticket::new(received_at, 0));
        }
    }

    /// Makes an attempt whose begin is recorded, as far as it is known: its begin is written again if `admitted` was long ago,
    /// or is `None`.
    fn spawn_begun_attempt(self: &Arc<Self>, order: Order, dispatch: Dispatch, admitted: Option<PointInTime>) {
        let relay = Arc::clone(self);
        self.tasks.spawn(async move { relay.attempt_begun(order, dispatch, admitted, None).await });
    }

    /// Makes the first attempt of an order whose admission has failed, if the ledger has it all the same. Only this process
    /// can tell that nothing was sent: to a sweep, the attempt would be one of a process that is gone.
    fn attempt_if_written(
        self: &Arc<Self>,
        candidate: Candidate,
        terms: Terms,
        dispatch: Dispatch,
        error: &LedgerError,
    ) {
        let may_be_written = match error {
            LedgerError::Unavailable(_) | LedgerError::TimedOut => true,
            LedgerError::Locked(_) | LedgerError::Unwritable(_) | LedgerError::Unreadable { .. } => false,
        };
        if let (true, Admission::Started(order)) = (may_be_written, admit(None, candidate, terms)) {
            self.spawn_begun_attempt(order, dispatch, None);
        }
    }
}
