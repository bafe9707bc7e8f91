//! A clock for tests.

use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use super::{Clock, Moment, SystemClock, after};

/// A clock whose time changes only by [`ManualClock::advance`] and [`ManualClock::step`].
#[derive(Debug)]
pub struct ManualClock {
    time: watch::Sender<(Timestamp, Moment)>,
}

impl Default for ManualClock {
    /// Starts at the system's time, so that tokens issued by that time are valid; in whole milliseconds, as ledgers store.
    fn default() -> Self {
        let now = SystemClock.now();
        Self::at(Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now))
    }
}

impl ManualClock {
    /// Starts at the given time.
    pub fn at(now: Timestamp) -> Self {
        Self { time: watch::Sender::new((now, Moment::default())) }
    }

    /// Lets time pass, on both clocks, and wakes every sleeper whose time has come.
    pub fn advance(&self, by: Duration) {
        self.time.send_modify(|(now, moment)| (*now, *moment) = (after(*now, by), moment.after(by)));
    }

    /// Sets the wall clock forward, or back if `by` is negative. No time passes, so nobody is woken.
    pub fn step(&self, by: SignedDuration) {
        self.time.send_modify(|(now, _)| *now = now.saturating_add(by).unwrap_or(*now));
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.time.borrow().0
    }

    fn moment(&self) -> Moment {
        self.time.borrow().1
    }

    async fn sleep_until(&self, moment: Moment) {
        // Fails only without the sender, which is a field of `self`.
        let _ = self.time.subscribe().wait_for(|(_, now)| *now >= moment).await;
    }
}
