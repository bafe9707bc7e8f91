//! The dispatch of orders to 11VMS: the oldest first, as many at a time as there are permits, none while the circuit
//! breaker is open. A queued order is nothing but its id. A few more than there are permits are dispatched: the begin of their
//! attempts is stored while they wait for a permit, so that no permit waits for the disk.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::dependencies::Concurrency;
use super::observer::{Event, Observers};
use crate::clock::{Clock, Moment};
use crate::order::breaker::{Admittance, Breaker, BreakerPolicy, BreakerState, CallPurpose, CallResult, Transition};
use crate::order::{Order, OrderId};

/// Orders that are taken from a shared ledger, as a multiple of the permits: enough that no permit stays unused, few
/// enough that other replicas have their share.
const PREFETCH_FACTOR: usize = 2;

/// What is known of an order that is to be dispatched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// When its cart first arrived: the order's place in the queue.
    pub received_at: Timestamp,
    /// The revision that the ledger had, at least: a read that shows less lags behind. 0 if none is known to be there.
    pub revision: u64,
    /// Until when such reads are repeated; set at the first one.
    pub reread_until: Option<Moment>,
}

impl Ticket {
    /// For an order that the ledger has, or may have.
    pub const fn new(received_at: Timestamp, revision: u64) -> Self {
        Self { received_at, revision, reread_until: None }
    }

