//! A ledger that reports its own outages: one line when it fails, and one when it works again, however many callers are
//! affected.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tracing::{error, info};

use super::open_orders::Census;
use super::statistics::LedgerStatistics;
use super::{Claimed, Filter, Ledger, LedgerError, Sharing, Stored};
use crate::clock::{Clock, Moment};
use crate::condition::{ConditionKind, Conditions};
use crate::order::{Admission, Candidate, Order, OrderId, Terms};

/// A ledger and the log of its outages. Reads and writes have outages of their own: a full disk stops writes alone.
#[derive(Debug)]
pub struct OutageLog {
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
    reads: Outage,
    writes: Outage,
    conditions: Conditions,
}

/// The outage of one kind of operation, if there is one.
#[derive(Debug, Default)]
struct Outage {
    /// So that operations that go well take no lock.
    is_out: AtomicBool,
    since: Mutex<Option<Moment>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Read,
    Write,
}

impl Operation {
    const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

impl OutageLog {
    /// Wraps a ledger.
    pub fn new(ledger: Arc<dyn Ledger>, clock: Arc<dyn Clock>, conditions: Conditions) -> Self {
        Self { ledger, clock, reads: Outage::default(), writes: Outage::default(), conditions }
    }

    /// Reports a failure; and the end of an outage, if the result is proof of it. A write that found nothing to write
    /// is none: a read-only file answers it too.
    fn report<T>(
        &self,
        operation: Operation,
        result: Result<T, LedgerError>,
        is_proof: impl FnOnce(&T) -> bool,
    ) -> Result<T, LedgerError> {
        match &result {
            Ok(found) if is_proof(found) => self.recovered(operation),
            // What can't be stored is no outage: everything else is, and whoever asked for it says what follows.
            Ok(_) | Err(LedgerError::Unwritable(_) | LedgerError::Locked(_)) => {}
            Err(LedgerError::Unreadable { id, detail }) => {
                error!(
                    order.id = id,
                    error.message = detail,
                    "the order's record can't be read: nobody works on the order"
                );
            }
            Err(error @ (LedgerError::Unavailable(_) | LedgerError::TimedOut)) => self.failed(operation, error),
        }
        result
    }

    fn report_read<T>(&self, result: Result<T, LedgerError>) -> Result<T, LedgerError> {
        self.report(Operation::Read, result, |_| true)
    }

    const fn outage(&self, operation: Operation) -> &Outage {
        match operation {
            Operation::Read => &self.reads,
            Operation::Write => &self.writes,
        }
    }

    fn failed(&self, operation: Operation, error: &LedgerError) {
        let outage = self.outage(operation);
        let mut since = outage.since.lock().unwrap_or_else(PoisonError::into_inner);
        if since.is_none() {
            *since = Some(self.clock.moment());
            outage.is_out.store(true, Ordering::Release);
            let (kind, now) = (ConditionKind::LedgerUnavailable, self.clock.now());
            self.conditions.raise(kind, operation.name(), &error.reason(), now);
            match operation {
                Operation::Read => error!(
                    ledger.operation = "read", error.message = %error,
                    "the ledger can't be read: orders are neither shown nor sent until it can"
                ),
                Operation::Write => error!(
                    ledger.operation = "write", error.message = %error,
                    "the ledger can't be written: carts are refused and outcomes kept back until it can"
                ),
            }
        }
    }

    fn recovered(&self, operation: Operation) {
        let outage = self.outage(operation);
        if !outage.is_out.load(Ordering::Acquire) {
            return;
        }
        let mut since = outage.since.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(start) = since.take() {
            outage.is_out.store(false, Ordering::Release);
            self.conditions.clear(ConditionKind::LedgerUnavailable, operation.name());
            let duration = self.clock.moment().since(start).as_secs_f64();
            match operation {
                Operation::Read => {
                    info!(ledger.operation = "read", outage.duration = duration, "the ledger can be read again");
                }
                Operation::Write => {
                    info!(ledger.operation = "write", outage.duration = duration, "the ledger can be written again");
                }
            }
        }
    }
}

#[async_trait]
impl Ledger for OutageLog {
    fn sharing(&self) -> Sharing {
        self.ledger.sharing()
    }

    async fn admit(&self, candidate: Candidate, terms: Terms) -> Result<Admission, LedgerError> {
        let id = candidate.id.clone();
        let result = self.ledger.admit(candidate, terms).await;
        if let Err(LedgerError::Unwritable(reason)) = &result {
            error!(order.id = %id, error.message = reason, "the ledger can't store an order: its cart is refused");
        }
        self.report(Operation::Write, result, |admission| {
            matches!(admission, Admission::Started(_) | Admission::Restarted(_))
        })
    }

