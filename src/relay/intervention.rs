//! Interventions: a person has an order tried again, or settles it.

use std::sync::Arc;
use std::time::Duration;

use super::background::REPLICA_POLL_INTERVAL;
use super::observer::Event;
use super::submit_outcome::{Awaited, awaited};
use super::{MIN_ADMISSION_WAIT, Relay, SubmitOutcome};
use crate::clock::Moment;
use crate::ledger::{LedgerError, Stored};
use crate::order::{Admission, Order, OrderId, Requester, Resolution, Resolved, State};

impl Relay {
    /// Tries a parked or refused order again, and waits for its outcome as [`Relay::submit`] does. `None` if there is
    /// no such order.
    ///
    /// # Errors
    /// If the ledger did not record it; nothing was sent.
    pub async fn replay(
        self: &Arc<Self>,
        id: OrderId,
        by: impl Into<Requester>,
        wait: Duration,
    ) -> Result<Option<SubmitOutcome>, LedgerError> {
        let deadline = self.dependencies.clock.moment().after(wait);
        let waiter = self.waiters.subscribe(&id);
        let earliest = self.dependencies.clock.moment().after(MIN_ADMISSION_WAIT);
        let relay = Arc::clone(self);
        let (reopened, by) = (id.clone(), by.into());
        let reopen = async move { relay.reopen(&reopened, &by, deadline.max(earliest)).await };
        let Some(admission) = self.detached(id, reopen, wait).await? else {
            return Ok(None);
        };
        Ok(Some(match awaited(admission) {
            Awaited::Outcome { open, role } => self.answer(open, role, &waiter, deadline).await,
            Awaited::Nothing(known) => known,
        }))
    }

    /// Settles an open or parked order by hand. An attempt that is under way is awaited first, at most for `wait`.
    /// `None` if there is no such order.
    ///
    /// # Errors
    /// If the ledger did not record it.
    pub async fn resolve(
        self: &Arc<Self>,
        id: &OrderId,
        resolution: Resolution,
        by: impl Into<Requester>,
        wait: Duration,
    ) -> Result<Option<Resolved>, LedgerError> {
        let deadline = self.dependencies.clock.moment().after(wait);
        let (waiter, by) = (self.waiters.subscribe(id), by.into());
        loop {
            let Some(order) = self.dependencies.ledger.find(id).await? else { return Ok(None) };
            let now = self.dependencies.clock.moment();
            match self.resolved(order, &resolution, &by) {
                Resolved::AttemptInProgress(order) if now < deadline && !self.stopped.is_cancelled() => {
                    // Another replica may be making the attempt, so the ledger is read again now and then.
                    let next_read = now.after(REPLICA_POLL_INTERVAL).min(deadline);
                    tokio::select! {
                        biased;
                        () = waiter.attempt_ended_after(order.revision) => {}
                        () = self.dependencies.clock.sleep_until(next_read) => {}
                        () = self.stopped.cancelled() => {}
                    }
                }
                Resolved::Applied(order) => {
                    let (relay, settled) = (Arc::clone(self), order.clone());
                    let stored = self.detached(id.clone(), async move { relay.store_resolution(settled).await }, wait);
                    // Superseded: the order has changed meanwhile, and is read once more.
                    if stored.await? == Stored::Committed {
                        return Ok(Some(Resolved::Applied(order)));
                    }
                    self.read_later(deadline).await?;
                }
                other => return Ok(Some(other)),
            }
        }
    }

    /// Waits before an order is read again that has changed since it was read: a read may lag behind, and must not be
    /// repeated without a pause, nor without an end.
    async fn read_later(&self, deadline: Moment) -> Result<(), LedgerError> {
        if self.dependencies.clock.moment() >= deadline || self.stopped.is_cancelled() {
            return Err(LedgerError::TimedOut);
        }
        self.dependencies.clock.sleep(REPLICA_POLL_INTERVAL).await;
        Ok(())
    }

    fn resolved(&self, order: Order, resolution: &Resolution, by: &Requester) -> Resolved {
        match order.resolve(resolution, by.clone(), self.now()) {
            Resolved::AttemptInProgress(order) if self.abandoned.contains(&order) => {
                Resolved::Applied(order.resolve_abandoned(resolution, by.clone(), self.now()))
            }
            resolved => resolved,
        }
    }

    async fn store_resolution(&self, settled: Order) -> Result<Stored, LedgerError> {
        let stored = self.dependencies.ledger.store(settled.clone()).await?;
        if stored == Stored::Committed {
            self.report(Event::Intervened(&settled));
            self.abandoned.forget(&settled.id);
            self.waiters.publish(settled);
        }
        Ok(stored)
    }

    async fn reopen(&self, id: &OrderId, by: &Requester, deadline: Moment) -> Result<Option<Admission>, LedgerError> {
        let grace = self.dependencies.policy.unknown_grace;
        loop {
            let Some(order) = self.dependencies.ledger.find(id).await? else { return Ok(None) };
            match order.clone().replay(by.clone(), self.now(), grace) {
                None if order.state == State::Created => return Ok(Some(Admission::Replayed(order))),
                None if order.state == State::Cancelled => return Ok(Some(Admission::Conflicting(order))),
                None => return Ok(Some(Admission::Joined(order))),
                Some(order) if self.store_restart(&order).await? == Stored::Committed => {
                    self.report(Event::Intervened(&order));
                    self.schedule(&order);
                    return Ok(Some(Admission::Restarted(order)));
                }
                // The order has changed meanwhile, and is read once more.
                Some(_) => self.read_later(deadline).await?,
            }
        }
    }

    async fn store_restart(&self, order: &Order) -> Result<Stored, LedgerError> {
        let stored = self.dependencies.ledger.store(order.clone()).await;
        stored.inspect_err(|_| self.enqueue_possibly_written(&order.id, order.received_at))
    }
}
