//! The use case: an approved cart becomes exactly one purchase order. Read this first.
//!
//! ```text
//! submit:   admit (durable) ──► attempt, or queue for dispatch, detached ──► answer when settled, or at the deadline
//! attempt:  begin (durable) ──► look up first if in doubt ──► send ──► conclude (durable) ──► publish
//! run:      dispatch what is queued; resume what is due, also after a restart or another replica's end
//! ```
//!
//! Three rules hold everywhere: nothing is sent that is not in the ledger; nobody is answered before the ledger has
//! the outcome; a caller that hangs up cancels its waiting, never the work. Knows nothing of HTTP, SQL or reqwest.

mod abandoned;
mod admission;
mod attempt;
mod background;
mod dependencies;
mod dispatcher;
mod due_timer;
mod holds;
mod intervention;
pub mod observer;
mod reckoning;
mod restored;
mod retrying_ledger;
mod sending;
mod settlement;
mod spans;
mod submit_outcome;
mod waiters;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use dependencies::{Concurrency, Dependencies, JitterSource, RestoredLedger};
pub use submit_outcome::SubmitOutcome;

use crate::clock::{Moment, PointInTime, between};
use crate::ledger::group_commit::MAX_GROUP;
use crate::ledger::{LedgerError, Sharing};
use crate::order::breaker::BreakerState;
use crate::order::{Candidate, Order, OrderId, State};
use crate::trace;
use abandoned::Abandoned;
use dispatcher::Dispatcher;
use due_timer::DueTimer;
use holds::Holds;
use observer::Event;
use reckoning::Reckoning;
use restored::Restored;
use retrying_ledger::RetryingLedger;
use submit_outcome::{Awaited, CallerRole, answer_at_once, answer_for, awaited};
use waiters::{Waiter, Waiters};

/// Where replicas share a ledger, the begin of an attempt that took longer to store is stored once more, so that its
/// lease is fresh when the order is sent.
const MAX_LEASE_AGE_AT_SEND: Duration = Duration::from_secs(5);

/// The same where an order has waited for its permit: another limit, so that its attempt has nearly as much time as others have.
const MAX_LEASE_AGE_AFTER_WAIT: Duration = Duration::from_secs(1);

/// Time by which a lease outlasts the longest attempt and the storing of its begin: a busy machine cuts an attempt off
/// late.
const LEASE_MARGIN: Duration = Duration::from_secs(1);

/// Carts that the ledger is asked to record at the same time: a group that is being committed, and the next one, which gathers
/// meanwhile. The others of a burst wait for that in something small.
const MAX_ADMISSIONS: usize = 2 * MAX_GROUP;

/// Time that a caller gives its cart to be recorded, even if its own deadline is shorter.
const MIN_ADMISSION_WAIT: Duration = Duration::from_secs(5);

/// Time for a last read of an order when the deadline has passed.
const FINAL_READ_TIMEOUT: Duration = Duration::from_secs(1);

/// The length of a lease on an order that is being sent: longer than any attempt, which is cut off at `attempt_limit`.
pub const fn lease_length(attempt_limit: Duration) -> Duration {
    attempt_limit.saturating_add(MAX_LEASE_AGE_AT_SEND).saturating_add(LEASE_MARGIN)
}

/// When the caller of a new order wants its first attempt to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FirstAttempt {
    /// When its place in the queue comes: the caller wants the order as it was accepted.
    Later,
    /// With the admission, if nothing is in its way.
    AtOnce,
}

/// Brings carts to 11VMS.
#[derive(Debug)]
pub struct Relay {
    dependencies: Dependencies,
    /// The ledger for work that no caller waits for.
    retrying_ledger: RetryingLedger,
    dispatcher: Arc<Dispatcher>,
    waiters: Waiters,
    holds: Holds,
    due_timer: DueTimer,
    /// When this process began to work with the ledger.
    started_at: Moment,
    reckoning: Reckoning,
    restored: Option<Restored>,
    abandoned: Abandoned,
    tasks: TaskTracker,
    admission_permits: Semaphore,
    /// [`Relay::run`] is under way.
    running: AtomicBool,
    /// No further attempt begins.
    stopping: CancellationToken,
    /// Nobody waits any more; open orders are resumed by the next start.
    stopped: CancellationToken,
}

impl Relay {
    /// Builds the relay; nothing is sent unless [`Relay::run`] is running.
    pub fn new(dependencies: Dependencies) -> Arc<Self> {
        let Dependencies { ledger, clock, policy, restored, observers, .. } = &dependencies;
        let started_at = clock.moment();
        let reckoning = Reckoning::new(clock.as_ref(), policy.longest_wait());
        let restored = restored.map(|ledger| Restored::new(ledger, clock.as_ref(), observers.clone()));
        Arc::new(Self {
            retrying_ledger: RetryingLedger::new(Arc::clone(ledger), Arc::clone(clock), observers.clone()),
            dispatcher: Dispatcher::new(
                dependencies.concurrency,
                dependencies.breaker,
                Arc::clone(clock),
                observers.clone(),
            ),
            dependencies,
            waiters: Waiters::default(),
            holds: Holds::default(),
            started_at,
            reckoning,
            restored,
            abandoned: Abandoned::default(),
            due_timer: DueTimer::default(),
            tasks: TaskTracker::new(),
            admission_permits: Semaphore::new(MAX_ADMISSIONS),
            running: AtomicBool::new(false),
            stopping: CancellationToken::new(),
            stopped: CancellationToken::new(),
        })
    }

