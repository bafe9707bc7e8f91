//! Distributions: how many values lie below each bound, and their sum.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What a step of a histogram is. Values are whole steps, so that a sum is one atomic addition, and does not overflow in the
/// life of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Durations; shown in seconds.
    Microseconds,
    /// Numbers of something.
    Count,
}

/// The upper bounds of the buckets, ascending, in steps; the last bucket has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// What a step is.
    pub unit: Unit,
    /// The bounds, each of which belongs to its bucket.
    pub steps: &'static [u64],
}

/// OpenTelemetry's bounds for the duration of an HTTP request, and two more: callers are answered after up to a minute
/// (`server.deadline`), and 11VMS may take half of one (`target.timeout`).
pub const HTTP_DURATIONS: Bounds = Bounds {
    unit: Unit::Microseconds,
    steps: &[
        5_000, 10_000, 25_000, 50_000, 75_000, 100_000, 250_000, 500_000, 750_000, 1_000_000, 2_500_000, 5_000_000,
        7_500_000, 10_000_000, 30_000_000, 60_000_000,
    ],
};

impl Unit {
    /// A number of steps in the base unit.
    #[expect(clippy::cast_precision_loss, reason = "what is shown of 2^53 microseconds and more may be rounded")]
    pub fn in_base_unit(self, steps: u64) -> f64 {
        match self {
            Self::Microseconds => steps as f64 / 1e6,
            Self::Count => steps as f64,
        }
    }
}

/// A distribution of values.
#[derive(Debug)]
pub struct Histogram {
    bounds: Bounds,
    buckets: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// A histogram as it is at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct HistogramState {
    /// Each bound in the base unit, and the number of values up to it.
    pub up_to: Vec<(f64, u64)>,
    /// The number of all values.
    pub count: u64,
    /// Their sum in the base unit.
    pub sum: f64,
}

impl Histogram {
    /// An empty one.
    pub fn new(bounds: Bounds) -> Self {
        let buckets = (0..=bounds.steps.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, buckets, sum: AtomicU64::new(0) }
    }

    /// Counts a duration.
    pub fn observe(&self, duration: Duration) {
        self.observe_steps(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX));
    }

    /// Counts a number of steps.
    pub fn observe_steps(&self, steps: u64) {
        let bucket = self.bounds.steps.iter().take_while(|bound| **bound < steps).count();
        if let Some(bucket) = self.buckets.get(bucket) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.sum.fetch_add(steps, Ordering::Relaxed);
    }

    /// What was counted so far.
    pub fn state(&self) -> HistogramState {
        let unit = self.bounds.unit;
        let mut count = 0;
        let mut counts = self.buckets.iter().map(|bucket| {
            count += bucket.load(Ordering::Relaxed);
            count
        });
        let up_to = self
            .bounds
            .steps
            .iter()
            .zip(&mut counts)
            .map(|(bound, count)| (unit.in_base_unit(*bound), count))
            .collect();
        let count = counts.next().unwrap_or_default();
        HistogramState { up_to, count, sum: unit.in_base_unit(self.sum.load(Ordering::Relaxed)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_counts_up_to_every_bound_that_is_not_below_it() {
        let histogram = Histogram::new(Bounds { unit: Unit::Microseconds, steps: &[5_000, 10_000, 1_000_000] });
        for milliseconds in [0, 5, 6, 10, 999, 1_000, 1_001, 3_600_000] {
            histogram.observe(Duration::from_millis(milliseconds));
        }
        let state = histogram.state();
        assert_eq!(state.up_to, [(0.005, 2), (0.01, 4), (1.0, 6)]);
        assert_eq!((state.count, state.sum), (8, 3_603.021));
        let writes = Histogram::new(Bounds { unit: Unit::Count, steps: &[1, 2] });
        for count in [1, 2, 2, 7] {
            writes.observe_steps(count);
        }
        assert_eq!(writes.state(), HistogramState { up_to: vec![(1.0, 1), (2.0, 3)], count: 4, sum: 12.0 });
    }
}
