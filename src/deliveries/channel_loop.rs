//! The loop of one channel: takes what is due from the outbox, delivers it, and stores what came of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tracing::{debug, error, info, warn};

use super::ledger_link::{LedgerLink, Outboxes};
use super::memory_outbox::MemoryOutbox;
use super::outlet::{Delivery, DeliveryObserver, DeliveryResult, Outlet};
use crate::clock::{Clock, Moment, after, between};
use crate::ledger::LedgerError;
use crate::ledger::outbox::{Conclusion, LONGEST_WAIT, Message, Outbox, OutboxWrite, OutboxWritten, Pending};
use crate::order::breaker::{Admittance, Breaker, BreakerPolicy, CallPurpose, CallResult};

/// Between two looks: a message of another replica, or a retry, waits no longer than this beside its own time.
const POLL: Duration = Duration::from_secs(1);

/// The wait after the first failure; each further one doubles it.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// The longest wait that the service chooses itself: a receiver that is back hears of everything soon.
const LONGEST_RETRY: Duration = Duration::from_mins(5);

/// A message that can't be delivered for so long is dropped: whoever would act on it has learnt of it otherwise by now.
const GIVE_UP_AFTER: Duration = Duration::from_hours(24);

/// A receiver that fails three times in a row is down; then one message probes, at most once a minute, and the others wait
/// without using their own retries.
const BREAKER: BreakerPolicy =
    BreakerPolicy { failures: 3, pause: Duration::from_secs(2), longest_pause: Duration::from_mins(1) };

/// Whether a look at the outbox led to something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// There may be more to deliver.
    Made,
    /// Nothing can be done at the moment.
    None,
}

/// Where a message comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Ledger,
    Memory,
}

/// The deliveries of one channel.
#[derive(Debug)]
pub struct ChannelLoop {
    outlet: Arc<dyn Outlet>,
    ledger: Arc<dyn Outbox>,
    memory: Arc<MemoryOutbox>,
    clock: Arc<dyn Clock>,
    bell: watch::Receiver<()>,
    observer: Arc<dyn DeliveryObserver>,
    breaker: Breaker,
    questions: LedgerLink<Option<Pending>>,
    conclusions: LedgerLink<OutboxWritten>,
    /// What came of a delivery, and could not be stored yet. Nothing is delivered before: it would be delivered again and
    /// again.
    owed: Option<(i64, Conclusion)>,
    left_alone_until: Option<Moment>,
    failing_since: Option<Moment>,
    ledger_is_out: bool,
}

impl ChannelLoop {
    /// A loop for an outlet; nothing is delivered unless [`ChannelLoop::run`] runs.
    pub fn new(
        outlet: Arc<dyn Outlet>,
        outboxes: Outboxes,
        clock: Arc<dyn Clock>,
        bell: watch::Receiver<()>,
        observer: Arc<dyn DeliveryObserver>,
    ) -> Self {
        let Outboxes { ledger, memory, questions } = outboxes;
        Self {
            outlet,
            ledger,
            memory,
            bell,
            observer,
            breaker: Breaker::new(BREAKER),
            questions: LedgerLink::new(Arc::clone(&clock), questions.clone()),
            conclusions: LedgerLink::new(Arc::clone(&clock), questions),
            clock,
            owed: None,
            left_alone_until: None,
            failing_since: None,
            ledger_is_out: false,
        }
    }

    /// Delivers until the task ends.
    pub async fn run(mut self) {
        loop {
            while self.deliver_next().await == Progress::Made {}
            let poll = self.clock.sleep(POLL);
            tokio::select! {
                biased;
                Ok(()) = self.bell.changed() => {}
                () = poll => {}
            }
        }
    }

    async fn deliver_next(&mut self) -> Progress {
        if !self.store_what_is_owed().await || self.is_left_alone() {
            return Progress::None;
        }
        let Admittance::Allowed(purpose) = self.breaker.try_acquire(self.clock.moment()) else { return Progress::None };
        let Some((origin, pending)) = self.next().await else {
            self.breaker.record(purpose, CallResult::Inconclusive, self.clock.moment());
            return Progress::None;
        };
        let delivery = self.outlet.deliver(&pending.message).await;
        let conclusion = self.judge(&pending, delivery, purpose);
        match origin {
            Origin::Ledger => self.owed = Some((pending.sequence, conclusion)),
            Origin::Memory => {
                // Memory does not fail.
                let _ = self.memory.write(OutboxWrite::Conclude(pending.sequence, conclusion)).await;
            }
        }
        Progress::Made
    }

    fn is_left_alone(&self) -> bool {
        self.left_alone_until.is_some_and(|until| self.clock.moment() < until)
    }

