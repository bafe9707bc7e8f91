//! The dispatch of orders to 11VMS: the oldest first, as many at a time as there are permits, none while the circuit
//! breaker is open. A queued order is nothing but its id.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;

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
    permits_in_use: usize,
    breaker: Breaker,
    /// Until then nothing is dispatched, because no token can be fetched.
    paused_until: Moment,
}

/// The queue, the permits, and the circuit breaker.
#[derive(Debug)]
pub struct Dispatcher {
    permits: usize,
    state: Mutex<State>,
    changed: Notify,
    clock: Arc<dyn Clock>,
    observers: Observers,
}

impl Dispatcher {
    /// Creates a dispatcher that lets at most `permits` orders be sent at the same time.
    pub fn new(permits: usize, breaker: BreakerPolicy, clock: Arc<dyn Clock>, observers: Observers) -> Arc<Self> {
        let state = State {
            queued: BTreeSet::new(),
            known: HashMap::new(),
            permits_in_use: 0,
            breaker: Breaker::new(breaker),
            paused_until: Moment::default(),
        };
        Arc::new(Self { permits, state: Mutex::new(state), changed: Notify::new(), clock, observers })
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
        (self.permits * PREFETCH_FACTOR).saturating_sub(self.state().queued.len())
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
        self.permits
    }

    /// Dispatches an order without a permit, for work that sends nothing; `None` if the order is queued or dispatched.
    pub fn reserve_without_permit(self: &Arc<Self>, id: &OrderId) -> Option<Dispatch> {
        let mut state = self.state();
        self.reserve(&mut state, id, None)
    }

    fn reserve(self: &Arc<Self>, state: &mut State, id: &OrderId, permit: Option<CallPurpose>) -> Option<Dispatch> {
        if state.known.contains_key(id) {
            return None;
        }
        state.known.insert(id.clone(), QueueState::Dispatched { again: None });
        let ticket = Ticket::new(Timestamp::default(), 0);
        Some(Dispatch { id: id.clone(), ticket, dispatcher: Arc::clone(self), permit })
    }

    /// Dispatches nothing before `moment`; a pause that lasts longer stays.
    pub fn pause_until(&self, moment: Moment) {
        let mut state = self.state();
        state.paused_until = state.paused_until.max(moment);
    }

    /// Dispatches an order that need not wait: nobody knows it, none is queued, a permit is free, there is no pause, and the
    /// breaker is closed.
    pub fn try_reserve(self: &Arc<Self>, id: &OrderId) -> Option<Dispatch> {
        let (now, mut state) = (self.clock.moment(), self.state());
        let is_free = state.queued.is_empty() && state.permits_in_use < self.permits && state.paused_until <= now;
        if !is_free || state.breaker.state() != BreakerState::Closed {
            return None;
        }
        let Admittance::Allowed(purpose) = state.breaker.try_acquire(now) else { return None };
        let dispatch = self.reserve(&mut state, id, Some(purpose))?;
        state.permits_in_use += 1;
        Some(dispatch)
    }

