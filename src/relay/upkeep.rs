//! What goes on beside the callers: turns are given out, whoever is due is resumed, what other replicas do is followed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;
use tracing::{error, warn};

use super::turns::Turn;
use super::{AGAIN, Relay};
use crate::clock::{Clock, after};
use crate::ledger::{Claimed, LedgerError, Sharing};
use crate::order::State;

/// How often the ledger is searched for open orders that nobody works on. Such orders exist after a restart, and after
/// another replica has ended.
const SWEEP: Duration = Duration::from_secs(5);

/// Orders that one sweep resumes at most; the rest follow with the next.
const SWEEP_LIMIT: usize = 10_000;

/// After a sweep that found as many as it could take, the next follows as soon as some of them may be done.
const NEXT_SWEEP: Duration = Duration::from_millis(200);

/// Between two sweeps at least, whatever is due: one sweep takes all that came meanwhile.
const REST: Duration = Duration::from_millis(100);

/// How often a shared ledger is asked for outcomes that other replicas may have stored: one query, for all that wait.
pub const FOLLOW: Duration = Duration::from_millis(250);

/// The earliest time at which an order is known to be due.
#[derive(Debug, Default)]
pub struct Alarm {
    at: Mutex<Option<Timestamp>>,
    changed: Notify,
}

impl Alarm {
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
    async fn ring(&self, clock: &dyn Clock, earliest: Timestamp) {
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
    /// Gives out turns and resumes whatever is due, until [`Relay::stop`]: retries at their stored time, and after a
    /// restart every order that was open.
    pub async fn run(self: Arc<Self>) {
        tokio::join!(biased; self.give_out_turns(), self.sweep(), self.follow());
    }

    /// Stops beginning attempts, gives those under way so long, and lets everyone who still waits go.
    pub async fn stop(&self, within: Duration) {
        self.stopping.cancel();
        self.tasks.close();
        tokio::select! {
            biased;
            () = self.tasks.wait() => {}
            () = self.parts.clock.sleep(within) => warn!("some attempts are still under way; the next start finds them"),
        }
        self.stopped.cancel();
        if let Err(problem) = self.parts.ledger.release().await {
            warn!(%problem, "orders can't be given back; other replicas take them when their leases end");
        }
    }

    /// Whether it has been told to stop.
    pub fn is_stopping(&self) -> bool {
        self.stopping.is_cancelled()
    }

    async fn give_out_turns(self: &Arc<Self>) {
        loop {
            let turn = tokio::select! {
                biased;
                () = self.stopping.cancelled() => return,
                turn = self.turns.next() => turn,
            };
            let relay = Arc::clone(self);
            self.tasks.spawn(async move {
                if !relay.is_stopping() {
                    relay.take(turn).await;
                }
            });
        }
    }

    async fn sweep(self: &Arc<Self>) {
        while !self.is_stopping() {
            let now = self.parts.clock.now();
            let swept = self.resume_due(now).await.unwrap_or_else(|problem| {
                error!(%problem, "the ledger can't be searched for due orders");
                Swept { full: false, next_due: None }
            });
            let next = after(now, if swept.full { NEXT_SWEEP } else { SWEEP });
            self.alarm.set(swept.next_due.map_or(next, |due| due.min(next)));
            tokio::select! {
                biased;
                () = self.stopping.cancelled() => {}
                () = self.alarm.ring(self.parts.clock.as_ref(), after(now, REST)) => {}
            }
        }
    }

    /// Every due order that nobody works on gets its turn.
    async fn resume_due(self: &Arc<Self>, now: Timestamp) -> Result<Swept, LedgerError> {
        let limit = match self.parts.ledger.sharing() {
            Sharing::Alone => SWEEP_LIMIT,
            // However much waits here, something of what waits in the ledger is older.
            Sharing::Replicas => self.turns.room().max(self.turns.places()),
        };
        let claimed = self.parts.ledger.claim(now, limit).await?;
        let found = claimed.len();
        let mut new = 0;
        for Claimed { id, received_at, state, revision } in claimed {
            if state != State::Forwarding {
                new += usize::from(self.turns.enqueue(&id, received_at));
            } else if let Some(turn) = self.turns.aside(&id) {
                let relay = Arc::clone(self);
                self.tasks.spawn(async move { relay.take_over(turn, revision).await });
            }
        }
        Ok(Swept { full: found >= limit && new > 0, next_due: self.parts.ledger.next_due(now).await? })
    }

    /// Whoever began the attempt is gone, and what became of it is unknown. Another attempt than the one that was found
    /// is not meant.
    async fn take_over(&self, turn: Turn, revision: u64) {
        let Some(mut order) = self.read(&turn.id).await else { return };
        if order.state != State::Forwarding || order.revision != revision {
            return;
        }
        warn!(order = %order.id, "an attempt was interrupted; its outcome is unknown");
        if let Err(defect) = order.interrupt(self.parts.clock.now(), &self.parts.policy) {
            return error!(order = %order.id, %defect);
        }
        self.settle(order).await;
    }

    /// Tells callers of this replica what another one has brought to an end.
    async fn follow(&self) {
        if self.parts.ledger.sharing() == Sharing::Alone {
            return;
        }
        loop {
            let awaited = tokio::select! {
                biased;
                () = self.stopped.cancelled() => return,
                awaited = self.outcomes.awaited_since() => awaited,
            };
            match self.parts.ledger.settled_since(awaited).await {
                Ok(orders) => orders.iter().for_each(|order| self.outcomes.announce(order)),
                Err(problem) => {
                    error!(%problem, "the ledger can't be asked what other replicas have done");
                    self.parts.clock.sleep(AGAIN).await;
                }
            }
            self.parts.clock.sleep(FOLLOW).await;
        }
    }
}
