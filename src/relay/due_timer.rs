//! A timer that wakes the sweep at the earliest time at which an order is known to be due.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::Notify;

use crate::clock::Clock;

/// The earliest time at which an order is known to be due.
#[derive(Debug, Default)]
pub struct DueTimer {
    at: Mutex<Option<Timestamp>>,
    changed: Notify,
}

impl DueTimer {
    fn at(&self) -> MutexGuard<'_, Option<Timestamp>> {
        self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the timer to an earlier time; a later one changes nothing.
    pub fn set(&self, time: Timestamp) {
        let mut at = self.at();
        if at.is_none_or(|at| time < at) {
            *at = Some(time);
            drop(at);
            self.changed.notify_one();
        }
    }

    /// Waits for the time, not before `earliest`, and clears it.
    pub async fn wait(&self, clock: &dyn Clock, earliest: Timestamp) {
        loop {
            let changed = self.changed.notified();
            let time = *self.at();
            tokio::select! {
                biased;
                () = clock.sleep_until(time.unwrap_or(Timestamp::MAX).max(earliest)) => break,
                () = changed => {}
            }
        }
        *self.at() = None;
    }
}
