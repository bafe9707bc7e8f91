//! The use case: an approved cart becomes exactly one purchase order. Read this first.
//!
//! ```text
//! submit:  admit (durable) ──► drive, detached ──► answer when settled, or at the deadline
//! drive:   begin (durable) ──► ask 11VMS first if in doubt ──► send ──► conclude (durable) ──► announce
//! run:     whoever is due, after a restart too ──► drive
//! ```
//!
//! Three rules hold everywhere: nothing is sent that is not in the ledger; nobody is answered before the ledger has
//! the outcome; a caller that goes away cancels its waiting, never the work. Knows nothing of HTTP, SQL or reqwest.

mod outcomes;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, error, info, warn};

use crate::clock::{Clock, after};
use crate::ledger::{Ledger, LedgerError, Stored};
use crate::order::retry::{DuplicateGuard, Policy, Presence, Reading, Verdict, read_create, read_look_up};
use crate::order::{Admission, Candidate, Doubt, Order, OrderId, State};
use crate::telemetry::STEP;
use crate::vms::Vms;
use outcomes::Outcomes;

/// How often the ledger is searched for open orders that nobody drives. Such orders exist after a restart, and after
/// the ledger failed between two writes.
const SWEEP: Duration = Duration::from_secs(5);

/// Orders that one sweep resumes at most; the rest follow with the next.
const SWEEP_LIMIT: usize = 10_000;

/// Between two tries to store an outcome that the ledger did not take.
const STORE_AGAIN: Duration = Duration::from_secs(1);

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
    /// A number from -1 to 1: where in the jitter a retry falls.
    pub chance: fn() -> f64,
}

/// Brings carts to 11VMS.
pub struct Relay {
    parts: Parts,
    /// First come, first served: a burst is worked off oldest first.
    permits: Semaphore,
    /// Orders that a task drives now; true if it has to look once more before it goes.
    driven: Mutex<HashMap<OrderId, bool>>,
    outcomes: Outcomes,
    wake: Notify,
    tasks: TaskTracker,
    /// No further attempt begins.
    stopping: CancellationToken,
    /// Nobody waits any more: what is still open goes on at the next start.
    stopped: CancellationToken,
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay").field("parts", &self.parts).finish_non_exhaustive()
    }
}

