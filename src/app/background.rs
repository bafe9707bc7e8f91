//! What runs beside the requests, and has ended when the service has.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Longest wait at the end for those that still read the ledger.
const LAST_READS: Duration = Duration::from_secs(4);

/// Tasks beside the requests, until the drain begins.
pub struct Background {
    stop: CancellationToken,
    /// All of them, also those that end by themselves.
    pub tasks: TaskTracker,
}

impl Background {
    /// None yet; they end with `stop`.
    pub fn until(stop: &CancellationToken) -> Self {
        Self { stop: stop.clone(), tasks: TaskTracker::new() }
    }

    /// Starts one that is dropped at the stop.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(self.stop.clone().run_until_cancelled_owned(task));
    }

    /// Waits until all of them have ended, which one that waits for a ledger may not do in time.
    pub async fn end(self) {
        self.tasks.close();
        let _ = tokio::time::timeout(LAST_READS, self.tasks.wait()).await;
    }
}
