//! The orders that are open or parked, counted: as they change where one process holds the ledger, and compared with the
//! ledger now and then. Replicas of a shared ledger each know their own changes alone, so there the ledger is counted.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::order::{Order, State};

/// The states that are counted: those of open orders, and the one that waits for a person.
pub const COUNTED: [State; 4] = [State::Accepted, State::Forwarding, State::Retrying, State::Parked];

/// Open and parked orders at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Census {
    /// How many are in each state, in the order of [`COUNTED`].
    counts: [i64; COUNTED.len()],
    /// When the first cart of an open order arrived.
    pub oldest_open: Option<Timestamp>,
    /// Retrying orders whose time came a while ago.
    pub overdue: i64,
}

impl Census {
    /// How many orders are in a state; none in one that is not counted.
    pub fn count(&self, state: State) -> i64 {
        COUNTED.iter().zip(self.counts).find(|(one, _)| **one == state).map_or(0, |(_, count)| count)
    }

    /// Adds to the number of orders in a state; nothing for one that is not counted.
    pub fn add(&mut self, state: State, number: i64) {
        for (one, count) in COUNTED.iter().zip(&mut self.counts) {
            if *one == state {
                *count += number;
            }
        }
    }

    /// Adds a change of an order: it had the state `before`, if it was there.
    pub fn add_change(&mut self, before: Option<State>, after: &Order) {
        if let Some(before) = before {
            self.add(before, -1);
        }
        self.add(after.state, 1);
        if after.state.is_open() {
            self.oldest_open = Some(self.oldest_open.map_or(after.received_at, |oldest| oldest.min(after.received_at)));
        }
    }

    /// How many orders are open.
    pub fn open(&self) -> i64 {
        State::ALL.into_iter().filter(|state| state.is_open()).map(|state| self.count(state)).sum()
    }
}

#[derive(Debug, Default)]
struct Counted {
    census: Census,
    /// Raised when a commit begins, and when it has ended: odd while one is under way.
    version: u64,
}

/// The numbers that a process knows.
#[derive(Debug, Default)]
pub struct OpenOrders {
    counted: Mutex<Counted>,
}

/// A commit that is under way. If it is dropped without its changes, nothing has changed.
#[derive(Debug)]
pub struct CommitUnderWay<'a> {
    orders: &'a OpenOrders,
    changes: Census,
}

impl CommitUnderWay<'_> {
    /// The changes are on disk.
    pub fn is_done(mut self, changes: Census) {
        self.changes = changes;
    }
}

impl Drop for CommitUnderWay<'_> {
    fn drop(&mut self) {
        let mut counted = self.orders.counted();
        counted.version += 1;
        for state in COUNTED {
            counted.census.add(state, self.changes.count(state));
        }
        let known = counted.census.oldest_open;
        counted.census.oldest_open = known.into_iter().chain(self.changes.oldest_open).min();
    }
}

impl OpenOrders {
    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known at this moment.
    pub fn census(&self) -> Census {
        let census = self.counted().census;
        // Until the next count nobody knows which one is the oldest after the oldest was settled.
        Census { oldest_open: census.oldest_open.filter(|_| census.open() > 0), ..census }
    }

    /// A commit begins: until it has ended, a count of the ledger may have its changes or not.
    pub fn begin_commit(&self) -> CommitUnderWay<'_> {
        self.counted().version += 1;
        CommitUnderWay { orders: self, changes: Census::default() }
    }

    /// To be taken before the ledger is counted.
    pub fn version(&self) -> u64 {
        self.counted().version
    }

    /// Takes what the ledger has.
    pub fn replace(&self, ledger: Census) {
        self.counted().census = ledger;
    }

    /// Takes what a ledger has that this process holds alone; but the numbers by state, which were counted as they changed,
    /// only if none can have changed since `version` was taken.
    pub fn compare(&self, ledger: Census, version: u64) {
        let mut counted = self.counted();
        let is_quiet = version.is_multiple_of(2) && counted.version == version;
        if is_quiet {
            counted.census = ledger;
        } else {
            counted.census.oldest_open = ledger.oldest_open;
            counted.census.overdue = ledger.overdue;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(census: Census) -> [i64; COUNTED.len()] {
        COUNTED.map(|state| census.count(state))
    }

    fn census(counts: [i64; COUNTED.len()]) -> Census {
        Census { counts, ..Census::default() }
    }

    #[test]
    fn a_count_that_a_commit_overlaps_is_not_taken() {
        let orders = OpenOrders::default();
        // The commit began before the count.
        let commit = orders.begin_commit();
        orders.compare(census([9, 9, 9, 9]), orders.version());
        assert_eq!(counted(orders.census()), [0, 0, 0, 0]);
        // The commit ends after it.
        let version = orders.version();
        commit.is_done(census([1, 0, 0, 0]));
        orders.compare(Census { overdue: 7, ..census([9, 9, 9, 9]) }, version);
        assert_eq!((counted(orders.census()), orders.census().overdue), ([1, 0, 0, 0], 7));
        orders.compare(census([2, 0, 1, 3]), orders.version());
        assert_eq!(counted(orders.census()), [2, 0, 1, 3], "nothing changed meanwhile");
    }

    #[test]
    fn a_commit_that_failed_changes_nothing() {
        let orders = OpenOrders::default();
        drop(orders.begin_commit());
        assert_eq!(orders.census(), Census::default());
        orders.begin_commit().is_done(census([0, 0, 1, 0]));
        orders.begin_commit().is_done(census([0, 0, -1, 1]));
        assert_eq!(counted(orders.census()), [0, 0, 0, 1]);
        assert_eq!(orders.census().open(), 0, "a parked order is not open");
    }
}
