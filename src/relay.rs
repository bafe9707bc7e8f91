//! The use case: an approved cart becomes exactly one purchase order. Read this first.
//!
//! ```text
//! submit:   admit (durable) ──► wait for a turn, detached ──► answer when settled, or at the deadline
//! attempt:  begin (durable) ──► ask 11VMS first if in doubt ──► send ──► conclude (durable) ──► announce
//! run:      whoever is due, after a restart or another replica's end too ──► wait for a turn
//! ```
//!
//! Three rules hold everywhere: nothing is sent that is not in the ledger; nobody is answered before the ledger has
//! the outcome; a caller that goes away cancels its waiting, never the work. Knows nothing of HTTP, SQL or reqwest.

mod by_hand;
mod outcomes;
mod turns;
mod upkeep;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, error, info, warn};

use crate::clock::{Clock, after, between};
use crate::ledger::{Ledger, LedgerError, Sharing, Stored};
use crate::order::breaker::{BreakerPolicy, Health};
use crate::order::retry::{DuplicateGuard, Policy, Presence, Reading, Verdict, read_create, read_look_up};
use crate::order::{Admission, Candidate, Doubt, Order, OrderId, State};
use crate::telemetry::STEP;
use crate::vms::Vms;
use outcomes::{Outcomes, Subscription};
use turns::{Turn, Turns};
use upkeep::Alarm;

/// Between two tries to store something that the ledger did not take, or to read it.
const AGAIN: Duration = Duration::from_secs(1);

/// Where replicas share a ledger, the begin of an attempt that took longer to store is stored once more, so that a lease
/// is fresh when it is sent.
pub const FRESH: Duration = Duration::from_secs(5);

/// A caller whose deadline is nearer waits so long all the same until its cart is recorded.
const RECORD: Duration = Duration::from_secs(5);

/// For a last look at an order when the deadline has come.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// What a caller is told about its cart.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
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
pub struct Chance(pub Arc<dyn Fn() -> f64 + Send + Sync>);

impl fmt::Debug for Chance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Chance")
    }
}

/// What the relay is made of.
#[derive(Debug)]
pub struct Parts {
    /// Where orders are remembered.
    pub ledger: Arc<dyn Ledger>,
    /// Where orders are created.
    pub vms: Arc<dyn Vms>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// When to try again.
    pub policy: Policy,
    /// How 11VMS's answers are read.
    pub reading: Reading,
    /// Requests to 11VMS at the same time.
    pub max_concurrency: usize,
    /// When to leave 11VMS alone.
    pub breaker: BreakerPolicy,
    /// How long an attempt takes at most: then it is cut off, and its outcome is unknown. Shorter than a lease of the
    /// ledger by more than [`FRESH`].
    pub attempt_limit: Duration,
    /// Where in the jitter a retry falls.
    pub chance: Chance,
}

/// Brings carts to 11VMS.
#[derive(Debug)]
pub struct Relay {
    parts: Parts,
    turns: Arc<Turns>,
    outcomes: Outcomes,
    alarm: Alarm,
    tasks: TaskTracker,
    /// No further attempt begins.
    stopping: CancellationToken,
    /// Nobody waits any more: what is still open goes on at the next start.
    stopped: CancellationToken,
}

impl Relay {
    /// Builds the relay; nothing is sent unless [`Relay::run`] is running.
    pub fn new(parts: Parts) -> Arc<Self> {
        Arc::new(Self {
            turns: Turns::new(parts.max_concurrency, parts.breaker, Arc::clone(&parts.clock)),
            parts,
            outcomes: Outcomes::default(),
            alarm: Alarm::default(),
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
            stopped: CancellationToken::new(),
        })
    }

