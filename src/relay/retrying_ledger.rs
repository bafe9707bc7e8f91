//! Reads and writes that are tried until the ledger takes them. The ledger itself reports its outages.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::observer::{Event, LedgerQuestion, Observers};
use crate::clock::Clock;
use crate::ledger::{Ledger, LedgerError, Stored};
use crate::order::{Order, OrderId};

/// Pause after a failed read or write: short for a caller that waits, long for a storage that has to recover.
pub const LEDGER_RETRY_DELAY: Duration = Duration::from_secs(1);

/// The end of a write.
#[derive(Debug)]
pub enum Write {
    /// The ledger has taken it, or has a later revision.
    Done(Stored),
    /// The ledger can't hold it, whatever its own state is.
    Refused(String),
    /// It was given up.
    GivenUp,
}

/// The end of a read.
#[derive(Debug)]
pub enum Read {
    /// The order.
    Found(Box<Order>),
    /// There is no such order, as far as this read shows.
    Absent,
    /// Its record can't be read.
    Unreadable,
    /// It was given up.
    GivenUp,
}

/// A ledger whose failures are waited out.
#[derive(Debug)]
pub struct RetryingLedger {
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
    observers: Observers,
}

impl RetryingLedger {
    /// Wraps a ledger.
    pub fn new(ledger: Arc<dyn Ledger>, clock: Arc<dyn Clock>, observers: Observers) -> Self {
        Self { ledger, clock, observers }
    }

    /// Stores an order until the ledger takes it, or `give_up`. A write that failed may have been made all the same;
    /// the same write again does no harm.
    pub async fn store(&self, order: &Order, give_up: &CancellationToken) -> Write {
        loop {
            match self.ledger.store(order.clone()).await {
                Ok(stored) => return Write::Done(stored),
                Err(LedgerError::Unwritable(reason)) => return Write::Refused(reason),
                Err(error) => self.awaits(LedgerQuestion::Store(order), &error),
            }
            if self.pause(give_up).await.is_none() {
                return Write::GivenUp;
            }
        }
    }

    /// Reads an order until the ledger can be read, or `give_up`.
    pub async fn read(&self, id: &OrderId, give_up: &CancellationToken) -> Read {
        loop {
            match self.ledger.find(id).await {
                Ok(order) => return order.map_or(Read::Absent, |order| Read::Found(Box::new(order))),
                Err(LedgerError::Unreadable { .. }) => return Read::Unreadable,
                Err(error) => self.awaits(LedgerQuestion::Read(id), &error),
            }
            if self.pause(give_up).await.is_none() {
                return Read::GivenUp;
            }
        }
    }

    fn awaits(&self, question: LedgerQuestion<'_>, error: &LedgerError) {
        self.observers.report(Event::LedgerAwaited { question, error });
    }

    /// Waits before the next try; `None` on `give_up`.
    pub async fn pause(&self, give_up: &CancellationToken) -> Option<()> {
        tokio::select! {
            biased;
            () = give_up.cancelled() => None,
            () = self.clock.sleep(LEDGER_RETRY_DELAY) => Some(()),
        }
    }
}
