//! A clock for tests.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::watch;

use super::{Clock, SystemClock, after};

/// A clock whose time changes only by [`ManualClock::advance`].
#[derive(Debug)]
pub struct ManualClock {
    now: watch::Sender<Timestamp>,
}

impl Default for ManualClock {
    /// Starts at the system's time, so that tokens issued by that time are valid; in whole milliseconds, as ledgers store.
    fn default() -> Self {
        let now = SystemClock.now();
        Self { now: watch::Sender::new(Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)) }
    }
}

impl ManualClock {
    /// Starts at the given time.
    pub fn at(now: Timestamp) -> Self {
        Self { now: watch::Sender::new(now) }
    }

    /// Moves the time forward and wakes every sleeper whose time has come.
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
        // Fails only without the sender, which is a field of `self`.
        let _ = self.now.subscribe().wait_for(|now| *now >= time).await;
    }
}
