//! The use case: an approved cart becomes exactly one purchase order. Read this first.
//!
//! ```text
//! submit:   admit (durable) ──► queue for dispatch, detached ──► answer when settled, or at the deadline
//! attempt:  begin (durable) ──► look up first if in doubt ──► send ──► conclude (durable) ──► publish
//! run:      dispatch what is queued; resume what is due, also after a restart or another replica's end
//! ```
//!
//! Three rules hold everywhere: nothing is sent that is not in the ledger; nobody is answered before the ledger has
//! the outcome; a caller that hangs up cancels its waiting, never the work. Knows nothing of HTTP, SQL or reqwest.

mod background;
mod dependencies;
mod dispatcher;
mod due_timer;
mod intervention;
mod order_log;
mod retrying_ledger;
mod submit_outcome;
mod waiters;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::debug;

pub use dependencies::{Dependencies, JitterSource};
pub use submit_outcome::SubmitOutcome;

use crate::clock::{after, between};
use crate::ledger::{LedgerError, Sharing, Stored};
use crate::order::breaker::CallResult;
use crate::order::vms_response::{LookUpResult, needs_look_up, read_create_of, read_create_with_look_up, read_look_up};
use crate::order::{Admission, Candidate, Doubt, Order, OrderId, State, Verdict};
use crate::telemetry::STEP;
use dispatcher::{Dispatch, Dispatcher};
use due_timer::DueTimer;
use retrying_ledger::RetryingLedger;
use submit_outcome::{CallerRole, answer_for};
use waiters::{Waiter, Waiters};

/// Where replicas share a ledger, the begin of an attempt that took longer to store is stored once more, so that its
/// lease is fresh when the order is sent.
const MAX_LEASE_AGE_AT_SEND: Duration = Duration::from_secs(5);

/// Time by which a lease outlasts the longest attempt and the storing of its begin: a busy machine cuts an attempt off
/// late.
const LEASE_MARGIN: Duration = Duration::from_secs(1);

/// Time that a caller gives its cart to be recorded, even if its own deadline is shorter.
const MIN_ADMISSION_WAIT: Duration = Duration::from_secs(5);

/// Time for a last read of an order when the deadline has passed.
const FINAL_READ_TIMEOUT: Duration = Duration::from_secs(1);

/// The length of a lease on an order that is being sent: longer than any attempt, which is cut off at `attempt_limit`.
pub const fn lease_length(attempt_limit: Duration) -> Duration {
    attempt_limit.saturating_add(MAX_LEASE_AGE_AT_SEND).saturating_add(LEASE_MARGIN)
}

/// Brings carts to 11VMS.
#[derive(Debug)]
pub struct Relay {
    dependencies: Dependencies,
    /// The ledger for work that no caller waits for.
    retrying_ledger: RetryingLedger,
    dispatcher: Arc<Dispatcher>,
    waiters: Waiters,
    due_timer: DueTimer,
    tasks: TaskTracker,
    /// No further attempt begins.
    stopping: CancellationToken,
    /// Nobody waits any more; open orders are resumed by the next start.
    stopped: CancellationToken,
}

impl Relay {
    /// Builds the relay; nothing is sent unless [`Relay::run`] is running.
    pub fn new(dependencies: Dependencies) -> Arc<Self> {
        let Dependencies { ledger, max_concurrency, breaker, clock, .. } = &dependencies;
        Arc::new(Self {
            retrying_ledger: RetryingLedger::new(Arc::clone(ledger), Arc::clone(clock)),
            dispatcher: Dispatcher::new(*max_concurrency, *breaker, Arc::clone(clock)),
            dependencies,
            waiters: Waiters::default(),
            due_timer: DueTimer::default(),
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
            stopped: CancellationToken::new(),
        })
    }

    /// Takes a cart and waits for its outcome, at most for `wait`.
    ///
    /// # Errors
    /// If the ledger did not record the cart; nothing was sent.
    pub async fn submit(self: &Arc<Self>, candidate: Candidate, wait: Duration) -> Result<SubmitOutcome, LedgerError> {
        let deadline = after(self.now(), wait);
        // Before the ledger is asked, so that an outcome published in between is not missed.
        let id = candidate.id.clone();
        let waiter = self.waiters.subscribe(&id);
        let relay = Arc::clone(self);
        let admission = self.detached(&id, async move { relay.admit(candidate).await }, wait).await?;
        Ok(self.answer(admission, &waiter, deadline).await)
    }