    /// Waits until an order is queued, a permit is free, a pause is over, and the breaker admits the call.
    pub async fn next(self: &Arc<Self>) -> Dispatch {
        loop {
            // Before the state is read, so that a change in between is not missed.
            let changed = self.changed.notified();
            let rejected_until = match self.try_dispatch() {
                Ok((id, ticket, permit)) => {
                    return Dispatch { id, ticket, dispatcher: Arc::clone(self), permit: Some(permit) };
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
        if state.queued.is_empty() || state.permits_in_use >= self.permits {
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
        state.permits_in_use += 1;
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

    fn return_permit(&self, purpose: CallPurpose, result: CallResult, failure: Option<&str>) {
        let mut state = self.state();
        state.permits_in_use -= 1;
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

/// An order that is worked on. The dispatch ends when it is dropped, also by a panic.
#[derive(Debug)]
pub struct Dispatch {
    /// The order.
    pub id: OrderId,
    /// With what it was queued.
    pub ticket: Ticket,
    dispatcher: Arc<Dispatcher>,
    /// The purpose of the call that the permit was given for, while the permit is held.
    permit: Option<CallPurpose>,
}

impl Dispatch {
    /// Gives the permit to the next order once 11VMS has responded, while this order's outcome is stored. `failure` says
    /// what went wrong, for the log line of a breaker that opens.
    pub fn release_permit(&mut self, result: CallResult, failure: Option<&str>) {
        if let Some(purpose) = self.permit.take() {
            self.dispatcher.return_permit(purpose, result, failure);
        }
    }
}

impl Drop for Dispatch {
    fn drop(&mut self) {
        self.release_permit(CallResult::Inconclusive, None);
        self.dispatcher.finish(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::ManualClock;

    fn dispatcher(permits: usize, failures: u32) -> (Arc<Dispatcher>, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::default());
        let pause = Duration::from_secs(5);
        let breaker = BreakerPolicy { failures, pause, longest_pause: pause };
        (Dispatcher::new(permits, breaker, Arc::clone(&clock) as Arc<dyn Clock>, Observers::default()), clock)
    }

    fn id(number: u32) -> OrderId {
        OrderId::of(&number.to_string())
    }

    fn at(seconds: i64) -> Ticket {
        Ticket::new(Timestamp::from_second(1_700_000_000 + seconds).unwrap(), 1)
    }

    /// The next dispatch, if there is one now.
    async fn now(dispatcher: &Arc<Dispatcher>) -> Option<Dispatch> {
        tokio::select! {
            biased;
            dispatch = dispatcher.next() => Some(dispatch),
            () = tokio::task::yield_now() => None,
        }
    }

    #[tokio::test]
    async fn the_oldest_goes_first_whenever_it_came() {
        let (dispatcher, _) = dispatcher(9, 9);
        for number in [3, 1, 2] {
            dispatcher.enqueue(&id(number), at(number.into()));
            dispatcher.enqueue(&id(number), at(number.into()));
        }
        for number in [1, 2, 3] {
            assert_eq!(dispatcher.next().await.id, id(number));
        }
        assert!(now(&dispatcher).await.is_none(), "each once");
    }

    #[tokio::test]
    async fn nobody_goes_without_a_place_and_a_place_is_free_before_the_turn_ends() {
        let (dispatcher, _) = dispatcher(1, 9);
        dispatcher.enqueue(&id(1), at(1));
        dispatcher.enqueue(&id(2), at(2));
        let mut first = dispatcher.next().await;
        assert!(now(&dispatcher).await.is_none());
        first.release_permit(CallResult::Success, None);
        assert_eq!(dispatcher.next().await.id, id(2));
        assert!(dispatcher.knows(&id(1)) && !dispatcher.knows(&id(2)));
    }

    #[tokio::test]
    async fn who_is_asked_for_during_its_turn_has_another_one() {
        let (dispatcher, _) = dispatcher(1, 9);
        dispatcher.enqueue(&id(1), at(1));
        let dispatch = dispatcher.next().await;
        dispatcher.enqueue(&id(1), at(1));
        assert!(now(&dispatcher).await.is_none());
        drop(dispatch);
        drop(dispatcher.next().await);
        assert!(!dispatcher.knows(&id(1)) && now(&dispatcher).await.is_none());
    }

    #[tokio::test]
    async fn an_open_breaker_lets_one_probe_pass() {
        let (dispatcher, clock) = dispatcher(9, 1);
        for number in 1..=4 {
            dispatcher.enqueue(&id(number), at(number.into()));
        }
        dispatcher.next().await.release_permit(CallResult::Failure, None);
        assert!(now(&dispatcher).await.is_none());
        clock.advance(Duration::from_secs(5));
        let probe = dispatcher.next().await;
        assert!(now(&dispatcher).await.is_none());
        drop(probe);
        let mut probe = dispatcher.next().await;
        assert_eq!(probe.id, id(3), "a probe that found nothing to do leaves it to the next");
        assert!(now(&dispatcher).await.is_none());
        probe.release_permit(CallResult::Success, None);
        assert_eq!(dispatcher.next().await.id, id(4));
    }

    #[tokio::test]
    async fn nothing_is_dispatched_in_a_pause_and_the_longest_counts() {
        let (dispatcher, clock) = dispatcher(9, 9);
        let until = |seconds| clock.moment().after(Duration::from_secs(seconds));
        dispatcher.pause_until(until(6));
        dispatcher.pause_until(until(2));
        assert!(dispatcher.try_reserve(&id(1)).is_none(), "nobody goes past the queue");
        dispatcher.enqueue(&id(1), at(1));
        dispatcher.enqueue(&id(2), at(2));
        clock.advance(Duration::from_secs(5));
        assert!(now(&dispatcher).await.is_none());
        clock.advance(Duration::from_secs(1));
        assert_eq!(dispatcher.next().await.id, id(1), "without a sign from anybody");
        assert_eq!(dispatcher.next().await.id, id(2));
        assert!(dispatcher.try_reserve(&id(3)).is_some());
    }

    #[tokio::test]
    async fn who_waits_for_a_turn_is_woken_by_whatever_makes_one_possible() {
        let (dispatcher, clock) = dispatcher(1, 1);
        let queued = tokio::spawn({
            let dispatcher = Arc::clone(&dispatcher);
            async move { dispatcher.next().await.id.clone() }
        });
        tokio::task::yield_now().await;
        dispatcher.enqueue(&id(1), Ticket::new(clock.now(), 1));
        assert_eq!(queued.await.unwrap(), id(1));
    }
}