    /// Takes a cart and waits for its outcome, at most for `wait`.
    ///
    /// # Errors
    /// If the ledger did not record the cart; nothing was sent.
    pub async fn submit(self: &Arc<Self>, candidate: Candidate, wait: Duration) -> Result<Answer, LedgerError> {
        let deadline = after(self.parts.clock.now(), wait);
        // Before the ledger is asked: an outcome announced in between is not missed.
        let outcome = self.outcomes.subscribe(&candidate.id);
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
            () = self.parts.clock.sleep(wait.max(RECORD)) => Err(LedgerError::Late),
        }
    }

    async fn admit(&self, candidate: Candidate) -> Result<Admission, LedgerError> {
        let (now, policy) = (self.parts.clock.now(), self.parts.policy.clone());
        let id = candidate.id.clone();
        let admission = self.parts.ledger.admit(candidate, now, policy).await;
        let admission = admission.inspect_err(|_| self.look_at(&id, now))?;
        match &admission {
            Admission::Started(order) | Admission::Restarted(order) => self.recorded(order),
            // Whoever recorded it may be gone, or may not know that it did.
            Admission::Joined(order) if order.state == State::Accepted => {
                self.turns.enqueue(&order.id, order.received_at);
            }
            Admission::Joined(_) | Admission::Replayed(_) | Admission::Conflicting(_) => {}
        }
        Ok(admission)
    }

    /// A write has failed, and may have been made all the same: then the order is worked on, as if a sweep had found it.
    fn look_at(&self, id: &OrderId, received_at: Timestamp) {
        if self.turns.room() > 0 {
            self.turns.enqueue(id, received_at);
        }
    }

    /// A new life of an order is in the ledger.
    fn recorded(&self, order: &Order) {
        debug!(target: STEP, order = %order.id, state = order.state.name(), "recorded");
        match order.next_attempt_at {
            None => {
                self.turns.enqueue(&order.id, order.received_at);
            }
            Some(time) => self.alarm.set(time),
        }
    }

    /// Waits for the outcome, if it is not known yet.
    async fn answer(&self, admission: Admission, outcome: &Subscription, deadline: Timestamp) -> Answer {
        let (open, part) = match admission {
            Admission::Replayed(order) => return Answer::Replayed(order),
            Admission::Conflicting(order) => return Answer::Conflicting(order),
            Admission::Started(order) | Admission::Restarted(order) => (order, Part::Began),
            Admission::Joined(order) => (order, Part::Joined),
        };
        // Who waits holds little: thousands may.
        let open = Box::new(open.without_content());
        tokio::select! {
            biased;
            settled = outcome.settled_after(open.revision) => return told(settled, part),
            () = self.parts.clock.sleep_until(deadline) => {}
            // Nothing more will happen in this process: the next one goes on.
            () = self.stopped.cancelled() => {}
        }
        let latest = tokio::select! {
            biased;
            found = self.parts.ledger.find(&open.id) => found.ok().flatten(),
            () = self.parts.clock.sleep(LAST_LOOK) => None,
        };
        told(latest.unwrap_or(*open), part)
    }

    /// An order's turn has come: it is brought one step further, if it is its time.
    async fn take(&self, turn: Turn) {
        let Some(order) = self.read(&turn.id).await else { return };
        match order.state {
            State::Accepted | State::Retrying => match order.next_attempt_at {
                Some(time) if time > self.parts.clock.now() => self.alarm.set(time),
                _ => self.attempt(order, turn).await,
            },
            // Settled meanwhile; or begun, and whether whoever did so is gone is not for this turn to say.
            State::Forwarding | State::Created | State::Rejected | State::Parked | State::Cancelled => {}
        }
    }

    async fn attempt(&self, mut order: Order, mut turn: Turn) {
        if let Err(defect) = order.begin(self.parts.clock.now()) {
            return error!(order = %order.id, %defect);
        }
        if !self.record_begin(&order).await {
            return;
        }
        debug!(target: STEP, order = %order.id, attempt = order.used, "sent");
        let verdict = self.send_within_limit(&order).await;
        turn.leave_place(Health::of(&verdict));
        let now = self.parts.clock.now();
        if let Err(defect) = order.conclude(verdict, now, &self.parts.policy, (self.parts.chance.0)()) {
            return error!(order = %order.id, %defect);
        }
        self.settle(order).await;
    }

    /// Stores that an attempt begins; false if it must not be made.
    async fn record_begin(&self, order: &Order) -> bool {
        let leased = self.parts.ledger.sharing() == Sharing::Replicas;
        loop {
            let before = self.parts.clock.now();
            match self.store(order, &self.stopping).await {
                Some(Stored::Superseded) | None => return false,
                Some(Stored::Now) if !leased || between(before, self.parts.clock.now()) <= FRESH => {
                    return !self.is_stopping();
                }
                Some(Stored::Now) => {
                    warn!(order = %order.id, "the ledger is slow; the begin of an attempt is stored once more");
                    if self.pause(&self.stopping).await.is_none() {
                        return false;
                    }
                }
            }
        }
    }

    async fn send_within_limit(&self, order: &Order) -> Verdict {
        let limit = self.parts.attempt_limit;
        tokio::select! {
            biased;
            () = self.parts.clock.sleep(limit) => {
                let detail = format!("cut off after {} s", limit.as_secs_f64());
                Verdict::Unknown { status: None, answer: None, detail, retry_after: None }
            }
            verdict = self.send(order) => verdict,
        }
    }

    /// In doubt, 11VMS is asked before anything is sent again.
    async fn send(&self, order: &Order) -> Verdict {
        let reading = &self.parts.reading;
        if order.doubt != Doubt::None && self.parts.policy.guard != DuplicateGuard::IdempotencyKey {
            let reply = self.parts.vms.look_up(&order.id).await;
            match read_look_up(reply, order.id.as_str(), reading) {
                // 11VMS is there: whatever this order does to it, the others need not wait.
                Presence::NotThere => self.turns.sign_of_life(),
                Presence::There(verdict) | Presence::Unclear(verdict) => return verdict,
            }
        }
        read_create(self.parts.vms.create(order).await, reading)
    }

    /// Stores the outcome, however long the ledger takes to accept it, then tells everyone who waits.
    async fn settle(&self, order: Order) {
        match self.store(&order, &self.stopped).await {
            Some(Stored::Now) => self.tell(&order),
            // Whoever took the order over has gone on, and will ask 11VMS what it has.
            Some(Stored::Superseded) => {
                let number = order.purchase_order_number.as_deref();
                error!(order = %order.id, state = order.state.name(), number, "an outcome came too late: the order has gone on without it");
            }
            None => {}
        }
    }

    fn tell(&self, order: &Order) {
        log(order);
        self.outcomes.announce(order);
        if let Some(time) = order.next_attempt_at {
            self.alarm.set(time);
        }
    }

    /// Stores an order until the ledger takes it, or `give_up`. A write that failed may have been made all the same;
    /// the same one again does no harm.
    async fn store(&self, order: &Order, give_up: &CancellationToken) -> Option<Stored> {
        loop {
            match self.parts.ledger.store(order.clone()).await {
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
            match self.parts.ledger.find(id).await {
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
            () = self.parts.clock.sleep(AGAIN) => Some(()),
        }
    }
}

/// A caller's part in an order's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// It began it.
    Began,
    /// It came while it was under way.
    Joined,
}

fn told(order: Order, part: Part) -> Answer {
    match order.state {
        State::Created if part == Part::Joined => Answer::Replayed(order),
        State::Created => Answer::Created(order),
        State::Rejected => Answer::Rejected(order),
        State::Parked => Answer::Parked(order),
        State::Cancelled => Answer::Conflicting(order),
        State::Accepted | State::Forwarding | State::Retrying => Answer::Open(order),
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
