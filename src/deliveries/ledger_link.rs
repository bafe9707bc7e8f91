//! Questions to the ledger's outbox by a loop that must not hang with it: what is delivered from memory goes on.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use super::memory_outbox::MemoryOutbox;
use crate::clock::Clock;
use crate::ledger::LedgerError;
use crate::ledger::outbox::Outbox;

/// How long an answer is waited for. A ledger that works answers in milliseconds.
const LIMIT: Duration = Duration::from_secs(5);

/// Where messages wait: in the ledger, and in memory while the ledger is out.
#[derive(Debug, Clone)]
pub struct Outboxes {
    /// The ledger's.
    pub ledger: Arc<dyn Outbox>,
    /// That of this process.
    pub memory: Arc<MemoryOutbox>,
    /// The questions to the ledger, which may outlive who has asked them.
    pub questions: TaskTracker,
}

/// One question at a time: one that is not answered in time goes on, and no other is asked before it has ended. Disks and
/// databases that hang would collect them otherwise.
#[derive(Debug)]
pub struct LedgerLink<T> {
    clock: Arc<dyn Clock>,
    /// Its questions: a stop that leaves the ledger free waits for those that nobody waits for any more.
    tasks: TaskTracker,
    under_way: Option<JoinHandle<Result<T, LedgerError>>>,
}

impl<T: Send + 'static> LedgerLink<T> {
    pub const fn new(clock: Arc<dyn Clock>, tasks: TaskTracker) -> Self {
        Self { clock, tasks, under_way: None }
    }

    /// Asks, unless an earlier question has no answer yet.
    ///
    /// # Errors
    /// If the ledger failed, or does not answer.
    pub async fn ask(
        &mut self,
        question: impl Future<Output = Result<T, LedgerError>> + Send + 'static,
    ) -> Result<T, LedgerError> {
        if let Some(earlier) = self.under_way.take() {
            // Its answer was given up.
            drop(self.wait_for(earlier).await?);
        }
        self.wait_for(self.tasks.spawn(question)).await?
    }

    async fn wait_for(
        &mut self,
        mut task: JoinHandle<Result<T, LedgerError>>,
    ) -> Result<Result<T, LedgerError>, LedgerError> {
        tokio::select! {
            biased;
            answer = &mut task => answer.map_err(LedgerError::unavailable),
            () = self.clock.sleep(LIMIT) => {
                self.under_way = Some(task);
                Err(LedgerError::TimedOut)
            }
        }
    }
}
