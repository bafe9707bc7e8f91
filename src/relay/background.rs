//! The work that no caller waits for: queued orders are dispatched, due ones resumed, other replicas' outcomes polled.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use super::dispatcher::{Dispatch, Ticket};
use super::observer::{Event, IllegalStep, LedgerQuestion};
use super::retrying_ledger::{LEDGER_RETRY_DELAY, Read};
use super::settlement::End;
use super::spans;
use super::{Relay, lease_length};
use crate::clock::{Moment, after, between};
use crate::ledger::{Claimed, LedgerError, Sharing};
use crate::order::{Order, OrderId, State};

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

/// Orders whose next attempt one sweep brings nearer at most: after a step of a clock there may be many, and each is a
/// write.
const REPLAN_LIMIT: usize = 1_000;

/// Time in which a stop gives its leases back: they end by themselves, and whoever waits for the stop may kill it.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(2);

/// A stored time may be farther away than the policy allows by so much before it counts as wrong: clocks of replicas
/// differ a little.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(5);

/// Says that [`Relay::run`] is under way, until it ends, also by a panic.
struct Running<'a>(&'a AtomicBool);

impl<'a> Running<'a> {
    fn begin(flag: &'a AtomicBool) -> Self {
        flag.store(true, Ordering::Release);
        Self(flag)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// What a sweep found.
struct Swept {
    /// Whether the sweep reached its limit.
    full: bool,
    next_due: Option<Moment>,
}

impl Relay {
    /// Dispatches queued orders and resumes due ones until [`Relay::stop`]: retries at their stored time, and after a
    /// restart every order that was open.
    pub async fn run(self: Arc<Self>) {
        if let Some(restored) = &self.restored {
            restored.learn_age(self.dependencies.ledger.as_ref()).await;
        }
        let _running = Running::begin(&self.running);
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
                self.report(Event::StoppedWithinAttempts);
            }
        }
        self.stopped.cancel();
        let released = tokio::select! {
            biased;
            released = self.dependencies.ledger.release() => released,
            () = self.dependencies.clock.sleep(RELEASE_TIMEOUT) => Err(LedgerError::TimedOut),
        };
        if let Err(error) = released {
            self.report(Event::LeasesKept(&error));
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
            let now = self.dependencies.clock.moment();
            self.queue_held(now);
            let swept = self.resume_due(self.reckoned_now()).await.unwrap_or_else(|error| {
                self.report(Event::LedgerAwaited { question: LedgerQuestion::Sweep, error: &error });
                Swept { full: false, next_due: None }
            });
            // Whatever the ledger's times say, no sleep is longer than the interval.
            let next = now.after(if swept.full { FULL_SWEEP_PAUSE } else { SWEEP_INTERVAL });
            for due in [swept.next_due, self.holds.next()].into_iter().flatten() {
                self.due_timer.set(due);
            }
            self.due_timer.set(next);
            tokio::select! {
                biased;
                () = self.stopping.cancelled() => {}
                () = self.due_timer.wait(self.dependencies.clock.as_ref(), now.after(MIN_SWEEP_INTERVAL)) => {}
            }
        }
    }

    /// Queues the orders that are due by this process's own reckoning.
    fn queue_held(&self, now: Moment) {
        for (id, ticket) in self.holds.take_due(now) {
            self.dispatcher.enqueue(&id, ticket);
        }
        self.holds.forget_past(now, |id| self.dispatcher.knows(id));
    }

