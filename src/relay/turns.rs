//! Whose turn it is to be sent: orders wait here for a place, the oldest first, holding nothing but their ids.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::Notify;
use tracing::{info, warn};

use crate::clock::Clock;
use crate::order::OrderId;
use crate::order::breaker::{Breaker, BreakerPolicy, Health, Passage, Turn as BreakerTurn};

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

    /// Queues an order by the time at which its cart first arrived. One that has its turn gets another one after it.
    pub fn enqueue(&self, id: &OrderId, received_at: Timestamp) {
        let mut state = self.state();
        match state.known.get_mut(id) {
            Some(Standing::Waiting) => return,
            Some(Standing::Running { again }) => {
                *again = Some(received_at);
                return;
            }
            None => {}
        }
        state.known.insert(id.clone(), Standing::Waiting);
        state.waiting.insert((received_at, id.clone()));
        drop(state);
        self.changed.notify_one();
    }

    /// Whether the order waits or has its turn.
    pub fn knows(&self, id: &OrderId) -> bool {
        self.state().known.contains_key(id)
    }

    /// How many more may be queued before others should have them.
    pub fn room(&self) -> usize {
        (self.places * AHEAD).saturating_sub(self.state().waiting.len())
    }

    /// Waits until there is an order, a place for it, and the breaker lets it pass.
    pub async fn next(self: &Arc<Self>) -> Turn {
        loop {
            // Before looking: a change in between is not missed.
            let changed = self.changed.notified();
            let closed_until = match self.take() {
                Ok(id) => return Turn { id, turns: Arc::clone(self), holds_place: true },
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
    fn take(&self) -> Result<OrderId, Option<Timestamp>> {
        let mut state = self.state();
        if state.waiting.is_empty() || state.places_taken >= self.places {
            return Err(None);
        }
        match state.breaker.pass(self.clock.now()) {
            Passage::Free => {}
            Passage::ClosedUntil(time) => return Err(Some(time)),
            Passage::Probing => return Err(None),
        }
        let Some((_, id)) = state.waiting.pop_first() else { return Err(None) };
        state.places_taken += 1;
        state.known.insert(id.clone(), Standing::Running { again: None });
        Ok(id)
    }

    fn give_back(&self, health: Health) {
        let mut state = self.state();
        state.places_taken -= 1;
        let turn = state.breaker.record(health, self.clock.now());
        drop(state);
        match turn {
            Some(BreakerTurn::Opened(pause)) => warn!(
                pause_seconds = pause.as_secs_f64(),
                "11VMS fails again and again: nothing is sent for a while, then one order probes"
            ),
            Some(BreakerTurn::Closed) => info!("11VMS answers again: orders are sent as usual"),
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
    holds_place: bool,
}

impl Turn {
    /// 11VMS has answered: the place is another's, while this order's outcome is stored.
    pub fn leave_place(&mut self, health: Health) {
        if std::mem::replace(&mut self.holds_place, false) {
            self.turns.give_back(health);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.leave_place(Health::Untold);
        self.turns.end(&self.id);
    }
}
