//! Whose turn it is to be sent: orders wait here for a place, the oldest first, holding nothing but their ids.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::Notify;
use tracing::{info, warn};

use crate::clock::Clock;
use crate::order::OrderId;
use crate::order::breaker::{Breaker, BreakerPolicy, Change, Errand, Health, Passage};

/// Waiting orders are taken from a shared ledger up to this many times the places: enough that no place stays empty,
/// and few enough that other replicas have their share.
const AHEAD: usize = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Waiting,
    /// It was asked for again at this time, while it had its turn.
    Running {
        again: Option<Timestamp>,
    },
}

#[derive(Debug)]
struct State {
    /// By the time at which the cart first arrived.
    waiting: BTreeSet<(Timestamp, OrderId)>,
    known: HashMap<OrderId, Standing>,
    places_taken: usize,
    breaker: Breaker,
}

/// The queue, the places, and the breaker that may close them all.
#[derive(Debug)]
pub struct Turns {
    places: usize,
    state: Mutex<State>,
    changed: Notify,
    clock: Arc<dyn Clock>,
}

impl Turns {
    /// `places` is how many orders may be sent at the same time.
    pub fn new(places: usize, breaker: BreakerPolicy, clock: Arc<dyn Clock>) -> Arc<Self> {
        let state =
            State { waiting: BTreeSet::new(), known: HashMap::new(), places_taken: 0, breaker: Breaker::new(breaker) };
        Arc::new(Self { places, state: Mutex::new(state), changed: Notify::new(), clock })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues an order by the time at which its cart first arrived; false if it waits already. One that has its turn
    /// gets another one after it.
    pub fn enqueue(&self, id: &OrderId, received_at: Timestamp) -> bool {
        let mut state = self.state();
        match state.known.get_mut(id) {
            Some(Standing::Waiting) => return false,
            Some(Standing::Running { again }) => return again.replace(received_at).is_none(),
            None => {}
        }
        state.known.insert(id.clone(), Standing::Waiting);
        state.waiting.insert((received_at, id.clone()));
        drop(state);
        self.changed.notify_one();
        true
    }

    /// Whether the order waits or has its turn.
    #[cfg(test)]
    pub fn knows(&self, id: &OrderId) -> bool {
        self.state().known.contains_key(id)
    }

    /// How many more may be queued before others should have them.
    pub fn room(&self) -> usize {
        (self.places * AHEAD).saturating_sub(self.state().waiting.len())
    }

    /// How many places there are.
    pub const fn places(&self) -> usize {
        self.places
    }

    /// A turn without a place, for work on an order that sends nothing; `None` if somebody works on it already.
    pub fn aside(self: &Arc<Self>, id: &OrderId) -> Option<Turn> {
        let mut state = self.state();
        if state.known.contains_key(id) {
            return None;
        }
        state.known.insert(id.clone(), Standing::Running { again: None });
        Some(Turn { id: id.clone(), turns: Arc::clone(self), place: None })
    }

    /// Waits until there is an order, a place for it, and the breaker lets it pass.
    pub async fn next(self: &Arc<Self>) -> Turn {
        loop {
            // Before looking: a change in between is not missed.
            let changed = self.changed.notified();
            let closed_until = match self.take() {
                Ok((id, place)) => return Turn { id, turns: Arc::clone(self), place: Some(place) },
                Err(closed_until) => closed_until,
            };
            tokio::select! {
                biased;
                () = changed => {}
                () = async { self.clock.sleep_until(closed_until.unwrap_or_default()).await }, if closed_until.is_some() => {}
            }
        }
    }

    /// The oldest order, if it may go now; else when the breaker opens the way.
    fn take(&self) -> Result<(OrderId, Errand), Option<Timestamp>> {
        let mut state = self.state();
        if state.waiting.is_empty() || state.places_taken >= self.places {
            return Err(None);
        }
        let errand = match state.breaker.pass(self.clock.now()) {
            Passage::Free(errand) => errand,
            Passage::ClosedUntil(time) => return Err(Some(time)),
            Passage::Probing => return Err(None),
        };
        let Some((_, id)) = state.waiting.pop_first() else { return Err(None) };
        state.places_taken += 1;
        state.known.insert(id.clone(), Standing::Running { again: None });
        Ok((id, errand))
    }

    /// 11VMS has answered a question well, whatever becomes of the order.
    pub fn sign_of_life(&self) {
        let change = self.state().breaker.record(Errand::Order, Health::Well, self.clock.now());
        self.tell(change);
    }

    fn give_back(&self, errand: Errand, health: Health) {
        let mut state = self.state();
        state.places_taken -= 1;
        let change = state.breaker.record(errand, health, self.clock.now());
        drop(state);
        self.tell(change);
    }

    fn tell(&self, change: Option<Change>) {
        match change {
            Some(Change::Opened(pause)) => warn!(
                pause_seconds = pause.as_secs_f64(),
                "11VMS fails again and again: nothing is sent for a while, then one order probes"
            ),
            Some(Change::Closed) => info!("11VMS answers again: orders are sent as usual"),
            None => {}
        }
        self.changed.notify_one();
    }

    fn end(&self, id: &OrderId) {
        let again = match self.state().known.remove(id) {
            Some(Standing::Running { again }) => again,
            _ => None,
        };
        if let Some(received_at) = again {
            self.enqueue(id, received_at);
        }
    }
}

/// An order's turn. It ends when this is dropped, also by a panic.
#[derive(Debug)]
pub struct Turn {
    /// The order.
    pub id: OrderId,
    turns: Arc<Turns>,
    /// The place that it holds, and what for.
    place: Option<Errand>,
}

impl Turn {
    /// 11VMS has answered: the place is another's, while this order's outcome is stored.
    pub fn leave_place(&mut self, health: Health) {
        if let Some(errand) = self.place.take() {
            self.turns.give_back(errand, health);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.leave_place(Health::Untold);
        self.turns.end(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::{ManualClock, after};

    fn turns(places: usize, failures: u32) -> (Arc<Turns>, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::default());
        let pause = Duration::from_secs(5);
        let breaker = BreakerPolicy { failures, pause, longest_pause: pause };
        (Turns::new(places, breaker, Arc::clone(&clock) as Arc<dyn Clock>), clock)
    }

    fn id(number: u32) -> OrderId {
        OrderId::of(&number.to_string())
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    /// The next turn, if there is one now.
    async fn now(turns: &Arc<Turns>) -> Option<Turn> {
        tokio::select! {
            biased;
            turn = turns.next() => Some(turn),
            () = tokio::task::yield_now() => None,
        }
    }

    #[tokio::test]
    async fn the_oldest_goes_first_whenever_it_came() {
        let (turns, _) = turns(9, 9);
        for number in [3, 1, 2] {
            turns.enqueue(&id(number), at(number.into()));
            turns.enqueue(&id(number), at(number.into()));
        }
        for number in [1, 2, 3] {
            assert_eq!(turns.next().await.id, id(number));
        }
        assert!(now(&turns).await.is_none(), "each once");
    }

    #[tokio::test]
    async fn nobody_goes_without_a_place_and_a_place_is_free_before_the_turn_ends() {
        let (turns, _) = turns(1, 9);
        turns.enqueue(&id(1), at(1));
        turns.enqueue(&id(2), at(2));
        let mut first = turns.next().await;
        assert!(now(&turns).await.is_none());
        first.leave_place(Health::Well);
        assert_eq!(turns.next().await.id, id(2));
        assert!(turns.knows(&id(1)) && !turns.knows(&id(2)));
    }

    #[tokio::test]
    async fn who_is_asked_for_during_its_turn_has_another_one() {
        let (turns, _) = turns(1, 9);
        turns.enqueue(&id(1), at(1));
        let turn = turns.next().await;
        turns.enqueue(&id(1), at(1));
        assert!(now(&turns).await.is_none());
        drop(turn);
        drop(turns.next().await);
        assert!(!turns.knows(&id(1)) && now(&turns).await.is_none());
    }

    #[tokio::test]
    async fn behind_an_open_breaker_all_wait_for_the_probe() {
        let (turns, clock) = turns(9, 1);
        for number in 1..=4 {
            turns.enqueue(&id(number), at(number.into()));
        }
        turns.next().await.leave_place(Health::Ill);
        assert!(now(&turns).await.is_none());
        clock.advance(Duration::from_secs(5));
        let probe = turns.next().await;
        assert!(now(&turns).await.is_none());
        drop(probe);
        let mut probe = turns.next().await;
        assert_eq!(probe.id, id(3), "a probe that found nothing to do leaves it to the next");
        assert!(now(&turns).await.is_none());
        probe.leave_place(Health::Well);
        assert_eq!(turns.next().await.id, id(4));
    }

    #[tokio::test]
    async fn who_waits_for_a_turn_is_woken_by_whatever_makes_one_possible() {
        let (turns, clock) = turns(1, 1);
        let waiting = tokio::spawn({
            let turns = Arc::clone(&turns);
            async move { turns.next().await.id.clone() }
        });
        tokio::task::yield_now().await;
        turns.enqueue(&id(1), after(clock.now(), Duration::ZERO));
        assert_eq!(waiting.await.unwrap(), id(1));
    }
}
