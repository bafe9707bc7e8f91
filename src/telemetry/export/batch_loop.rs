//! The loop that takes what has come, and pushes it in batches.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{ExportOutage, Pushed, Sink};
use crate::bounded_queue::QueueReceiver;
use crate::clock::Clock;

/// Pause after a failure; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Longest pause of its own.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Longest pause that a receiver can ask for: a slip in its header is not to end the export until the next start.
const LONGEST_ASKED: Duration = Duration::from_hours(1);

/// Time for what is left when the service stops.
pub(super) const FLUSH_LIMIT: Duration = Duration::from_secs(2);

/// The size and the times of batches.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Entries of one batch.
    pub batch: usize,
    /// Time in which a batch grows that is not full.
    pub gathering: Duration,
    /// How long a batch is tried. Meanwhile newer entries wait within the bounds of their queue.
    pub patience: Duration,
}

/// Pushes the entries of a queue to a receiver.
#[derive(Debug)]
pub struct BatchLoop<S: Sink> {
    queue: QueueReceiver<S::Entry>,
    sink: S,
    pace: Pace,
    outage: ExportOutage,
    clock: Arc<dyn Clock>,
    /// The pause after the next failure.
    pause: Duration,
    /// Entries of the batch under way.
    under_way: u64,
    /// Why the last push failed.
    failure: Option<String>,
}

impl<S: Sink> BatchLoop<S> {
    /// Pushes nothing yet.
    pub fn new(
        queue: QueueReceiver<S::Entry>,
        sink: S,
        pace: Pace,
        outage: ExportOutage,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let clock = Arc::clone(clock);
        Self { queue, sink, pace, outage, clock, pause: FIRST_PAUSE, under_way: 0, failure: None }
    }

    /// Pushes until `stop`; then what is left, until a push fails, for two seconds at most. A push under way at the stop is not
    /// broken off before that: the receiver might have taken it, and would get it twice.
    pub async fn run(mut self, stop: CancellationToken) {
        let clock = Arc::clone(&self.clock);
        let flush_limit = async {
            stop.cancelled().await;
            clock.sleep(FLUSH_LIMIT).await;
        };
        tokio::select! {
            biased;
            () = self.push_all(&stop) => {}
            () = flush_limit => {}
        }
        self.outage.lose(self.queue.take_lost());
        let left = self.under_way + self.queue.take_ready(usize::MAX).len() as u64;
        self.outage.stopped(left, self.failure.as_deref().unwrap_or("no answer before the end of the stop"));
    }

    async fn push_all(&mut self, stop: &CancellationToken) {
        loop {
            let _ = stop.run_until_cancelled(self.gather()).await;
            let batch = self.queue.take_ready(self.pace.batch);
            self.outage.lose(self.queue.take_lost());
            if batch.is_empty() && stop.is_cancelled() {
                return;
            }
            if !batch.is_empty() && self.deliver(batch, stop).await.is_break() {
                return;
            }
            self.outage.tell_losses(self.clock.moment());
        }
    }

    /// Waits for a full batch; for one that is not full, as long as it may grow.
    async fn gather(&self) {
        self.queue.wait_for(1).await;
        tokio::select! {
            biased;
            () = self.queue.wait_for(self.pace.batch) => {}
            () = self.clock.sleep(self.pace.gathering) => {}
        }
    }

    /// Pushes a batch, and repeats it for a while. Breaks if it could not be delivered before the stop.
    async fn deliver(&mut self, batch: Vec<S::Entry>, stop: &CancellationToken) -> ControlFlow<()> {
        self.under_way = batch.len() as u64;
        let payload = self.sink.encode(batch);
        let give_up_at = self.clock.moment().after(self.pace.patience);
        while self.under_way > 0 {
            let pushed = self.sink.push(&payload).await;
            let Some(wait) = self.settle(pushed) else { break };
            if stop.is_cancelled() {
                return ControlFlow::Break(());
            }
            if self.clock.moment() >= give_up_at {
                self.outage.lose(std::mem::take(&mut self.under_way));
            }
            self.outage.lose(self.queue.take_lost());
            self.outage.tell_losses(self.clock.moment());
            let _ = stop.run_until_cancelled(self.clock.sleep(wait)).await;
        }
        ControlFlow::Continue(())
    }

    /// Notes how a push ended; returns the pause, if the batch may be taken later.
    fn settle(&mut self, pushed: Pushed) -> Option<Duration> {
        let now = self.clock.moment();
        match pushed {
            Pushed::Failed { detail, retry_after } => {
                self.outage.failed(&detail, now);
                self.failure = Some(detail);
                let pause = self.pause;
                self.pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
                return Some(retry_after.unwrap_or_default().min(LONGEST_ASKED).max(pause));
            }
            Pushed::Taken => self.outage.worked(now),
            Pushed::TakenInPart { rejected, detail } => self.outage.refused(&detail, rejected, now),
            Pushed::Refused(detail) => self.outage.refused(&detail, self.under_way, now),
        }
        self.under_way = 0;
        self.pause = FIRST_PAUSE;
        self.failure = None;
        None
    }
}

#[cfg(test)]
mod tests;
