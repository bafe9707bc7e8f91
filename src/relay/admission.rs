//! The admission of a cart: it is recorded, and its order queued. Where an order need not wait, the begin of its first attempt
//! is recorded with it: one write instead of two, and nothing to read.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::Timestamp;

use super::attempt::BegunAttempt;
use super::dispatcher::{Dispatch, Ticket};
use super::observer::Event;
use super::{FirstAttempt, Relay, spans};
use crate::clock::PointInTime;
use crate::ledger::LedgerError;
use crate::order::{Admission, Candidate, Order, OrderId, State, Terms, admit};
use crate::trace::{self, SpanKind};

impl Relay {
    /// Records a cart that came at `now` once the ledger has room for it, and has its order sent. What it waits in is small.
    pub(super) fn admit_in_order(
        self: &Arc<Self>,
        candidate: Candidate,
        now: Timestamp,
        first_attempt: FirstAttempt,
    ) -> impl Future<Output = Result<Admission, LedgerError>> + Send + use<> {
        let relay = Arc::clone(self);
        async move {
            let _permit = if let Ok(permit) = relay.admission_permits.try_acquire() {
                Some(permit)
            } else {
                let waiting = trace::child("wait for ledger", SpanKind::Internal);
                waiting.enclose(relay.admission_permits.acquire()).await.ok()
            };
            Box::pin(relay.admit(candidate, now, first_attempt)).await
        }
    }

    /// Records a cart, and has its order sent.
    async fn admit(
        self: &Arc<Self>,
        candidate: Candidate,
        now: Timestamp,
        first_attempt: FirstAttempt,
    ) -> Result<Admission, LedgerError> {
        let reserved = match first_attempt {
            FirstAttempt::Later => None,
            FirstAttempt::AtOnce => self.reserve_first_attempt(&candidate.id),
        };
        match reserved {
            None => self.admit_alone(candidate, now).await,
            Some(dispatch) => self.admit_and_send(candidate, now, dispatch).await,
        }
    }

    async fn admit_alone(&self, candidate: Candidate, now: Timestamp) -> Result<Admission, LedgerError> {
        let id = candidate.id.clone();
        let admission = self.record(candidate, Terms::new(now, self.dependencies.policy.unknown_grace)).await;
        let admission = admission.inspect_err(|_| self.enqueue_possibly_written(&id, now))?;
        self.plan(&admission);
        Ok(admission)
    }

    pub(super) async fn admit_and_send(
        self: &Arc<Self>,
        candidate: Candidate,
        now: Timestamp,
        dispatch: Dispatch,
    ) -> Result<Admission, LedgerError> {
        let asked_at = PointInTime::now(self.dependencies.clock.as_ref());
        let terms = Terms::new(now, self.dependencies.policy.unknown_grace).with_first_attempt(asked_at.time());
        let admission = match self.record(candidate.clone(), terms).await {
            Ok(admission) => admission,
            Err(error) => {
                self.send_if_written(candidate, terms, dispatch, &error);
                return Err(error);
            }
        };
        if let Admission::Started(order) = &admission {
            let (relay, begun) = (Arc::clone(self), BegunAttempt::first(order.clone(), Some(asked_at)));
            self.tasks.spawn(async move { relay.attempt_begun(begun, dispatch).await });
        } else {
            drop(dispatch);
            self.plan(&admission);
        }
        Ok(admission)
    }

    /// Reserves a permit for the first attempt of an order that need not wait; `None` if others wait, or if 11VMS has to be
    /// asked first.
    pub(super) fn reserve_first_attempt(&self, id: &OrderId) -> Option<Dispatch> {
        let makes_attempts = self.running.load(Ordering::Acquire) && !self.stopping.is_cancelled();
        let now = self.dependencies.clock.moment();
        let may_lack_orders = self.restored.as_ref().is_some_and(|restored| restored.matters(now));
        if makes_attempts && !may_lack_orders { self.dispatcher.try_reserve(id) } else { None }
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

    /// Sends an order whose admission has failed, if the ledger has it all the same. Only this process can tell that nothing was
    /// sent: to a sweep, the attempt would be one of a process that is gone. One that is locked was there before.
    fn send_if_written(self: &Arc<Self>, candidate: Candidate, terms: Terms, dispatch: Dispatch, error: &LedgerError) {
        let Admission::Started(order) = admit(None, candidate, terms) else { return };
        if matches!(error, LedgerError::Locked(_)) {
            return;
        }
        let (relay, begun) = (Arc::clone(self), BegunAttempt::first(order, None));
        self.tasks.spawn(async move { relay.attempt_begun(begun, dispatch).await });
    }
}