    /// Queues every due order that nobody works on, takes interrupted attempts over, and brings attempts nearer that are
    /// too far away.
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
                new += usize::from(self.dispatcher.enqueue(&id, Ticket::new(received_at, revision)));
            } else if let Some(dispatch) = self.dispatcher.reserve_without_permit(&id) {
                let relay = Arc::clone(self);
                self.tasks.spawn(async move { relay.take_over(dispatch, revision).await });
            } else if self.dependencies.ledger.sharing() == Sharing::Shared {
                let relay = Arc::clone(self);
                self.tasks.spawn(async move { relay.take_over_when_free(&id, revision).await });
            }
        }
        self.replan_late(now).await?;
        let next_due = self.dependencies.ledger.next_due(now).await?;
        let next_due = next_due.map(|due| self.dependencies.clock.moment().after(between(now, due)));
        Ok(Swept { full: found >= limit && new > 0, next_due })
    }

    /// Brings next attempts nearer that are farther away than any wait that the settings allow: a clock was ahead when
    /// their times were stored, or was set back since. Those that this process has reckoned itself come at their time.
    async fn replan_late(self: &Arc<Self>, now: Timestamp) -> Result<(), LedgerError> {
        let horizon = after(now, self.dependencies.policy.longest_wait() + CLOCK_TOLERANCE);
        let late = self.dependencies.ledger.due_after(horizon, REPLAN_LIMIT).await?;
        let late = late.into_iter().filter(|order| !self.holds.contains(&order.id));
        let dispatches: Vec<_> = late
            .filter_map(|order| Some((self.dispatcher.reserve_without_permit(&order.id)?, order.revision)))
            .collect();
        if !dispatches.is_empty() {
            self.report(Event::AttemptsBroughtNearer(dispatches.len()));
        }
        for (dispatch, revision) in dispatches {
            let relay = Arc::clone(self);
            self.tasks.spawn(async move { relay.replan(dispatch, revision).await });
        }
        Ok(())
    }

    async fn replan(&self, dispatch: Dispatch, revision: u64) {
        let Some(mut order) = self.read_revision(&dispatch.id, revision).await else { return };
        // An error means that its time has come meanwhile.
        if order.replan(self.reckoned_now(), &self.dependencies.policy).is_ok() {
            // Superseded: another replica has done it.
            let _ = self.retrying_ledger.store(&order, &self.stopping).await;
        }
    }

    /// Reads an order that the ledger had with a revision, and waits for a read that lags behind; `None` if the order has
    /// another revision by now.
    async fn read_revision(&self, id: &OrderId, revision: u64) -> Option<Order> {
        let clock = &self.dependencies.clock;
        let limit = clock.moment().after(lease_length(self.dependencies.attempt_limit));
        loop {
            match self.retrying_ledger.read(id, &self.stopping).await {
                Read::Found(order) if order.revision == revision => return Some(*order),
                Read::Found(order) if order.revision > revision => return None,
                Read::Unreadable | Read::GivenUp => return None,
                Read::Found(_) | Read::Absent if clock.moment() >= limit => return None,
                Read::Found(_) | Read::Absent => self.retrying_ledger.pause(&self.stopping).await?,
            }
        }
    }

    /// Takes an attempt over whose order somebody has here at this moment, such as its cart that comes again. The sweep has
    /// renewed its lease, so that the next one would find it a lease later.
    async fn take_over_when_free(&self, id: &OrderId, revision: u64) {
        let clock = &self.dependencies.clock;
        let limit = clock.moment().after(lease_length(self.dependencies.attempt_limit));
        while clock.moment() < limit && self.retrying_ledger.pause(&self.stopping).await.is_some() {
            if let Some(dispatch) = self.dispatcher.reserve_without_permit(id) {
                return self.take_over(dispatch, revision).await;
            }
        }
    }

    /// Ends an attempt whose process is gone: its outcome is unknown. Only the attempt that the sweep found is meant, so
    /// an order with another revision is left alone.
    async fn take_over(&self, dispatch: Dispatch, revision: u64) {
        let Some(mut order) = self.read_revision(&dispatch.id, revision).await else { return };
        if order.state != State::Forwarding || self.abandoned.contains(&order) {
            return;
        }
        self.report(Event::AttemptInterrupted(&order));
        let now = self.now();
        if let Err(defect) = order.interrupt(now, &self.dependencies.policy) {
            return self.report(Event::Illegal { change: IllegalStep::Interrupt, order: &order, defect: &defect });
        }
        let tracer = &self.dependencies.tracer;
        let mut span = spans::begin_take_over(tracer, &order);
        let id = order.id.clone();
        let ended = span.enclose(self.settle(order, End::at(now))).await;
        spans::describe_end(tracer, &mut span, &id, ended);
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
                    self.report(Event::LedgerAwaited { question: LedgerQuestion::Replicas, error: &error });
                    self.dependencies.clock.sleep(LEDGER_RETRY_DELAY).await;
                }
            }
            self.dependencies.clock.sleep(REPLICA_POLL_INTERVAL).await;
        }
    }
}
