//! The use case: an approved cart becomes exactly one purchase order. Read this first.
//!
//! ```text
//! submit:   admit (durable) ──► wait for a dispatch, detached ──► answer when settled, or at the deadline
//! attempt:  begin (durable) ──► ask 11VMS first if in doubt ──► send ──► conclude (durable) ──► announce
//! run:      whoever is due, after a restart or another replica's end too ──► wait for a dispatch
//! ```
//!
//! Three rules hold everywhere: nothing is sent that is not in the ledger; nobody is answered before the ledger has
//! the outcome; a caller that goes away cancels its waiting, never the work. Knows nothing of HTTP, SQL or reqwest.

mod background;
mod dispatcher;
mod intervention;
mod waiters;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, error, info, warn};

use crate::clock::{Clock, after, between};
use crate::ledger::{Ledger, LedgerError, Sharing, Stored};
use crate::order::breaker::{BreakerPolicy, CallResult};
use crate::order::retry::{
    DuplicateGuard, LookUpResult, ResponseRules, RetryPolicy, Verdict, read_create, read_look_up,
};
use crate::order::{Admission, Candidate, Doubt, Order, OrderId, State};
use crate::telemetry::STEP;
use crate::vms::Vms;
use background::DueTimer;
use dispatcher::{Dispatch, Dispatcher};
use waiters::{Waiter, Waiters};

/// Between two tries to store something that the ledger did not take, or to read it.
const LEDGER_RETRY_DELAY: Duration = Duration::from_secs(1);

/// Where replicas share a ledger, the begin of an attempt that took longer to store is stored once more, so that a lease
/// is fresh when it is sent.
pub const MAX_LEASE_AGE_AT_SEND: Duration = Duration::from_secs(5);

/// Time by which a lease outlasts the longest attempt and what goes before it: a busy machine cuts an attempt off late.
const LEASE_MARGIN: Duration = Duration::from_secs(1);

/// The length of a ledger's lease, given the longest attempt.
pub const fn lease_length(attempt_limit: Duration) -> Duration {
    attempt_limit.saturating_add(MAX_LEASE_AGE_AT_SEND).saturating_add(LEASE_MARGIN)
}

/// A caller whose deadline is nearer waits so long all the same until its cart is recorded.
const MIN_ADMISSION_WAIT: Duration = Duration::from_secs(5);

/// For a last look at an order when the deadline has come.
const FINAL_READ_TIMEOUT: Duration = Duration::from_secs(1);

/// What a caller is told about its cart.
#[derive(Debug, Clone, PartialEq)]
pub enum SubmitOutcome {
    /// Created by this call.
    Created(Order),
    /// Created before, or by another call for the same cart.
    Replayed(Order),
    /// Still open at the deadline.
    Open(Order),
    /// Refused by 11VMS.
    Rejected(Order),
    /// Parked.
    Parked(Order),
    /// Another cart is known under this id, or a person cancelled the order.
    Conflicting(Order),
}

/// Draws a number from -1 to 1: where in the jitter a retry falls.
#[derive(Clone)]
pub struct JitterSource(pub Arc<dyn Fn() -> f64 + Send + Sync>);

impl fmt::Debug for JitterSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JitterSource")
    }
}

/// What the relay is made of.
#[derive(Debug)]
pub struct Dependencies {
    /// Where orders are remembered.
    pub ledger: Arc<dyn Ledger>,
    /// Where orders are created.
    pub vms: Arc<dyn Vms>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// When to try again.
    pub policy: RetryPolicy,
    /// How 11VMS's answers are read.
    pub response_rules: ResponseRules,
    /// Requests to 11VMS at the same time.
    pub max_concurrency: usize,
    /// When to leave 11VMS alone.
    pub breaker: BreakerPolicy,
    /// How long an attempt takes at most: then it is cut off, and its outcome is unknown. Shorter than a lease of the
    /// ledger by more than [`MAX_LEASE_AGE_AT_SEND`].
    pub attempt_limit: Duration,
    /// Where in the jitter a retry falls.
    pub jitter: JitterSource,
}

/// Brings carts to 11VMS.
#[derive(Debug)]
pub struct Relay {
    dependencies: Dependencies,
    dispatcher: Arc<Dispatcher>,
    waiters: Waiters,
    due_timer: DueTimer,
    tasks: TaskTracker,
    /// No further attempt begins.
    stopping: CancellationToken,
    /// Nobody waits any more: what is still open goes on at the next start.
    stopped: CancellationToken,
}