    /// The next message that is due. What the ledger could not take comes first, because it is older.
    async fn next(&mut self) -> Option<(Origin, Pending)> {
        let (channel, now) = (self.outlet.channel(), self.clock.now());
        if let Ok(Some(pending)) = self.memory.next(channel, now).await {
            return Some((Origin::Memory, pending));
        }
        let ledger = Arc::clone(&self.ledger);
        let found = self.questions.ask(async move { ledger.next(channel, now).await }).await;
        self.report_ledger(found).flatten().map(|pending| (Origin::Ledger, pending))
    }

    /// False if it can't be stored yet.
    async fn store_what_is_owed(&mut self) -> bool {
        let Some((sequence, conclusion)) = self.owed else { return true };
        let ledger = Arc::clone(&self.ledger);
        let write = OutboxWrite::Conclude(sequence, conclusion);
        let stored = self.conclusions.ask(async move { ledger.write(write).await }).await;
        let is_stored = self.report_ledger(stored).is_some();
        if is_stored {
            self.owed = None;
        }
        is_stored
    }

    /// The ledger reports its outages itself; this is what follows for alerts.
    fn report_ledger<T>(&mut self, result: Result<T, LedgerError>) -> Option<T> {
        match result {
            Ok(found) => {
                self.ledger_is_out = false;
                Some(found)
            }
            Err(error) => {
                if !std::mem::replace(&mut self.ledger_is_out, true) {
                    warn!(
                        delivery.channel = self.outlet.channel().name(),
                        error.message = %error,
                        "the outbox can't be used: alerts that are in it wait for the ledger"
                    );
                }
                None
            }
        }
    }

    /// What becomes of a message, and what the delivery says about the receiver.
    fn judge(&mut self, pending: &Pending, delivery: Delivery, purpose: CallPurpose) -> Conclusion {
        let (channel, message, moment) = (self.outlet.channel(), &pending.message, self.clock.moment());
        match delivery {
            Delivery::Delivered => {
                self.breaker.record(purpose, CallResult::Success, moment);
                self.observer.concluded(channel, DeliveryResult::Delivered, 1);
                debug!(delivery.channel = channel.name(), delivery.id = message.id, "an alert was delivered");
                self.report_recovery(moment);
                Conclusion::Remove
            }
            Delivery::Refused { detail } => {
                // The receiver works: it has judged.
                self.breaker.record(purpose, CallResult::Success, moment);
                self.report_dropped(pending, &detail);
                Conclusion::Remove
            }
            Delivery::Failed { detail, retry_after } => {
                self.breaker.record(purpose, CallResult::Failure, moment);
                self.report_failure(message, &detail, moment);
                let asked = retry_after.unwrap_or_default().min(LONGEST_WAIT);
                if !asked.is_zero() {
                    self.left_alone_until = Some(moment.after(asked));
                }
                let now = self.clock.now();
                if between(message.created_at, now) >= GIVE_UP_AFTER {
                    self.report_dropped(pending, &detail);
                    return Conclusion::Remove;
                }
                self.observer.concluded(channel, DeliveryResult::Failed, 1);
                Conclusion::Retry(after(now, retry_delay(pending.attempts).max(asked)))
            }
        }
    }

    fn report_failure(&mut self, message: &Message, detail: &str, moment: Moment) {
        if self.failing_since.is_none() {
            self.failing_since = Some(moment);
            warn!(
                delivery.channel = self.outlet.channel().name(),
                delivery.id = message.id,
                error.message = detail,
                "an alert can't be delivered: it waits, and is delivered again"
            );
        }
    }

    fn report_recovery(&mut self, moment: Moment) {
        if let Some(since) = self.failing_since.take() {
            info!(
                delivery.channel = self.outlet.channel().name(),
                outage.duration = moment.since(since).as_secs_f64(),
                "alerts are delivered again"
            );
        }
    }

    fn report_dropped(&self, pending: &Pending, detail: &str) {
        let channel = self.outlet.channel();
        self.observer.concluded(channel, DeliveryResult::Dropped, 1);
        error!(
            delivery.channel = channel.name(),
            delivery.id = pending.message.id,
            delivery.subject = pending.message.subject,
            delivery.attempts = pending.attempts + 1,
            error.message = detail,
            "an alert was dropped: its channel does not take it, and nobody is told by it"
        );
    }
}

/// The wait after a failure, given the number of failures before it.
fn retry_delay(failures: u32) -> Duration {
    FIRST_RETRY.saturating_mul(1_u32.checked_shl(failures).unwrap_or(u32::MAX)).min(LONGEST_RETRY)
}

#[cfg(test)]
mod tests;
