//! A timer that wakes the sweep at the earliest moment at which an order is known to be due.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::clock::{Clock, Moment};

/// The earliest moment at which an order is known to be due.
#[derive(Debug, Default)]
pub struct DueTimer {
    at: Mutex<Option<Moment>>,
    changed: Notify,
}

impl DueTimer {
    fn at(&self) -> MutexGuard<'_, Option<Moment>> {
        self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the timer to an earlier moment; a later one changes nothing.
    pub fn set(&self, moment: Moment) {
        let mut at = self.at();
        if at.is_none_or(|at| moment < at) {
            *at = Some(moment);
            drop(at);
            self.changed.notify_one();
        }
    }

    /// Waits for the moment, not before `earliest`, and clears it.
    pub async fn wait(&self, clock: &dyn Clock, earliest: Moment) {
        loop {
            let changed = self.changed.notified();
            let moment = *self.at();
            tokio::select! {
                biased;
                () = clock.sleep_until(moment.unwrap_or(Moment::MAX).max(earliest)) => break,
                () = changed => {}
            }
        }
        *self.at() = None;
    }
}
