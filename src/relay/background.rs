//! What goes on beside the callers: dispatcher are given out, whoever is due is resumed, what other replicas do is followed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;
use tracing::{error, warn};

use super::dispatcher::Dispatch;
use super::{LEDGER_RETRY_DELAY, Relay};
use crate::clock::{Clock, after};
use crate::ledger::{Claimed, LedgerError, Sharing};
use crate::order::State;

/// How often the ledger is searched for open orders that nobody works on. Such orders exist after a restart, and after
/// another replica has ended.
const SWEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Orders that one sweep resumes at most; the rest poll_replicas with the next.
const SWEEP_LIMIT: usize = 10_000;

/// After a sweep that found as many as it could take, the next follows as soon as some of them may be done.
const FULL_SWEEP_DELAY: Duration = Duration::from_millis(200);

/// Between two sweeps at least, whatever is due: one sweep takes all that came meanwhile.
const MIN_SWEEP_INTERVAL: Duration = Duration::from_millis(100);

/// How often a shared ledger is asked for outcomes that other replicas may have stored: one query, for all that wait.
pub const REPLICA_POLL_INTERVAL: Duration = Duration::from_millis(250);

/// The earliest time at which an order is known to be due.
#[derive(Debug, Default)]
pub struct DueTimer {
    at: Mutex<Option<Timestamp>>,
    changed: Notify,
}

impl DueTimer {
    fn at(&self) -> MutexGuard<'_, Option<Timestamp>> {
        self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets it to an earlier time; a later one changes nothing.
    pub fn set(&self, time: Timestamp) {
        let mut at = self.at();
        if at.is_none_or(|at| time < at) {
            *at = Some(time);
            drop(at);
            self.changed.notify_one();
        }
    }

    /// Waits for the time, and clears it; not before `earliest`.
    async fn wait(&self, clock: &dyn Clock, earliest: Timestamp) {
        loop {
            let changed = self.changed.notified();
            let time = *self.at();
            tokio::select! {
                biased;
                () = clock.sleep_until(time.unwrap_or(Timestamp::MAX).max(earliest)) => break,
                () = changed => {}
            }
        }
        *self.at() = None;
    }
}

/// What a sweep found.
struct Swept {
    /// There may be more.
    full: bool,
    next_due: Option<Timestamp>,
}

impl Relay {
    /// Gives out dispatcher and resumes whatever is due, until [`Relay::stop`]: retries at their stored time, and after a
    /// restart every order that was open.
    pub async fn run(self: Arc<Self>) {
        tokio::join!(biased; self.dispatch_loop(), self.sweep(), self.poll_replicas());
    }

    /// Stops beginning attempts, gives those under way so long, and lets everyone who still waits go.
    pub async fn stop(&self, within: Duration) {
        self.stopping.cancel();
        self.tasks.close();
        tokio::select! {
            biased;
            () = self.tasks.wait() => {}
            () = self.dependencies.clock.sleep(within) => warn!("some attempts are still under way; the next start finds them"),
        }
        self.stopped.cancel();
        if let Err(problem) = self.dependencies.ledger.release().await {
            warn!(%problem, "orders can't be given back; other replicas take them when their leases end");
        }
    }

    /// Whether it has been told to stop.
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
                if !relay.is_stopping() {
                    relay.process(dispatch).await;
                }
            });
        }
    }

    async fn sweep(self: &Arc<Self>) {
        while !self.is_stopping() {
            let now = self.dependencies.clock.now();
            let swept = self.resume_due(now).await.unwrap_or_else(|problem| {
                error!(%problem, "the ledger can't be searched for due orders");
                Swept { full: false, next_due: None }
            });
            let next = after(now, if swept.full { FULL_SWEEP_DELAY } else { SWEEP_INTERVAL });
            self.due_timer.set(swept.next_due.map_or(next, |due| due.min(next)));
            tokio::select! {
                biased;
                () = self.stopping.cancelled() => {}
                () = self.due_timer.wait(self.dependencies.clock.as_ref(), after(now, MIN_SWEEP_INTERVAL)) => {}
            }
        }
    }

    /// Every due order that nobody works on gets its dispatch.
    async fn resume_due(self: &Arc<Self>, now: Timestamp) -> Result<Swept, LedgerError> {
        let limit = match self.dependencies.ledger.sharing() {
            Sharing::Exclusive => SWEEP_LIMIT,
            // However much waits here, something of what waits in the ledger is older.
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

    /// Whoever began the attempt is gone, and what became of it is unknown. Another attempt than the one that was found
    /// is not meant.
    async fn take_over(&self, dispatch: Dispatch, revision: u64) {
        let Some(mut order) = self.read(&dispatch.id).await else { return };
        if order.state != State::Forwarding || order.revision != revision {
            return;
        }
        warn!(order = %order.id, "an attempt was interrupted; its outcome is unknown");
        if let Err(defect) = order.interrupt(self.dependencies.clock.now(), &self.dependencies.policy) {
            return error!(order = %order.id, %defect);
        }
        self.settle(order).await;
    }

    /// Tells callers of this replica what another one has brought to an end.
    async fn poll_replicas(&self) {
        if self.dependencies.ledger.sharing() == Sharing::Exclusive {
            return;
        }
        loop {
            let awaited = tokio::select! {
                biased;
                () = self.stopped.cancelled() => return,
                awaited = self.waiters.awaited_since() => awaited,
            };
            match self.dependencies.ledger.settled_since(awaited).await {
                Ok(orders) => orders.iter().for_each(|order| self.waiters.announce(order)),
                Err(problem) => {
                    error!(%problem, "the ledger can't be asked what other replicas have done");
                    self.dependencies.clock.sleep(LEDGER_RETRY_DELAY).await;
                }
            }
            self.dependencies.clock.sleep(REPLICA_POLL_INTERVAL).await;
        }
    }
}