    async fn store(&self, order: Order) -> Result<Stored, LedgerError> {
        self.report(Operation::Write, self.ledger.store(order).await, |stored| *stored == Stored::Committed)
    }

    async fn find(&self, id: &OrderId) -> Result<Option<Order>, LedgerError> {
        self.report_read(self.ledger.find(id).await)
    }

    async fn settled_since(&self, orders: Vec<(OrderId, u64)>) -> Result<Vec<Order>, LedgerError> {
        self.report_read(self.ledger.settled_since(orders).await)
    }

    async fn list(&self, filter: Filter) -> Result<Vec<Order>, LedgerError> {
        self.report_read(self.ledger.list(filter).await)
    }

    async fn claim(&self, now: Timestamp, limit: usize) -> Result<Vec<Claimed>, LedgerError> {
        let claimed = self.ledger.claim(now, limit).await;
        match self.ledger.sharing() {
            Sharing::Exclusive => self.report_read(claimed),
            // A claim writes leases.
            Sharing::Shared => self.report(Operation::Write, claimed, |orders| !orders.is_empty()),
        }
    }

    async fn release(&self) -> Result<(), LedgerError> {
        // Reported by the stop that asks for it.
        self.ledger.release().await
    }

    async fn check(&self) -> Result<(), LedgerError> {
        // Answered by the probe that asks for it; it is no operation on an order.
        self.ledger.check().await
    }

    async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, LedgerError> {
        self.report_read(self.ledger.next_due(now).await)
    }

    async fn due_after(&self, time: Timestamp, limit: usize) -> Result<Vec<Claimed>, LedgerError> {
        self.report_read(self.ledger.due_after(time, limit).await)
    }

    async fn census(&self, overdue_since: Timestamp) -> Result<Census, LedgerError> {
        self.report_read(self.ledger.census(overdue_since).await)
    }

    fn statistics(&self) -> Arc<LedgerStatistics> {
        self.ledger.statistics()
    }

    async fn purge(&self, now: Timestamp, retention: Duration) -> Result<usize, LedgerError> {
        self.report(Operation::Write, self.ledger.purge(now, retention).await, |removed| *removed > 0)
    }
}

#[cfg(test)]
mod tests {
    use tracing::subscriber::DefaultGuard;

    use super::*;
    use crate::clock::ManualClock;
    use crate::condition::Condition;
    use crate::log_lines::LogLines;
    use crate::order::{PropagatedHeaders, Requester, admit};

    /// A ledger whose reads and writes fail on demand.
    #[derive(Debug, Default)]
    struct FlakyLedger {
        fails: AtomicBool,
    }

    #[async_trait]
    impl Ledger for FlakyLedger {
        fn sharing(&self) -> Sharing {
            Sharing::Exclusive
        }

        /// A resend of a known cart is answered even if nothing can be written.
        async fn admit(&self, candidate: Candidate, terms: Terms) -> Result<Admission, LedgerError> {
            match (candidate.id.as_str(), self.fails.load(Ordering::Relaxed)) {
                ("known", _) => {
                    let Admission::Started(order) = admit(None, candidate, terms) else { panic!("not new") };
                    Ok(Admission::Joined(order))
                }
                (_, true) => Err(LedgerError::Unavailable("disk full".to_owned())),
                (_, false) => Ok(admit(None, candidate, terms)),
            }
        }

        async fn store(&self, _: Order) -> Result<Stored, LedgerError> {
            Ok(Stored::Superseded)
        }

        async fn find(&self, id: &OrderId) -> Result<Option<Order>, LedgerError> {
            match (id.as_str(), self.fails.load(Ordering::Relaxed)) {
                ("broken", _) => Err(LedgerError::Unreadable { id: id.to_string(), detail: "no JSON".to_owned() }),
                (_, true) => Err(LedgerError::Unavailable("database is locked".to_owned())),
                (_, false) => Ok(None),
            }
        }

        async fn list(&self, _: Filter) -> Result<Vec<Order>, LedgerError> {
            Ok(Vec::new())
        }

        async fn claim(&self, _: Timestamp, _: usize) -> Result<Vec<Claimed>, LedgerError> {
            Ok(Vec::new())
        }

        async fn release(&self) -> Result<(), LedgerError> {
            Ok(())
        }

        async fn check(&self) -> Result<(), LedgerError> {
            Ok(())
        }

        async fn next_due(&self, _: Timestamp) -> Result<Option<Timestamp>, LedgerError> {
            Ok(None)
        }

        async fn due_after(&self, _: Timestamp, _: usize) -> Result<Vec<Claimed>, LedgerError> {
            Ok(Vec::new())
        }

