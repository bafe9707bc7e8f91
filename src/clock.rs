//! Time as a part that can be exchanged: the system's, or one that tests move by hand.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

/// Wall-clock time and waiting. Nothing else in the service reads the system's time for a decision about an order.
#[async_trait]
pub trait Clock: Debug + Send + Sync {
    /// The current time, UTC.
    fn now(&self) -> Timestamp;
    /// Returns when this clock shows `time`, at once if it does already.
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
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system for the time")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep_until(&self, time: Timestamp) {
        tokio::time::sleep(between(self.now(), time)).await;
    }
}

/// `start + duration`, held at the largest time there is.
pub fn after(start: Timestamp, duration: Duration) -> Timestamp {
    start.checked_add(duration).unwrap_or(Timestamp::MAX)
}

/// How long from `start` to `end`; zero if `end` is earlier.
pub fn between(start: Timestamp, end: Timestamp) -> Duration {
    Duration::try_from(end.duration_since(start)).unwrap_or(Duration::ZERO)
}

#[cfg(feature = "sandbox")]
pub use manual::ManualClock;

#[cfg(feature = "sandbox")]
mod manual {
    use std::time::Duration;

    use async_trait::async_trait;
    use jiff::Timestamp;
    use tokio::sync::watch;

    use super::{Clock, SystemClock, after};

    /// A clock that stands still until a test advances it.
    #[derive(Debug)]
    pub struct ManualClock {
        now: watch::Sender<Timestamp>,
    }

    impl Default for ManualClock {
        /// Starts at the real time, so that tokens minted beside it are valid; in whole milliseconds, as ledgers count.
        fn default() -> Self {
            let now = SystemClock.now();
            Self { now: watch::Sender::new(Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)) }
        }
    }

    impl ManualClock {
        /// A clock that shows a given time.
        pub fn at(now: Timestamp) -> Self {
            Self { now: watch::Sender::new(now) }
        }

        /// Moves the time forward and wakes everyone whose time has come.
        pub fn advance(&self, by: Duration) {
            self.now.send_modify(|now| *now = after(*now, by));
        }
    }

    #[async_trait]
    impl Clock for ManualClock {
        fn now(&self) -> Timestamp {
            *self.now.borrow()
        }

        async fn sleep_until(&self, time: Timestamp) {
            // The sender lives in `self`, so waiting can't fail.
            let _ = self.now.subscribe().wait_for(|now| *now >= time).await;
        }
    }
}