impl Relay {
    /// Builds the relay; [`Relay::run`] has to be running for retries and restarts.
    pub fn new(parts: Parts) -> Arc<Self> {
        Arc::new(Self {
            permits: Semaphore::new(parts.max_concurrency),
            parts,
            driven: Mutex::default(),
            outcomes: Outcomes::default(),
            wake: Notify::new(),
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
        let mut outcome = self.outcomes.subscribe(&candidate.id);
        let admission = self.admit_detached(candidate).await?;
        let open = match &admission {
            Admission::Replayed(order) => return Ok(Answer::Replayed(order.clone())),
            Admission::Conflicting(order) => return Ok(Answer::Conflicting(order.clone())),
            Admission::Started(order) | Admission::Restarted(order) | Admission::Joined(order) => order,
        };
        tokio::select! {
            biased;
            settled = outcome.after(open.revision) => return Ok(told(settled, &admission)),
            () = self.parts.clock.sleep_until(deadline) => {}
            // Nothing more will happen in this process: the next one goes on.
            () = self.stopped.cancelled() => {}
        }
        let latest = self.parts.ledger.find(&open.id).await.ok().flatten();
        Ok(told(latest.unwrap_or_else(|| open.clone()), &admission))
    }

    /// Admits in a task of its own: a caller that hangs up just now can't separate the record from the work.
    async fn admit_detached(self: &Arc<Self>, candidate: Candidate) -> Result<Admission, LedgerError> {
        let relay = Arc::clone(self);
        let admit = async move {
            let now = relay.parts.clock.now();
            let admission = relay.parts.ledger.admit(candidate, now, relay.parts.policy.clone()).await?;
            if let Admission::Started(order) | Admission::Restarted(order) = &admission {
                debug!(target: STEP, order = %order.id, state = order.state.name(), "recorded");
                relay.drive(&order.id);
            }
            Ok(admission)
        };
        let admitted = self.tasks.spawn(admit).await;
        admitted.unwrap_or_else(|error| Err(LedgerError::Unavailable(format!("the admission broke off: {error}"))))
    }

    /// Resumes whatever is due until [`Relay::stop`]: retries at their stored time, and after a restart every order
    /// that was open.
    pub async fn run(self: Arc<Self>) {
        while !self.stopping.is_cancelled() {
            let now = self.parts.clock.now();
            let next = self.resume_due(now).await.unwrap_or_else(|problem| {
                error!(%problem, "the ledger can't be searched for due orders");
                None
            });
            let sweep = after(now, SWEEP);
            tokio::select! {
                () = self.stopping.cancelled() => {}
                () = self.wake.notified() => {}
                () = self.parts.clock.sleep_until(next.map_or(sweep, |next| next.min(sweep))) => {}
            }
        }
    }

    /// Drives every due order that nobody drives; returns when the next one is due.
    async fn resume_due(self: &Arc<Self>, now: Timestamp) -> Result<Option<Timestamp>, LedgerError> {
        for id in self.parts.ledger.due(now, SWEEP_LIMIT).await? {
            if !self.driven().contains_key(&id) {
                self.drive(&id);
            }
        }
        self.parts.ledger.next_due(now).await
    }

    /// Stops beginning attempts, gives those under way so long, and lets everyone who still waits go.
    pub async fn stop(&self, within: Duration) {
        self.stopping.cancel();
        self.tasks.close();
        tokio::select! {
            () = self.tasks.wait() => {}
            () = self.parts.clock.sleep(within) => warn!("some attempts are still under way; the next start finds them"),
        }
        self.stopped.cancel();
    }

    /// Whether it has been told to stop.
    pub fn is_stopping(&self) -> bool {
        self.stopping.is_cancelled()
    }

    /// One task at a time drives an order; who comes second makes the first look once more.
    fn drive(self: &Arc<Self>, id: &OrderId) {
        {
            let mut driven = self.driven();
            if let Some(again) = driven.get_mut(id) {
                *again = true;
                return;
            }
            driven.insert(id.clone(), false);
        }
        let driver = Driver { relay: Arc::clone(self), id: id.clone() };
        self.tasks.spawn(async move {
            driver.relay.advance(&driver.id).await;
            while driver.was_asked_again() {
                driver.relay.advance(&driver.id).await;
            }
        });
    }

    fn driven(&self) -> MutexGuard<'_, HashMap<OrderId, bool>> {
        self.driven.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings an order one step further, if it is its time. Who waits for its turn holds nothing but the order's id.
    async fn advance(&self, id: &OrderId) {
        let permit = tokio::select! {
            biased;
            () = self.stopping.cancelled() => return,
            permit = self.permits.acquire() => permit,
        };
        // Closed never: the semaphore lives as long as the relay.
        let Ok(permit) = permit else { return };
        let order = match self.parts.ledger.find(id).await {
            Ok(Some(order)) => order,
            Ok(None) => return,
            Err(problem) => return error!(order = %id, %problem, "the order can't be read; the next sweep tries again"),
        };
        let now = self.parts.clock.now();
        match order.state {
            State::Accepted => self.attempt(order, permit).await,
            State::Retrying if order.next_attempt_at.is_none_or(|at| at <= now) => self.attempt(order, permit).await,
            State::Retrying => self.wake.notify_one(),
            // Only this task drives the order, so whoever began the attempt is gone.
            State::Forwarding => self.interrupt(order).await,
            State::Created | State::Rejected | State::Parked | State::Cancelled => {}
        }
    }

    async fn interrupt(&self, mut order: Order) {
        warn!(order = %order.id, "an attempt was interrupted; its outcome is unknown");
        if let Err(defect) = order.interrupt(self.parts.clock.now(), &self.parts.policy) {
            return error!(order = %order.id, %defect);
        }
        self.settle(order).await;
    }

    async fn attempt(&self, mut order: Order, permit: SemaphorePermit<'_>) {
        if let Err(defect) = order.begin(self.parts.clock.now()) {
            return error!(order = %order.id, %defect);
        }
        match self.parts.ledger.store(order.clone()).await {
            Ok(Stored::Now) => {}
            Ok(Stored::Superseded) => return,
            Err(problem) => {
                return error!(order = %order.id, %problem, "an attempt can't be recorded, so nothing was sent; the next sweep tries again");
            }
        }
        debug!(target: STEP, order = %order.id, attempt = order.used, "sent");
        let verdict = self.send(&order).await;
        drop(permit);
        let now = self.parts.clock.now();
        if let Err(defect) = order.conclude(verdict, now, &self.parts.policy, (self.parts.chance)()) {
            return error!(order = %order.id, %defect);
        }
        self.settle(order).await;
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
        loop {
            match self.parts.ledger.store(order.clone()).await {
                Ok(Stored::Now) => break,
                // An earlier try did reach the disk, and the order has gone on since.
                Ok(Stored::Superseded) => return,
                Err(problem) => {
                    error!(order = %order.id, %problem, "an outcome can't be recorded yet; it is kept and tried again");
                    self.parts.clock.sleep(STORE_AGAIN).await;
                }
            }
        }
        log(&order);
        if order.state.is_open() {
            self.wake.notify_one();
        } else {
            self.outcomes.announce(order);
        }
    }
}

/// An order's entry in `driven`; taken out even if the task that drives it panics.
struct Driver {
    relay: Arc<Relay>,
    id: OrderId,
}

impl Driver {
    /// True if somebody asked meanwhile; otherwise the order is driven no more.
    fn was_asked_again(&self) -> bool {
        let mut driven = self.relay.driven();
        match driven.get_mut(&self.id) {
            Some(again) if *again => {
                *again = false;
                true
            }
            _ => {
                driven.remove(&self.id);
                false
            }
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.relay.driven().remove(&self.id);
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