        async fn purge(&self, _: Timestamp, _: Duration) -> Result<usize, LedgerError> {
            Ok(0)
        }
    }

    /// A flaky ledger with its outage log, and what was logged.
    struct Stage {
        flaky: Arc<FlakyLedger>,
        clock: Arc<ManualClock>,
        ledger: OutageLog,
        conditions: Conditions,
        lines: LogLines,
        _subscriber: DefaultGuard,
    }

    impl Stage {
        fn new() -> Self {
            let lines = LogLines::default();
            let subscriber = lines.subscriber();
            let (flaky, clock) = (Arc::new(FlakyLedger::default()), Arc::new(ManualClock::default()));
            let conditions = Conditions::default();
            let ledger = OutageLog::new(
                Arc::clone(&flaky) as Arc<dyn Ledger>,
                Arc::clone(&clock) as Arc<dyn Clock>,
                conditions.clone(),
            );
            Self { flaky, clock, ledger, conditions, lines, _subscriber: tracing::subscriber::set_default(subscriber) }
        }

        fn fail(&self, fails: bool) {
            self.flaky.fails.store(fails, Ordering::Relaxed);
        }

        async fn admit(&self, id: &str) -> Result<Admission, LedgerError> {
            let candidate = Candidate {
                id: OrderId::of(id),
                cart_number: String::new(),
                fingerprint: String::new(),
                body: String::new(),
                mapping_version: String::new(),
                warnings: Vec::new(),
                propagated_headers: PropagatedHeaders::default(),
                requester: Requester::default(),
                cart: None,
            };
            self.ledger.admit(candidate, Terms::new(self.clock.now(), Duration::ZERO)).await
        }

        fn failing(&self) -> Vec<String> {
            let line = |one: Condition| format!("{}: {}", one.subject, one.detail);
            self.conditions.current().into_iter().map(line).collect()
        }

        /// The last two lines, which begin and end outage number `count`.
        fn assert_outages(&self, count: usize, cause: &str) {
            let lines = self.lines.all();
            assert_eq!(lines.len(), 2 * count, "{lines:#?}");
            let (first, last) = (&lines[2 * count - 2], &lines[2 * count - 1]);
            assert!(first.contains("ERROR") && first.contains(cause), "{first}");
            assert!(last.contains("INFO") && last.contains("outage.duration=7.0"), "{last}");
            assert_eq!(self.conditions.current(), []);
        }
    }

    #[tokio::test]
    async fn an_outage_of_reads_is_one_error_and_one_line_when_it_is_over() {
        let stage = Stage::new();
        let id = OrderId::of("1");
        for outage in 1..=2 {
            stage.fail(true);
            for _ in 0..100 {
                stage.ledger.find(&id).await.unwrap_err();
                // Other operations go well meanwhile: they are no recovery of reads.
                stage.ledger.purge(stage.clock.now(), Duration::ZERO).await.unwrap();
                stage.ledger.check().await.unwrap();
            }
            assert_eq!(stage.failing(), ["read: database is locked"]);
            stage.clock.advance(Duration::from_secs(7));
            stage.fail(false);
            for _ in 0..100 {
                stage.ledger.find(&id).await.unwrap();
            }
            stage.assert_outages(outage, "database is locked");
        }
        stage.ledger.find(&OrderId::of("broken")).await.unwrap_err();
        stage.ledger.find(&id).await.unwrap();
        let lines = stage.lines.all();
        assert!(
            lines.len() == 5 && lines[4].contains("order.id=\"broken\""),
            "an unreadable record is no outage: {lines:#?}"
        );
    }

    #[tokio::test]
    async fn an_outage_of_writes_ends_only_when_something_was_written() {
        let stage = Stage::new();
        for outage in 1..=2 {
            stage.fail(true);
            for _ in 0..100 {
                stage.admit("new").await.unwrap_err();
                // Nothing is written for a resend, a superseded outcome, a claim, or a purge without old orders.
                let Admission::Joined(order) = stage.admit("known").await.unwrap() else { panic!("no resend") };
                assert_eq!(stage.ledger.store(order).await.unwrap(), Stored::Superseded);
                stage.ledger.claim(stage.clock.now(), 1).await.unwrap();
                stage.ledger.purge(stage.clock.now(), Duration::ZERO).await.unwrap();
            }
            assert_eq!(stage.failing(), ["write: disk full"]);
            stage.clock.advance(Duration::from_secs(7));
            stage.fail(false);
            stage.admit("new").await.unwrap();
            stage.admit("new").await.unwrap();
            stage.assert_outages(outage, "disk full");
        }
    }
}
