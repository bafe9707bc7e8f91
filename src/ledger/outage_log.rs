//! A ledger that reports its own outages: one line when it fails, and one when it works again, however many callers are
//! affected.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tracing::{error, info};

use super::{Claimed, Filter, Ledger, LedgerError, Sharing, Stored};
use crate::clock::{Clock, between};
use crate::order::{Admission, Candidate, Order, OrderId};

/// A ledger and the log of its outages. Reads and writes have outages of their own: a full disk stops writes alone.
#[derive(Debug)]
pub struct OutageLog {
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
    reads: Outage,
    writes: Outage,
}

/// The outage of one kind of operation, if there is one.
#[derive(Debug, Default)]
struct Outage {
    /// So that operations that go well take no lock.
    is_out: AtomicBool,
    since: Mutex<Option<Timestamp>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Read,
    Write,
}

impl OutageLog {
    /// Wraps a ledger.
    pub fn new(ledger: Arc<dyn Ledger>, clock: Arc<dyn Clock>) -> Self {
        Self { ledger, clock, reads: Outage::default(), writes: Outage::default() }
    }

    fn report<T>(&self, operation: Operation, result: Result<T, LedgerError>) -> Result<T, LedgerError> {
        match &result {
            Ok(_) => self.recovered(operation),
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
            *since = Some(self.clock.now());
            outage.is_out.store(true, Ordering::Release);
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
            let duration = between(start, self.clock.now()).as_secs_f64();
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

    async fn admit(&self, candidate: Candidate, now: Timestamp, grace: Duration) -> Result<Admission, LedgerError> {
        self.report(Operation::Write, self.ledger.admit(candidate, now, grace).await)
    }

    async fn store(&self, order: Order) -> Result<Stored, LedgerError> {
        self.report(Operation::Write, self.ledger.store(order).await)
    }

    async fn find(&self, id: &OrderId) -> Result<Option<Order>, LedgerError> {
        self.report(Operation::Read, self.ledger.find(id).await)
    }

    async fn settled_since(&self, orders: Vec<(OrderId, u64)>) -> Result<Vec<Order>, LedgerError> {
        self.report(Operation::Read, self.ledger.settled_since(orders).await)
    }

    async fn list(&self, filter: Filter) -> Result<Vec<Order>, LedgerError> {
        self.report(Operation::Read, self.ledger.list(filter).await)
    }

    async fn claim(&self, now: Timestamp, limit: usize) -> Result<Vec<Claimed>, LedgerError> {
        self.report(Operation::Read, self.ledger.claim(now, limit).await)
    }

    async fn release(&self) -> Result<(), LedgerError> {
        // Reported by the stop that asks for it.
        self.ledger.release().await
    }

    async fn check(&self) -> Result<(), LedgerError> {
        self.report(Operation::Read, self.ledger.check().await)
    }

    async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, LedgerError> {
        self.report(Operation::Read, self.ledger.next_due(now).await)
    }

    async fn purge(&self, now: Timestamp, retention: Duration) -> Result<usize, LedgerError> {
        self.report(Operation::Write, self.ledger.purge(now, retention).await)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use tracing_subscriber::fmt::MakeWriter;

    use super::*;
    use crate::clock::ManualClock;

    /// A ledger whose reads fail on demand.
    #[derive(Debug, Default)]
    struct FlakyLedger {
        fails: AtomicBool,
    }

    #[async_trait]
    impl Ledger for FlakyLedger {
        fn sharing(&self) -> Sharing {
            Sharing::Exclusive
        }

        async fn admit(&self, _: Candidate, _: Timestamp, _: Duration) -> Result<Admission, LedgerError> {
            Err(LedgerError::Unavailable("disk full".to_owned()))
        }

        async fn store(&self, _: Order) -> Result<Stored, LedgerError> {
            Ok(Stored::Committed)
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

        async fn purge(&self, _: Timestamp, _: Duration) -> Result<usize, LedgerError> {
            Ok(0)
        }
    }

    /// The log of a test, line by line.
    #[derive(Clone, Default)]
    struct Captured(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Captured {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    impl Captured {
        fn lines(&self) -> Vec<String> {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap().lines().map(str::to_owned).collect()
        }
    }

    #[tokio::test]
    async fn an_outage_is_one_error_and_one_line_when_it_is_over() {
        let captured = Captured::default();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(captured.clone()).finish();
        let _default = tracing::subscriber::set_default(subscriber);
        let (flaky, clock) = (Arc::new(FlakyLedger::default()), Arc::new(ManualClock::default()));
        let ledger = OutageLog::new(Arc::clone(&flaky) as Arc<dyn Ledger>, Arc::clone(&clock) as Arc<dyn Clock>);
        let id = OrderId::of("1");
        for outage in 1..=2 {
            flaky.fails.store(true, Ordering::Relaxed);
            for _ in 0..100 {
                ledger.find(&id).await.unwrap_err();
                // Writes go well meanwhile: they are no recovery of reads.
                ledger.purge(clock.now(), Duration::ZERO).await.unwrap();
            }
            clock.advance(Duration::from_secs(7));
            flaky.fails.store(false, Ordering::Relaxed);
            for _ in 0..100 {
                ledger.find(&id).await.unwrap();
            }
            let lines = captured.lines();
            assert_eq!(lines.len(), 2 * outage, "{lines:#?}");
            assert!(lines[2 * outage - 2].contains("ERROR") && lines[2 * outage - 2].contains("database is locked"));
            assert!(lines[2 * outage - 1].contains("INFO") && lines[2 * outage - 1].contains("outage.duration=7.0"));
        }
        ledger.find(&OrderId::of("broken")).await.unwrap_err();
        ledger.find(&id).await.unwrap();
        let lines = captured.lines();
        assert!(
            lines.len() == 5 && lines[4].contains("order.id=\"broken\""),
            "an unreadable record is no outage: {lines:#?}"
        );
    }
}
