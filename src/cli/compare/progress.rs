//! How far a long comparison is.

use std::io::Write as _;
use std::time::Duration;

use crate::clock::{Clock as _, Moment, SystemClock};

/// Between two lines: nobody waits longer for a sign of life, and a log is not filled.
const INTERVAL: Duration = Duration::from_secs(5);

/// Writes to standard error now and then.
pub struct Progress {
    all: Option<u64>,
    next: Moment,
}

impl Progress {
    /// Begins to measure; `all` is the number of all carts, if it is known.
    pub fn new(all: Option<u64>) -> Self {
        Self { all, next: SystemClock.moment().after(INTERVAL) }
    }

    /// Says how many carts are compared, if nothing was said for a while.
    pub fn report(&mut self, carts: u64) {
        let now = SystemClock.moment();
        if now < self.next {
            return;
        }
        self.next = now.after(INTERVAL);
        let all = self.all.map(|all| format!(" of {all}")).unwrap_or_default();
        // Without a reader, the result remains.
        let _ = writeln!(std::io::stderr(), "{carts}{all} carts compared");
    }
}
