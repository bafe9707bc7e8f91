//! Values that are counted: counters, gauges, histograms, and families of them. Atomics alone, without names.
//!
//! Each room owns what it counts; the names, the labels and the text belong to `telemetry/metrics.rs`.

mod family;
mod histogram;
mod named;

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

pub use family::Family;
pub use histogram::{Bounds, HTTP_DURATIONS, Histogram, HistogramState, Unit};
pub use named::NamedCounters;

/// A number of events since the start.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Counts one event.
    pub fn increment(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts several.
    pub fn add(&self, events: u64) {
        self.0.fetch_add(events, Ordering::Relaxed);
    }

    /// The events so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that goes up and down.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// Sets the number.
    pub fn set(&self, value: i64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// The number.
    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}
