//! The waits of orders on the monotonic clock of this process.
//!
//! The ledger has the time of every next attempt, on the wall clock, for all processes. A wall clock may step, and those
//! of replicas differ. So a process goes by its own monotonic clock for orders whose last attempt it has ended itself;
//! and whatever any clock says, it does not ask 11VMS about an order in doubt before the grace has passed here, counted
//! from the end of the attempt, or from the first moment at which this process saw it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::Moment;
use crate::order::{Order, OrderId, Outcome};

use super::dispatcher::Ticket;

/// The waits of an order after the attempt that ended last.
#[derive(Debug, Clone, Copy)]
pub struct Hold {
    /// The number of that attempt and its outcome, if there was one.
    attempt: Option<(u32, Option<Outcome>)>,
    /// The order's revision.
    revision: u64,
    /// When the next attempt is due, whatever time the ledger has for it in this revision.
    pub due: Moment,
    /// When 11VMS may be asked about that attempt.
    pub quiet_until: Moment,
}

impl Hold {
    /// The waits of an order in its present state.
    pub fn new(order: &Order, due: Moment, quiet_until: Moment) -> Self {
        Self { attempt: last_attempt(order), revision: order.revision, due, quiet_until }
    }

    /// Whether the order has changed since: another process may have put its next attempt off, of which no attempt tells.
    pub const fn is_older_than(&self, order: &Order) -> bool {
        self.revision < order.revision
    }

    /// Whether it belongs to the order's last attempt. Another process may have made a later one, or may have ended this
    /// one as interrupted.
    fn belongs_to(&self, order: &Order) -> bool {
        self.attempt == last_attempt(order)
    }
}

fn last_attempt(order: &Order) -> Option<(u32, Option<Outcome>)> {
    order.attempts.last().map(|last| (last.number, last.outcome))
}

#[derive(Debug, Default)]
struct State {
    holds: HashMap<OrderId, Hold>,
    /// Orders that are to be queued, by the moment.
    alarms: BTreeMap<(Moment, OrderId), Ticket>,
}

/// The orders that wait by this process's own reckoning. Bounded by the orders in the ledger that wait: each leaves when
/// its attempt begins, or when its wait is over and nothing follows it.
#[derive(Debug, Default)]
pub struct Holds {
    state: Mutex<State>,
}

impl Holds {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The waits of an order after its last attempt, if this process has reckoned them.
    pub fn get(&self, order: &Order) -> Option<Hold> {
        self.state().holds.get(&order.id).copied().filter(|hold| hold.belongs_to(order))
    }

    /// Whether this process has reckoned when an order is due, at the last attempt that it knows of.
    pub fn contains(&self, id: &OrderId) -> bool {
        self.state().holds.contains_key(id)
    }

    /// Sets the waits of an order, unless those after a later attempt are known: a read of the order may lag behind.
    pub fn set(&self, id: &OrderId, hold: Hold) {
        let number = |hold: &Hold| hold.attempt.map(|(number, _)| number);
        let mut state = self.state();
        if state.holds.get(id).is_none_or(|known| number(known) <= number(&hold)) {
            state.holds.insert(id.clone(), hold);
        }
    }

    /// Forgets the waits of an order whose next attempt begins.
    pub fn remove(&self, id: &OrderId) {
        self.state().holds.remove(id);
    }

    /// Has the order queued at a moment.
    pub fn queue_at(&self, moment: Moment, id: &OrderId, ticket: Ticket) {
        self.state().alarms.insert((moment, id.clone()), ticket);
    }

    /// The earliest moment at which an order is to be queued.
    pub fn next(&self) -> Option<Moment> {
        self.state().alarms.first_key_value().map(|((moment, _), _)| *moment)
    }

    /// Takes the orders that are to be queued by now.
    pub fn take_due(&self, now: Moment) -> Vec<(OrderId, Ticket)> {
        let mut state = self.state();
        let mut due = Vec::new();
        while let Some(alarm) = state.alarms.first_entry().filter(|alarm| alarm.key().0 <= now) {
            let ((_, id), ticket) = alarm.remove_entry();
            due.push((id, ticket));
        }
        due
    }

    /// Forgets the waits that are over, but for those of orders that are queued because of them.
    pub fn forget_past(&self, now: Moment, is_queued: impl Fn(&OrderId) -> bool) {
        self.state().holds.retain(|id, hold| hold.due.max(hold.quiet_until) > now || is_queued(id));
    }
}