impl Relay {
    /// Builds the relay; nothing is sent unless [`Relay::run`] is running.
    pub fn new(dependencies: Dependencies) -> Arc<Self> {
        Arc::new(Self {
            dispatcher: Dispatcher::new(
                dependencies.max_concurrency,
                dependencies.breaker,
                Arc::clone(&dependencies.clock),
            ),
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
        let deadline = after(self.dependencies.clock.now(), wait);
        // Before the ledger is asked: an outcome announced in between is not missed.
        let outcome = self.waiters.subscribe(&candidate.id);
        let relay = Arc::clone(self);
        let admission = self.detached(async move { relay.admit(candidate).await }, wait).await?;
        Ok(self.answer(admission, &outcome, deadline).await)
    }

    /// Works in a task of its own: a caller that hangs up just now, or waits no longer, can't separate a record from the
    /// work on it.
    async fn detached<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, LedgerError>> + Send + 'static,
        wait: Duration,
    ) -> Result<T, LedgerError> {
        let broken = |error| Err(LedgerError::Unavailable(format!("the work on it broke off: {error}")));
        tokio::select! {
            biased;
            done = self.tasks.spawn(work) => done.unwrap_or_else(broken),
            () = self.dependencies.clock.sleep(wait.max(MIN_ADMISSION_WAIT)) => Err(LedgerError::TimedOut),
        }
    }

    async fn admit(&self, candidate: Candidate) -> Result<Admission, LedgerError> {
        let (now, policy) = (self.dependencies.clock.now(), self.dependencies.policy.clone());
        let id = candidate.id.clone();
        let admission = self.dependencies.ledger.admit(candidate, now, policy).await;
        let admission = admission.inspect_err(|_| self.enqueue_possibly_written(&id, now))?;
        match &admission {
            Admission::Started(order) | Admission::Restarted(order) => self.schedule(order),
            // Whoever recorded it may be gone, or may not know that it did.
            Admission::Joined(order) if order.state == State::Accepted => {
                self.dispatcher.enqueue(&order.id, order.received_at);
            }
            Admission::Joined(_) | Admission::Replayed(_) | Admission::Conflicting(_) => {}
        }
        Ok(admission)
    }

    /// A write has failed, and may have been made all the same: then the order is worked on, as if a sweep had found it.
    fn enqueue_possibly_written(&self, id: &OrderId, received_at: Timestamp) {
        if self.dispatcher.spare_capacity() > 0 {
            self.dispatcher.enqueue(id, received_at);
        }
    }

    /// A new life of an order is in the ledger.
    fn schedule(&self, order: &Order) {
        debug!(target: STEP, order = %order.id, state = order.state.name(), "recorded");
        match order.next_attempt_at {
            None => {
                self.dispatcher.enqueue(&order.id, order.received_at);
            }
            Some(time) => self.due_timer.set(time),
        }
    }

    /// Waits for the outcome, if it is not known yet.
    async fn answer(&self, admission: Admission, outcome: &Waiter, deadline: Timestamp) -> SubmitOutcome {
        let (open, part) = match admission {
            Admission::Replayed(order) => return SubmitOutcome::Replayed(order),
            Admission::Conflicting(order) => return SubmitOutcome::Conflicting(order),
            Admission::Started(order) | Admission::Restarted(order) => (order, CallerRole::Initiator),
            Admission::Joined(order) => (order, CallerRole::Joiner),
        };
        // Who waits holds little: thousands may.
        let open = Box::new(open.without_content());
        tokio::select! {
            biased;
            settled = outcome.settled_after(open.revision) => return answer_for(settled, part),
            () = self.dependencies.clock.sleep_until(deadline) => {}
            // Nothing more will happen in this process: the next one goes on.
            () = self.stopped.cancelled() => {}
        }
        let latest = tokio::select! {
            biased;
            found = self.dependencies.ledger.find(&open.id) => found.ok().flatten(),
            () = self.dependencies.clock.sleep(FINAL_READ_TIMEOUT) => None,
        };
        answer_for(latest.unwrap_or(*open), part)
    }

    /// An order's dispatch has come: it is brought one step further, if it is its time.
    async fn process(&self, dispatch: Dispatch) {
        let Some(order) = self.read(&dispatch.id).await else { return };
        match order.state {
            State::Accepted | State::Retrying => match order.next_attempt_at {
                Some(time) if time > self.dependencies.clock.now() => self.due_timer.set(time),
                _ => self.attempt(order, dispatch).await,
            },
            // Settled meanwhile; or begun, and whether whoever did so is gone is not for this dispatch to say.
            State::Forwarding | State::Created | State::Rejected | State::Parked | State::Cancelled => {}
        }
    }

    async fn attempt(&self, mut order: Order, mut dispatch: Dispatch) {
        if let Err(defect) = order.begin(self.dependencies.clock.now()) {
            return error!(order = %order.id, %defect);
        }
        if !self.record_begin(&order).await {
            return;
        }
        debug!(target: STEP, order = %order.id, attempt = order.attempts_used, "sent");
        let verdict = self.send_within_limit(&order).await;
        dispatch.release_permit(CallResult::of(&verdict));
        let now = self.dependencies.clock.now();
        if let Err(defect) = order.conclude(verdict, now, &self.dependencies.policy, (self.dependencies.jitter.0)()) {
            return error!(order = %order.id, %defect);
        }
        self.settle(order).await;
    }

    /// Stores that an attempt begins; false if it must not be made.
    async fn record_begin(&self, order: &Order) -> bool {
        let leased = self.dependencies.ledger.sharing() == Sharing::Shared;
        loop {
            let before = self.dependencies.clock.now();
            match self.store(order, &self.stopping).await {
                Some(Stored::Superseded) | None => return false,
                Some(Stored::Committed)
                    if !leased || between(before, self.dependencies.clock.now()) <= MAX_LEASE_AGE_AT_SEND =>
                {
                    return !self.is_stopping();
                }
                Some(Stored::Committed) => {
                    warn!(order = %order.id, "the ledger is slow; the begin of an attempt is stored once more");
                    if self.pause(&self.stopping).await.is_none() {
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

    /// In doubt, 11VMS is asked before anything is sent again.
    async fn send(&self, order: &Order) -> Verdict {
        let rules = &self.dependencies.response_rules;
        if order.doubt != Doubt::None && self.dependencies.policy.guard != DuplicateGuard::IdempotencyKey {
            let reply = self.dependencies.vms.look_up(&order.id).await;
            match read_look_up(reply, order.id.as_str(), rules) {
                // 11VMS is there: whatever this order does to it, the others need not wait.
                LookUpResult::Absent => self.dispatcher.record_success(),
                LookUpResult::Found(verdict) | LookUpResult::Inconclusive(verdict) => return verdict,
            }
        }
        read_create(self.dependencies.vms.create(order).await, rules)
    }

    /// Stores the outcome, however long the ledger takes to accept it, then tells everyone who waits.
    async fn settle(&self, order: Order) {
        match self.store(&order, &self.stopped).await {
            Some(Stored::Committed) => self.publish(&order),
            // Whoever took the order over has gone on, and will ask 11VMS what it has.
            Some(Stored::Superseded) => {
                let number = order.purchase_order_number.as_deref();
                error!(order = %order.id, state = order.state.name(), number, "an outcome came too late: the order has gone on without it");
            }
            None => {}
        }
    }

    fn publish(&self, order: &Order) {
        log(order);
        self.waiters.announce(order);
        if let Some(time) = order.next_attempt_at {
            self.due_timer.set(time);
        }
    }

    /// Stores an order until the ledger takes it, or `give_up`. A write that failed may have been made all the same;
    /// the same one again does no harm.
    async fn store(&self, order: &Order, give_up: &CancellationToken) -> Option<Stored> {
        loop {
            match self.dependencies.ledger.store(order.clone()).await {
                Ok(stored) => return Some(stored),
                Err(problem) => {
                    error!(order = %order.id, state = order.state.name(), %problem, "can't be recorded yet; it is tried again");
                }
            }
            self.pause(give_up).await?;
        }
    }

    async fn read(&self, id: &OrderId) -> Option<Order> {
        loop {
            match self.dependencies.ledger.find(id).await {
                Ok(order) => return order,
                Err(problem @ LedgerError::Unreadable { .. }) => {
                    error!(order = %id, %problem, "can't be worked on");
                    return None;
                }
                Err(problem) => error!(order = %id, %problem, "can't be read yet; it is tried again"),
            }
            self.pause(&self.stopping).await?;
        }
    }

    /// `None` if there is no going on.
    async fn pause(&self, give_up: &CancellationToken) -> Option<()> {
        tokio::select! {
            biased;
            () = give_up.cancelled() => None,
            () = self.dependencies.clock.sleep(LEDGER_RETRY_DELAY) => Some(()),
        }
    }
}

/// A caller's part in an order's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CallerRole {
    /// It began it.
    Initiator,
    /// It came while it was under way.
    Joiner,
}

fn answer_for(order: Order, part: CallerRole) -> SubmitOutcome {
    match order.state {
        State::Created if part == CallerRole::Joiner => SubmitOutcome::Replayed(order),
        State::Created => SubmitOutcome::Created(order),
        State::Rejected => SubmitOutcome::Rejected(order),
        State::Parked => SubmitOutcome::Parked(order),
        State::Cancelled => SubmitOutcome::Conflicting(order),
        State::Accepted | State::Forwarding | State::Retrying => SubmitOutcome::Open(order),
    }
}

/// One line for each end of an attempt, where it is known.
fn log(order: &Order) {
    let outcome = order.attempts.last().and_then(|attempt| attempt.outcome).map_or("", crate::order::Outcome::name);
    let attempts = order.attempts.len();
    let (id, cart_number, state) = (&order.id, &order.cart_number, order.state.name());
    let detail = order.attempts.last().and_then(|attempt| attempt.detail.as_deref()).unwrap_or_default();
    match order.state {
        State::Parked => {
            error!(order = %id, cart_number, state, outcome, attempts, detail, "parked: a person has to look");
        }
        State::Created => {
            let number = order.purchase_order_number.as_deref().unwrap_or_default();
            debug!(target: STEP, order = %id, number, "created");
            info!(order = %id, cart_number, state, outcome, attempts, number, "created in 11VMS");
        }
        _ => warn!(order = %id, cart_number, state, outcome, attempts, detail, "not created"),
    }
}

#[cfg(test)]
mod tests;
