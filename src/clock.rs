//! Time as an exchangeable part: the system's clock, or one that tests advance.

#[cfg(feature = "sandbox")]
mod manual;

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
#[cfg(feature = "sandbox")]
pub use manual::ManualClock;

/// Wall-clock time and waiting. Every decision about an order takes the time from here.
#[async_trait]
pub trait Clock: Debug + Send + Sync {
    /// The current time, UTC.
    fn now(&self) -> Timestamp;
    /// Returns when this clock has reached `time`; at once if it has already.
    async fn sleep_until(&self, time: Timestamp);

    /// Returns when `duration` has passed on this clock.
    async fn sleep(&self, duration: Duration) {
        self.sleep_until(after(self.now(), duration)).await;
    }
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the only place that asks the system for the time")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep_until(&self, time: Timestamp) {
        tokio::time::sleep(between(self.now(), time)).await;
    }
}

/// `start + duration`, at most the largest timestamp.
pub fn after(start: Timestamp, duration: Duration) -> Timestamp {
    start.checked_add(duration).unwrap_or(Timestamp::MAX)
}

/// The duration from `start` to `end`; zero if `end` is earlier.
pub fn between(start: Timestamp, end: Timestamp) -> Duration {
    Duration::try_from(end.duration_since(start)).unwrap_or(Duration::ZERO)
}
