//! The work that no caller waits for: queued orders are dispatched, due ones resumed, other replicas' outcomes polled.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tracing::{debug, warn};

use super::Relay;
use super::dispatcher::Dispatch;
use super::order_log;
use super::retrying_ledger::LEDGER_RETRY_DELAY;
use crate::clock::after;
use crate::ledger::{Claimed, LedgerError, Sharing};
use crate::order::State;

/// Interval at which the ledger is searched for open orders that nobody works on. Such orders exist after a restart,
/// and after another replica's end.
const SWEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Orders that one sweep resumes at most, which bounds its memory; the next sweep resumes more.
const SWEEP_LIMIT: usize = 10_000;

/// Pause after a sweep that reached its limit: as long as some of its orders take.
const FULL_SWEEP_PAUSE: Duration = Duration::from_millis(200);

/// Least time between two sweeps, whatever is due: one sweep finds all orders that became due meanwhile.
const MIN_SWEEP_INTERVAL: Duration = Duration::from_millis(100);

/// Interval at which a shared ledger is asked for outcomes that other replicas have stored: one query for all callers
/// that wait.
pub const REPLICA_POLL_INTERVAL: Duration = Duration::from_millis(250);

/// What a sweep found.
struct Swept {
    /// Whether the sweep reached its limit.
    full: bool,
    next_due: Option<Timestamp>,
}

impl Relay {
    /// Dispatches queued orders and resumes due ones until [`Relay::stop`]: retries at their stored time, and after a
    /// restart every order that was open.
    pub async fn run(self: Arc<Self>) {
        tokio::join!(biased; self.dispatch_loop(), self.sweep_loop(), self.poll_replicas());
    }

    /// Begins no further attempt, waits at most `within` for those under way, then lets every waiting caller go.
    pub async fn stop(&self, within: Duration) {
        self.stopping.cancel();
        self.tasks.close();
        tokio::select! {
            biased;
            () = self.tasks.wait() => {}
            () = self.dependencies.clock.sleep(within) => {
                warn!("attempts are still under way after server.drain: the next start takes their orders up");
            }
        }
        self.stopped.cancel();
        if let Err(error) = self.dependencies.ledger.release().await {
            warn!(error.message = %error, "leases can't be released: other replicas take the orders when they expire");
        }
    }

    /// Whether [`Relay::stop`] was called.
    pub fn is_stopping(&self) -> bool {
        self.stopping.is_cancelled()
    }

    async fn dispatch_loop(self: &Arc<Self>) {
        loop {
            let dispatch = tokio::select! {
                biased;
                () = self.stopping.cancelled() => return,
                dispatch = self.dispatcher.next() => dispatch,
            };
            let relay = Arc::clone(self);
            self.tasks.spawn(async move {
                if !relay.stopping.is_cancelled() {
                    relay.process(dispatch).await;
                }
            });
        }
    }

    async fn sweep_loop(self: &Arc<Self>) {
        while !self.stopping.is_cancelled() {
            let now = self.now();
            let swept = self.resume_due(now).await.unwrap_or_else(|error| {
                debug!(error.message = %error, "the ledger can't be searched for due orders; the sweep is repeated");
                Swept { full: false, next_due: None }
            });
            let next = after(now, if swept.full { FULL_SWEEP_PAUSE } else { SWEEP_INTERVAL });
            self.due_timer.set(swept.next_due.map_or(next, |due| due.min(next)));
            tokio::select! {
                biased;
                () = self.stopping.cancelled() => {}
                () = self.due_timer.wait(self.dependencies.clock.as_ref(), after(now, MIN_SWEEP_INTERVAL)) => {}
            }
        }
    }

    /// Queues every due order that nobody works on, and takes interrupted attempts over.
    async fn resume_due(self: &Arc<Self>, now: Timestamp) -> Result<Swept, LedgerError> {
        let limit = match self.dependencies.ledger.sharing() {
            Sharing::Exclusive => SWEEP_LIMIT,
            // However many orders are queued here, some that wait in the ledger may be older.
            Sharing::Shared => self.dispatcher.spare_capacity().max(self.dispatcher.permits()),
        };
        let claimed = self.dependencies.ledger.claim(now, limit).await?;
        let found = claimed.len();
        let mut new = 0;
        for Claimed { id, received_at, state, revision } in claimed {
            if state != State::Forwarding {
                new += usize::from(self.dispatcher.enqueue(&id, received_at));
            } else if let Some(dispatch) = self.dispatcher.reserve_without_permit(&id) {
                let relay = Arc::clone(self);
                self.tasks.spawn(async move { relay.take_over(dispatch, revision).await });
            }
        }
        Ok(Swept { full: found >= limit && new > 0, next_due: self.dependencies.ledger.next_due(now).await? })
    }

    /// Ends an attempt whose process is gone: its outcome is unknown. Only the attempt that the sweep found is meant, so
    /// an order with another revision is left alone.
    async fn take_over(&self, dispatch: Dispatch, revision: u64) {
        let Some(mut order) = self.retrying_ledger.read(&dispatch.id, &self.stopping).await else { return };
        if order.state != State::Forwarding || order.revision != revision {
            return;
        }
        order_log::attempt_interrupted(&order);
        if let Err(defect) = order.interrupt(self.now(), &self.dependencies.policy) {
            return order_log::interruption_not_recorded(&order, &defect);
        }
        if self.settle(&order).await {
            order_log::attempt_ended(&order);
            self.publish(order);
        }
    }

    /// Gives callers of this replica the outcomes that other replicas have stored.
    async fn poll_replicas(&self) {
        if self.dependencies.ledger.sharing() == Sharing::Exclusive {
            return;
        }
        loop {
            let awaited = tokio::select! {
                biased;
                () = self.stopped.cancelled() => return,
                awaited = self.waiters.awaited() => awaited,
            };
            match self.dependencies.ledger.settled_since(awaited).await {
                Ok(orders) => orders.into_iter().for_each(|order| self.waiters.publish(order)),
                Err(error) => {
                    debug!(error.message = %error, "the ledger can't be asked for other replicas' outcomes yet");
                    self.dependencies.clock.sleep(LEDGER_RETRY_DELAY).await;
                }
            }
            self.dependencies.clock.sleep(REPLICA_POLL_INTERVAL).await;
        }
    }
}
