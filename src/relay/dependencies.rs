//! What the relay works with.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::observer::Observers;
use crate::clock::Clock;
use crate::ledger::Ledger;
use crate::order::breaker::BreakerPolicy;
use crate::order::retry::{DuplicateGuard, RetryPolicy};
use crate::order::vms_response::ResponseRules;
use crate::trace::Tracer;
use crate::vms::Vms;

/// Draws positions within the jitter of retries.
#[derive(Clone)]
pub struct JitterSource(pub Arc<dyn Fn() -> f64 + Send + Sync>);

impl JitterSource {
    /// A number from -1 to 1.
    pub fn draw(&self) -> f64 {
        (self.0)()
    }
}

impl fmt::Debug for JitterSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JitterSource")
    }
}

/// How many orders are dispatched at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concurrency {
    /// Orders that are sent to 11VMS at the same time.
    pub permits: usize,
    /// Orders beyond these, the begin of whose attempts is stored while they wait for a permit: so no permit waits for the disk.
    pub ahead: usize,
}

impl Concurrency {
    /// So many permits, and an eighth ahead, which 11VMS answers in an eighth of the time that it takes for one. After a crash each
    /// of them is in doubt, though it was not sent, so there are no more. There are none where somebody has set a few permits for a
    /// reason, or where an order in doubt is parked.
    pub const fn usual(permits: usize, guard: DuplicateGuard) -> Self {
        Self { permits, ahead: if guard.retries_in_doubt() { permits / 8 } else { 0 } }
    }
}

/// The parts and policies that the relay is built from.
#[derive(Debug)]
pub struct Dependencies {
    /// Stores orders.
    pub ledger: Arc<dyn Ledger>,
    /// Creates orders.
    pub vms: Arc<dyn Vms>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// When attempts are made again.
    pub policy: RetryPolicy,
    /// How 11VMS's responses are read.
    pub response_rules: ResponseRules,
    /// How many orders are dispatched at the same time.
    pub concurrency: Concurrency,
    /// When 11VMS is left alone.
    pub breaker: BreakerPolicy,
    /// The longest time of an attempt; then it is cut off, and its outcome is unknown. [`super::lease_length`] follows
    /// from it.
    pub attempt_limit: Duration,
    /// Where in the jitter a retry falls.
    pub jitter: JitterSource,
    /// Those who hear what happens: the log, the metrics.
    pub observers: Observers,
    /// Records what an order goes through, if traces are on.
    pub tracer: Tracer,
    /// The backup that the ledger was restored from, if it was.
    pub restored: Option<RestoredLedger>,
}

/// A ledger that was restored from a backup, and lacks what came after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestoredLedger {
    /// The time of the backup (`ledger.restored_at`, or the backup's own mark).
    pub backup: Timestamp,
    /// How long after it carts may come again that the ledger has lost (`ledger.retention`): the ledger would have
    /// forgotten them by then in any case.
    pub matters_for: Duration,
}