    /// For an order that was read.
    pub const fn of(order: &Order) -> Self {
        Self::new(order.received_at, order.revision)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum QueueState {
    Queued(Ticket),
    Dispatched {
        /// The order was queued again during its dispatch.
        again: Option<Ticket>,
    },
}

#[derive(Debug)]
struct State {
    /// By the time at which the cart first arrived.
    queued: BTreeSet<(Timestamp, OrderId)>,
    known: HashMap<OrderId, QueueState>,
    /// Orders that have a permit, or that one is meant for.
    slots_in_use: usize,
    breaker: Breaker,
    /// Until then nothing is dispatched, because no token can be fetched.
    paused_until: Moment,
}

/// The queue, the permits, and the circuit breaker.
#[derive(Debug)]
pub struct Dispatcher {
    concurrency: Concurrency,
    free_permits: Arc<Semaphore>,
    state: Mutex<State>,
    changed: Notify,
    clock: Arc<dyn Clock>,
    observers: Observers,
}

impl Dispatcher {
    /// Creates a dispatcher.
    pub fn new(
        concurrency: Concurrency,
        breaker: BreakerPolicy,
        clock: Arc<dyn Clock>,
        observers: Observers,
    ) -> Arc<Self> {
        let state = State {
            queued: BTreeSet::new(),
            known: HashMap::new(),
            slots_in_use: 0,
            breaker: Breaker::new(breaker),
            paused_until: Moment::default(),
        };
        let free_permits = Arc::new(Semaphore::new(concurrency.permits));
        Arc::new(Self { concurrency, free_permits, state: Mutex::new(state), changed: Notify::new(), clock, observers })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues an order by the time at which its cart first arrived; false if it is queued already. An order that is
    /// dispatched is queued again when its dispatch ends.
    pub fn enqueue(&self, id: &OrderId, ticket: Ticket) -> bool {
        let mut state = self.state();
        match state.known.get_mut(id) {
            Some(QueueState::Queued(known)) => {
                known.revision = known.revision.max(ticket.revision);
                return false;
            }
            Some(QueueState::Dispatched { again }) => {
                let known = again.map_or(0, |known| known.revision);
                let ticket = Ticket { revision: ticket.revision.max(known), ..ticket };
                return again.replace(ticket).is_none();
            }
            None => {}
        }
        state.known.insert(id.clone(), QueueState::Queued(ticket));
        state.queued.insert((ticket.received_at, id.clone()));
        drop(state);
        self.changed.notify_one();
        true
    }

    /// Whether the order is queued or dispatched.
    pub fn knows(&self, id: &OrderId) -> bool {
        self.state().known.contains_key(id)
    }

    /// The number of orders that may still be queued before other replicas should have them.
    pub fn spare_capacity(&self) -> usize {
        (self.concurrency.permits * PREFETCH_FACTOR).saturating_sub(self.state().queued.len())
    }

    /// How long nothing is dispatched, because of a pause or of an open breaker.
    pub fn held_up_for(&self) -> Option<Duration> {
        let (now, state) = (self.clock.moment(), self.state());
        let until = state.breaker.open_until().max(Some(state.paused_until))?;
        Some(until.since(now)).filter(|wait| !wait.is_zero())
    }

    /// The state of the circuit breaker.
    pub fn breaker(&self) -> BreakerState {
        self.state().breaker.state()
    }

    /// The number of permits.
    pub const fn permits(&self) -> usize {
        self.concurrency.permits
    }

    /// Dispatches an order without a permit, for work that sends nothing; `None` if the order is queued or dispatched.
    pub fn reserve_without_permit(self: &Arc<Self>, id: &OrderId) -> Option<Dispatch> {
        let mut state = self.state();
        self.reserve(&mut state, id, None)
    }

    fn reserve(self: &Arc<Self>, state: &mut State, id: &OrderId, slot: Option<CallPurpose>) -> Option<Dispatch> {
        if state.known.contains_key(id) {
            return None;
        }
        state.known.insert(id.clone(), QueueState::Dispatched { again: None });
        let ticket = Ticket::new(Timestamp::default(), 0);
        Some(Dispatch { id: id.clone(), ticket, dispatcher: Arc::clone(self), slot, permit: None })
    }

    /// Dispatches nothing before `moment`; a pause that lasts longer stays.
    pub fn pause_until(&self, moment: Moment) {
        let mut state = self.state();
        state.paused_until = state.paused_until.max(moment);
    }

    /// Dispatches an order that need not wait, with its permit: nobody knows it, none is queued, a permit is free, there is no
    /// pause, and the breaker is closed.
    pub fn try_reserve(self: &Arc<Self>, id: &OrderId) -> Option<Dispatch> {
        let (now, mut state) = (self.clock.moment(), self.state());
        let is_free =
            state.queued.is_empty() && state.slots_in_use < self.concurrency.permits && state.paused_until <= now;
        if !is_free || state.breaker.state() != BreakerState::Closed {
            return None;
        }
        let Admittance::Allowed(purpose) = state.breaker.try_acquire(now) else { return None };
        let permit = Arc::clone(&self.free_permits).try_acquire_owned().ok()?;
        let mut dispatch = self.reserve(&mut state, id, Some(purpose))?;
        dispatch.permit = Some(permit);
        state.slots_in_use += 1;
        Some(dispatch)
    }

    /// Waits until an order is queued, a permit is free or soon will be, a pause is over, and the breaker admits the call.
    pub async fn next(self: &Arc<Self>) -> Dispatch {
        loop {
            // Before the state is read, so that a change in between is not missed.
            let changed = self.changed.notified();
            let rejected_until = match self.try_dispatch() {
                Ok((id, ticket, purpose)) => {
                    return Dispatch { id, ticket, dispatcher: Arc::clone(self), slot: Some(purpose), permit: None };
                }
                Err(rejected_until) => rejected_until,
            };
            tokio::select! {
                biased;
                () = changed => {}
                () = async { self.clock.sleep_until(rejected_until.unwrap_or_default()).await }, if rejected_until.is_some() => {}
            }
        }
    }

    /// Dispatches the oldest order if that is possible now; else returns when the pause is over or the breaker admits a call, if
    /// it is one of them that rejects it.
    fn try_dispatch(&self) -> Result<(OrderId, Ticket, CallPurpose), Option<Moment>> {
        let (now, mut state) = (self.clock.moment(), self.state());
        // A probe waits for nobody: what it finds out is about the present.
        let ahead = if state.breaker.state() == BreakerState::Closed { self.concurrency.ahead } else { 0 };
        if state.queued.is_empty() || state.slots_in_use >= self.concurrency.permits + ahead {
            return Err(None);
        }
        if now < state.paused_until {
            return Err(Some(state.paused_until));
        }
        let purpose = match state.breaker.try_acquire(now) {
            Admittance::Allowed(purpose) => purpose,
            Admittance::RejectedUntil(time) => return Err(Some(time)),
            Admittance::ProbeInFlight => return Err(None),
        };
        let Some((received_at, id)) = state.queued.pop_first() else { return Err(None) };
        state.slots_in_use += 1;
        let ticket = match state.known.insert(id.clone(), QueueState::Dispatched { again: None }) {
            Some(QueueState::Queued(ticket)) => ticket,
            _ => Ticket::new(received_at, 0),
        };
        Ok((id, ticket, purpose))
    }

    /// Records a call that 11VMS has answered well, whatever becomes of its order.
    pub fn record_success(&self) {
        let transition = self.state().breaker.record(CallPurpose::Regular, CallResult::Success, self.clock.moment());
        self.transition(transition, None);
    }

    /// Why nothing may be sent at this moment for a purpose, and for how long; `None` if it may.
    fn held_up(&self, purpose: CallPurpose) -> Option<HeldUp> {
        let (now, state) = (self.clock.moment(), self.state());
        if now < state.paused_until {
            return Some(HeldUp { reason: "no token can be fetched now", wait: state.paused_until.since(now) });
        }
        // A probe whose half-open state is over is an order as any other.
        if matches!(
            (state.breaker.state(), purpose),
            (BreakerState::Closed, _) | (BreakerState::HalfOpen, CallPurpose::Probe)
        ) {
            return None;
        }
        let wait = state.breaker.open_until().map(|until| until.since(now)).unwrap_or_default();
        Some(HeldUp { reason: "the circuit breaker opened before its turn", wait })
    }

    fn return_slot(&self, purpose: CallPurpose, result: CallResult, failure: Option<&str>) {
        let mut state = self.state();
        state.slots_in_use -= 1;
        let transition = state.breaker.record(purpose, result, self.clock.moment());
        drop(state);
        self.transition(transition, failure);
    }

    /// Reports a transition of the breaker, and wakes the dispatch of the next order.
    fn transition(&self, transition: Option<Transition>, failure: Option<&str>) {
        match transition {
            Some(Transition::Opened(pause)) => self.observers.report(Event::BreakerOpened { pause, failure }),
            Some(Transition::Closed) => self.observers.report(Event::BreakerClosed),
            None => {}
        }
        self.changed.notify_one();
    }

    fn finish(&self, id: &OrderId) {
        let again = match self.state().known.remove(id) {
            Some(QueueState::Dispatched { again }) => again,
            _ => None,
        };
        if let Some(ticket) = again {
            self.enqueue(id, ticket);
        }
    }
}

/// Why an order that was dispatched must not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldUp {
    /// The reason, for people.
    pub reason: &'static str,
    /// How long that lasts at least.
    pub wait: Duration,
}

impl HeldUp {
    /// The service stops.
    pub const STOP: Self = Self { reason: "the service stopped before its turn", wait: Duration::ZERO };
}

/// An order that is worked on. The dispatch ends when it is dropped, also by a panic.
#[derive(Debug)]
pub struct Dispatch {
    /// The order.
    pub id: OrderId,
    /// With what it was queued.
    pub ticket: Ticket,
    dispatcher: Arc<Dispatcher>,
    /// The purpose of the call that the slot was given for, while the slot is held.
    slot: Option<CallPurpose>,
    /// Held while 11VMS works on the order.
    permit: Option<OwnedSemaphorePermit>,
}

impl Dispatch {
    /// Whether the order has its permit.
    pub const fn has_permit(&self) -> bool {
        self.permit.is_some()
    }

    /// Waits for a permit to send the order, unless it has one: whose begin was stored first has the first one.
    ///
    /// # Errors
    /// If the order must not be sent when its turn comes, or the service stops before.
    pub async fn take_permit(&mut self, stopping: &CancellationToken) -> Result<(), HeldUp> {
        if self.permit.is_none() {
            let free = Arc::clone(&self.dispatcher.free_permits);
            self.permit = tokio::select! {
                biased;
                () = stopping.cancelled() => return Err(HeldUp::STOP),
                permit = free.acquire_owned() => permit.ok(),
            };
        }
        self.may_be_sent()
    }

    /// Checks that an order with a permit may be sent at this moment.
    ///
    /// # Errors
    /// If not: for a pause, or an open breaker.
    pub fn may_be_sent(&self) -> Result<(), HeldUp> {
        self.slot.and_then(|purpose| self.dispatcher.held_up(purpose)).map_or(Ok(()), Err)
    }

    /// Gives the permit to the next order once 11VMS has responded, while this order's outcome is stored. `failure` says
    /// what went wrong, for the log line of a breaker that opens.
    pub fn release_permit(&mut self, result: CallResult, failure: Option<&str>) {
        if let Some(purpose) = self.slot.take() {
            // Before the next permit is given: its order has to find the breaker as this result leaves it.
            self.dispatcher.return_slot(purpose, result, failure);
        }
        self.permit = None;
    }
}

impl Drop for Dispatch {
    fn drop(&mut self) {
        self.release_permit(CallResult::Inconclusive, None);
        self.dispatcher.finish(&self.id);
    }
}

#[cfg(test)]
mod tests;
