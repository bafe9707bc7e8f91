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
