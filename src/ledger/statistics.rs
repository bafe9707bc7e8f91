//! What a ledger counts of its own work.

use std::time::Duration;

use super::open_orders::OpenOrders;
use crate::metric::{Bounds, Counter, Histogram, Unit};

/// OpenTelemetry's bounds for the duration of a database operation, in microseconds.
const DURATIONS: Bounds = Bounds {
    unit: Unit::Microseconds,
    steps: &[1_000, 5_000, 10_000, 50_000, 100_000, 500_000, 1_000_000, 5_000_000, 10_000_000],
};

/// Up to the largest group.
const WRITES: Bounds = Bounds { unit: Unit::Count, steps: &[1, 2, 4, 8, 16, 32, 64, 128, 256] };

/// The commits of this process, and the open orders.
#[derive(Debug)]
pub struct LedgerStatistics {
    /// How long each commit took that went well, with its fsync.
    pub commit_durations: Histogram,
    /// The writes of each of them.
    pub commit_writes: Histogram,
    /// Commits that failed because of the storage.
    pub failed_commits: Counter,
    /// The orders that are not settled, or wait for a person.
    pub open_orders: OpenOrders,
}

impl Default for LedgerStatistics {
    fn default() -> Self {
        Self {
            commit_durations: Histogram::new(DURATIONS),
            commit_writes: Histogram::new(WRITES),
            failed_commits: Counter::default(),
            open_orders: OpenOrders::default(),
        }
    }
}

impl LedgerStatistics {
    /// Counts a commit that went well.
    pub fn committed(&self, writes: usize, took: Duration) {
        self.commit_durations.observe(took);
        self.commit_writes.observe_steps(u64::try_from(writes).unwrap_or(u64::MAX));
    }
}
