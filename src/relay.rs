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
use crate::ledger::{Ledger, LedgerError, Stored};
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

/// The begin of an attempt that took longer to store is stored once more, so that a lease is fresh when it is sent.
pub const FRESH: Duration = Duration::from_secs(2);

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
        let admission = self.detached(async move { relay.admit(candidate).await }).await?;
        Ok(self.answer(admission, &outcome, deadline).await)
    }

    /// Works in a task of its own: a caller that hangs up just now can't separate a record from the work on it.
    async fn detached<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, LedgerError>> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let done = self.tasks.spawn(work).await;
        done.unwrap_or_else(|error| Err(LedgerError::Unavailable(format!("the work on it broke off: {error}"))))
    }

    async fn admit(&self, candidate: Candidate) -> Result<Admission, LedgerError> {
        let (now, policy) = (self.parts.clock.now(), self.parts.policy.clone());
        let admission = self.parts.ledger.admit(candidate, now, policy).await?;
        if let Admission::Started(order) | Admission::Restarted(order) = &admission {
            self.recorded(order);
        }
        Ok(admission)
    }

    /// A new life of an order is in the ledger.
    fn recorded(&self, order: &Order) {
        debug!(target: STEP, order = %order.id, state = order.state.name(), "recorded");
        match order.next_attempt_at {
            None => self.turns.enqueue(&order.id, order.received_at),
            Some(time) => self.alarm.set(time),
        }
    }

    /// Waits for the outcome, if it is not known yet.
    async fn answer(&self, admission: Admission, outcome: &Subscription, deadline: Timestamp) -> Answer {
        let open = match &admission {
            Admission::Replayed(order) => return Answer::Replayed(order.clone()),
            Admission::Conflicting(order) => return Answer::Conflicting(order.clone()),
            Admission::Started(order) | Admission::Restarted(order) | Admission::Joined(order) => order,
        };
        tokio::select! {
            biased;
            settled = outcome.settled_after(open.revision) => return told(settled, &admission),
            () = self.parts.clock.sleep_until(deadline) => {}
            // Nothing more will happen in this process: the next one goes on.
            () = self.stopped.cancelled() => {}
        }
        let latest = self.parts.ledger.find(&open.id).await.ok().flatten();
        told(latest.unwrap_or_else(|| open.clone()), &admission)
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
        loop {
            let before = self.parts.clock.now();
            match self.store(order, &self.stopping).await {
                Some(Stored::Now) if between(before, self.parts.clock.now()) <= FRESH => return true,
                Some(Stored::Now) => {}
                Some(Stored::Superseded) | None => return false,
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
                Presence::NotThere => {}
                Presence::There(verdict) | Presence::Unclear(verdict) => return verdict,
            }
        }
        read_create(self.parts.vms.create(order).await, reading)
    }

    /// Stores the outcome, however long the ledger takes to accept it, then tells everyone who waits.
    async fn settle(&self, order: Order) {
        // Superseded: whoever took the order over has gone on, and will find what 11VMS has.
        if self.store(&order, &self.stopped).await == Some(Stored::Now) {
            self.tell(&order);
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

fn told(order: Order, admission: &Admission) -> Answer {
    match order.state {
        State::Created if matches!(admission, Admission::Joined(_)) => Answer::Replayed(order),
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