    /// Runs work on an order in a task of its own, so that a caller that hangs up or waits no longer can't separate a
    /// record from the work on it.
    async fn detached<T: Send + 'static>(
        &self,
        id: &OrderId,
        work: impl Future<Output = Result<T, LedgerError>> + Send + 'static,
        wait: Duration,
    ) -> Result<T, LedgerError> {
        let broken = |error| {
            order_log::work_broke_off(id, &error);
            Err(LedgerError::Unavailable(format!("the work on it broke off: {error}")))
        };
        tokio::select! {
            biased;
            done = self.tasks.spawn(work) => done.unwrap_or_else(broken),
            () = self.dependencies.clock.sleep(wait.max(MIN_ADMISSION_WAIT)) => Err(LedgerError::TimedOut),
        }
    }

    async fn admit(&self, candidate: Candidate) -> Result<Admission, LedgerError> {
        let (id, now) = (candidate.id.clone(), self.now());
        let grace = self.dependencies.policy.unknown_grace;
        let admission = self.dependencies.ledger.admit(candidate, now, grace).await;
        let admission = admission.inspect_err(|_| self.enqueue_possibly_written(&id, now))?;
        match &admission {
            Admission::Started(order) | Admission::Restarted(order) => self.schedule(order),
            // The process that recorded it may be gone, or may not know that it did.
            Admission::Joined(order) if order.state == State::Accepted => {
                self.dispatcher.enqueue(&order.id, order.received_at);
            }
            Admission::Joined(_) | Admission::Replayed(_) | Admission::Conflicting(_) => {}
        }
        Ok(admission)
    }

    /// Queues an order whose write has failed: the write may have been made all the same, and a sweep would find it.
    fn enqueue_possibly_written(&self, id: &OrderId, received_at: Timestamp) {
        if self.dispatcher.spare_capacity() > 0 {
            self.dispatcher.enqueue(id, received_at);
        }
    }

    /// Plans the first attempt of an order that was started or restarted.
    fn schedule(&self, order: &Order) {
        debug!(target: STEP, { order.id = %order.id, order.state = order.state.name() }, "recorded");
        match order.next_attempt_at {
            None => {
                self.dispatcher.enqueue(&order.id, order.received_at);
            }
            Some(time) => self.due_timer.set(time),
        }
    }

    /// Waits for the outcome, unless the admission has it already.
    async fn answer(&self, admission: Admission, waiter: &Waiter, deadline: Timestamp) -> SubmitOutcome {
        let (open, role) = match admission {
            Admission::Replayed(order) => return SubmitOutcome::Replayed(Arc::new(order)),
            Admission::Conflicting(order) => return SubmitOutcome::Conflicting(Arc::new(order)),
            Admission::Started(order) | Admission::Restarted(order) => (order, CallerRole::Initiator),
            Admission::Joined(order) => (order, CallerRole::Joiner),
        };
        // Thousands of callers may wait, so each holds little.
        let open = Arc::new(open.without_content());
        tokio::select! {
            biased;
            settled = waiter.settled_after(open.revision) => return answer_for(settled, role),
            () = self.dependencies.clock.sleep_until(deadline) => {}
            // Nothing more happens in this process.
            () = self.stopped.cancelled() => {}
        }
        let latest = tokio::select! {
            biased;
            found = self.dependencies.ledger.find(&open.id) => found.ok().flatten(),
            () = self.dependencies.clock.sleep(FINAL_READ_TIMEOUT) => None,
        };
        answer_for(latest.map_or(open, Arc::new), role)
    }

    /// Brings a dispatched order one step further, if it is due.
    async fn process(&self, dispatch: Dispatch) {
        let Some(order) = self.retrying_ledger.read(&dispatch.id, &self.stopping).await else { return };
        match order.state {
            State::Accepted | State::Retrying => match order.next_attempt_at {
                Some(time) if time > self.now() => self.due_timer.set(time),
                _ => self.attempt(order, dispatch).await,
            },
            // It was settled meanwhile; or an attempt has begun, and only a sweep can tell that its process is gone.
            State::Forwarding | State::Created | State::Rejected | State::Parked | State::Cancelled => {}
        }
    }

    async fn attempt(&self, mut order: Order, mut dispatch: Dispatch) {
        if let Err(defect) = order.begin(self.now()) {
            return order_log::attempt_not_made(&order, &defect);
        }
        if !self.record_begin(&order).await {
            return;
        }
        debug!(target: STEP, { order.id = %order.id, order.attempt.number = order.attempts_used }, "sent");
        let verdict = self.send_within_limit(&order).await;
        dispatch.release_permit(CallResult::of(&verdict), verdict.detail());
        let policy = &self.dependencies.policy;
        if let Err(defect) = order.conclude(verdict, self.now(), policy, self.dependencies.jitter.draw()) {
            return order_log::outcome_not_recorded(&order, &defect);
        }
        if self.settle(&order).await {
            order_log::attempt_ended(&order);
            self.publish(order);
        }
    }

    /// Stores that an attempt begins; false if it must not be made.
    async fn record_begin(&self, order: &Order) -> bool {
        let leased = self.dependencies.ledger.sharing() == Sharing::Shared;
        loop {
            let before = self.now();
            match self.retrying_ledger.store(order, &self.stopping).await {
                Some(Stored::Superseded) | None => return false,
                Some(Stored::Committed) if !leased || between(before, self.now()) <= MAX_LEASE_AGE_AT_SEND => {
                    return !self.stopping.is_cancelled();
                }
                Some(Stored::Committed) => {
                    order_log::begin_repeated(order);
                    if self.retrying_ledger.pause(&self.stopping).await.is_none() {
                        return false;
                    }
                }
            }
        }
    }

    async fn send_within_limit(&self, order: &Order) -> Verdict {
        let limit = self.dependencies.attempt_limit;
        tokio::select! {
            biased;
            () = self.dependencies.clock.sleep(limit) => {
                let detail = format!("cut off after {} s", limit.as_secs_f64());
                Verdict::Unknown { status: None, answer: None, detail, retry_after: None }
            }
            verdict = self.send(order) => verdict,
        }
    }

    /// Sends the order; in doubt, 11VMS is asked for it first. Where a profile says so, it is asked for the number after.
    async fn send(&self, order: &Order) -> Verdict {
        let Dependencies { vms, policy, response_rules, .. } = &self.dependencies;
        if order.doubt != Doubt::None && policy.guard.looks_up() {
            match read_look_up(vms.look_up(order).await, order.id.as_str(), response_rules) {
                // 11VMS responds: whatever becomes of this order, others need not wait for it.
                LookUpResult::Absent => self.dispatcher.record_success(),
                LookUpResult::Found(verdict) | LookUpResult::Inconclusive(verdict) => return verdict,
            }
        }
        let created = vms.create(order).await;
        if needs_look_up(&created, response_rules) {
            let look_up = vms.look_up(order).await;
            return read_create_with_look_up(created, look_up, order.id.as_str(), response_rules);
        }
        read_create_of(created, &order.id, response_rules)
    }

    /// Stores an outcome, however long the ledger takes; true if it counts.
    async fn settle(&self, order: &Order) -> bool {
        match self.retrying_ledger.store(order, &self.stopped).await {
            Some(Stored::Committed) => true,
            // Another replica has taken the order over.
            Some(Stored::Superseded) => {
                order_log::outcome_superseded(order);
                false
            }
            None => {
                order_log::outcome_not_stored(order);
                false
            }
        }
    }

    /// Gives a stored outcome to every caller that waits for it, and plans the next attempt if there is one.
    fn publish(&self, order: Order) {
        if let Some(time) = order.next_attempt_at {
            self.due_timer.set(time);
        }
        self.waiters.publish(order);
    }

    fn now(&self) -> Timestamp {
        self.dependencies.clock.now()
    }
}

#[cfg(test)]
mod tests;
