//! What people ask for: to try an order again, or to settle it.

use std::sync::Arc;
use std::time::Duration;

use tracing::info;

use super::background::REPLICA_POLL_INTERVAL;
use super::{Relay, SubmitOutcome};
use crate::clock::after;
use crate::ledger::{LedgerError, Stored};
use crate::order::{Admission, Order, OrderId, Resolution, Resolved, State};

impl Relay {
    /// Tries a parked or refused order again, and waits for its outcome as [`Relay::submit`] does. `None` if there is
    /// no such order.
    ///
    /// # Errors
    /// If the ledger did not record it; nothing was sent.
    pub async fn replay(
        self: &Arc<Self>,
        id: OrderId,
        by: String,
        wait: Duration,
    ) -> Result<Option<SubmitOutcome>, LedgerError> {
        let deadline = after(self.dependencies.clock.now(), wait);
        let outcome = self.waiters.subscribe(&id);
        let relay = Arc::clone(self);
        let Some(admission) = self.detached(async move { relay.reopen(&id, &by).await }, wait).await? else {
            return Ok(None);
        };
        Ok(Some(self.answer(admission, &outcome, deadline).await))
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
        by: &str,
        wait: Duration,
    ) -> Result<Option<Resolved>, LedgerError> {
        let deadline = after(self.dependencies.clock.now(), wait);
        let outcome = self.waiters.subscribe(id);
        loop {
            let Some(order) = self.dependencies.ledger.find(id).await? else { return Ok(None) };
            match order.resolve(&resolution, by, self.dependencies.clock.now()) {
                Resolved::AttemptInProgress(order)
                    if self.dependencies.clock.now() < deadline && !self.stopped.is_cancelled() =>
                {
                    // Another replica may be making the attempt, so this one looks again now and then.
                    let look_again = after(self.dependencies.clock.now(), REPLICA_POLL_INTERVAL).min(deadline);
                    tokio::select! {
                        biased;
                        _ = outcome.at_rest_after(order.revision) => {}
                        () = self.dependencies.clock.sleep_until(look_again) => {}
                        () = self.stopped.cancelled() => {}
                    }
                }
                Resolved::Applied(order) => {
                    let (relay, settled) = (Arc::clone(self), order.clone());
                    let stored = self.detached(
                        async move {
                            let stored = relay.dependencies.ledger.store(settled.clone()).await?;
                            if stored == Stored::Committed {
                                relay.publish(&settled);
                            }
                            Ok(stored)
                        },
                        wait,
                    );
                    // Superseded: it has gone on meanwhile, and is looked at once more.
                    if stored.await? == Stored::Committed {
                        return Ok(Some(Resolved::Applied(order)));
                    }
                }
                other => return Ok(Some(other)),
            }
        }
    }

    async fn reopen(&self, id: &OrderId, by: &str) -> Result<Option<Admission>, LedgerError> {
        loop {
            let Some(order) = self.dependencies.ledger.find(id).await? else { return Ok(None) };
            match order.clone().replay(by, self.dependencies.clock.now(), &self.dependencies.policy) {
                None if order.state == State::Created => return Ok(Some(Admission::Replayed(order))),
                None if order.state == State::Cancelled => return Ok(Some(Admission::Conflicting(order))),
                None => return Ok(Some(Admission::Joined(order))),
                Some(order) if self.store_life(&order).await? == Stored::Committed => {
                    info!(order = %order.id, by, "tried again by hand");
                    self.schedule(&order);
                    return Ok(Some(Admission::Restarted(order)));
                }
                // Somebody else has changed it meanwhile.
                Some(_) => {}
            }
        }
    }

    async fn store_life(&self, order: &Order) -> Result<Stored, LedgerError> {
        let stored = self.dependencies.ledger.store(order.clone()).await;
        stored.inspect_err(|_| self.enqueue_possibly_written(&order.id, order.received_at))
    }
}