    /// Takes a cart and waits for its outcome, at most for `wait`. The work on it begins at once, and thousands of callers may wait: what
    /// they wait in does not hold the cart.
    ///
    /// # Errors
    /// If the ledger did not record the cart; nothing was sent.
    pub fn submit(
        self: &Arc<Self>,
        candidate: Candidate,
        wait: Duration,
    ) -> impl Future<Output = Result<SubmitOutcome, LedgerError>> {
        let deadline = self.dependencies.clock.moment().after(wait);
        // Before the ledger is asked, so that an outcome published in between is not missed.
        let waiter = self.waiters.subscribe(&candidate.id);
        let id = candidate.id.clone();
        // Whoever does not wait gets the order as it was accepted.
        let first_attempt = if wait.is_zero() { FirstAttempt::Later } else { FirstAttempt::AtOnce };
        let admission = self.admit_in_order(candidate, self.now(), first_attempt);
        let admission = Box::pin(self.detached(id, admission, wait));
        async move {
            if wait.is_zero() {
                return Ok(answer_at_once(admission.await?));
            }
            // A statement of its own: the admission would have its place in the future beside the waiting.
            let awaited = awaited(admission.await?);
            match awaited {
                Awaited::Outcome { open, role } => Ok(self.answer(open, role, &waiter, deadline).await),
                Awaited::Nothing(known) => Ok(known),
            }
        }
    }

    /// Runs work on an order in a task of its own, so that a caller that hangs up or waits no longer can't separate a
    /// record from the work on it. It begins at once; the future only waits for it.
    fn detached<T: Send + 'static>(
        &self,
        id: OrderId,
        work: impl Future<Output = Result<T, LedgerError>> + Send + 'static,
        wait: Duration,
    ) -> impl Future<Output = Result<T, LedgerError>> {
        let task = self.tasks.spawn(trace::carry(work));
        async move {
            tokio::select! {
                biased;
                done = task => done.unwrap_or_else(|error| {
                    self.report(Event::WorkBrokeOff { id: &id, error: &error });
                    Err(LedgerError::Unavailable(format!("the work on it broke off: {error}")))
                }),
                () = self.dependencies.clock.sleep(wait.max(MIN_ADMISSION_WAIT)) => Err(LedgerError::TimedOut),
            }
        }
    }

    /// Waits for the outcome of an open order.
    async fn answer(&self, open: Arc<Order>, role: CallerRole, waiter: &Waiter, deadline: Moment) -> SubmitOutcome {
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
        // A read may lag behind.
        let newer = latest.filter(|latest| latest.revision >= open.revision);
        answer_for(newer.map_or(open, Arc::new), role)
    }

    /// The state of the circuit breaker towards 11VMS.
    pub fn breaker(&self) -> BreakerState {
        self.dispatcher.breaker()
    }

    /// How long an order waits for its next attempt, as its record says; `None` if it does not wait. Never longer than any
    /// wait that the settings allow, whatever the clock says.
    pub fn time_until_attempt(&self, order: &Order) -> Option<Duration> {
        let wait = between(self.now(), order.next_attempt_at?);
        Some(wait.min(self.dependencies.policy.longest_wait()))
    }

    /// How long an open order waits at least until something is done for it: until its next attempt, and until the breaker or a pause
    /// lets attempts begin. `None` if an attempt is under way or can begin.
    pub fn time_until_dispatch(&self, order: &Order) -> Option<Duration> {
        if order.state == State::Forwarding {
            return None;
        }
        let held_up = self.dispatcher.held_up_for().map(|wait| wait.min(self.dependencies.policy.longest_wait()));
        self.time_until_attempt(order).max(held_up)
    }

    /// The age that a lease may have that was asked for at a time: a host may have slept since. None where nobody else would
    /// take the order over.
    fn lease_age(&self, since: PointInTime) -> Duration {
        match self.dependencies.ledger.sharing() {
            Sharing::Exclusive => Duration::ZERO,
            Sharing::Shared => since.longest_elapsed(self.dependencies.clock.as_ref()),
        }
    }

    /// The time by which a stored time is judged to have come.
    fn reckoned_now(&self) -> Timestamp {
        self.reckoning.now(self.dependencies.clock.as_ref())
    }

    fn report(&self, event: Event<'_>) {
        self.dependencies.observers.report(event);
    }

    fn now(&self) -> Timestamp {
        self.dependencies.clock.now()
    }
}

#[cfg(test)]
mod tests;
