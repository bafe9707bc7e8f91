//! Reads and writes that are tried until the ledger takes them. The ledger itself reports its outages.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::Relay;
use crate::ledger::{LedgerError, Stored};
use crate::order::{Order, OrderId};

/// Pause after a failed read or write: short for a caller that waits, long for a storage that has to recover.
pub const LEDGER_RETRY_DELAY: Duration = Duration::from_secs(1);

impl Relay {
    /// Stores an order until the ledger takes it, or `give_up`. A write that failed may have been made all the same;
    /// the same write again does no harm.
    pub(super) async fn store(&self, order: &Order, give_up: &CancellationToken) -> Option<Stored> {
        loop {
            match self.dependencies.ledger.store(order.clone()).await {
                Ok(stored) => return Some(stored),
                Err(error) => debug!(
                    order.id = %order.id, order.state = order.state.name(), error.message = %error,
                    "the order can't be stored yet; the write is tried again"
                ),
            }
            self.pause(give_up).await?;
        }
    }

    /// Reads an order until the ledger can be read; `None` if there is no such order, its record can't be read, or the
    /// service stops.
    pub(super) async fn read(&self, id: &OrderId) -> Option<Order> {
        loop {
            match self.dependencies.ledger.find(id).await {
                Ok(order) => return order,
                Err(LedgerError::Unreadable { .. }) => return None,
                Err(error) => debug!(
                    order.id = %id, error.message = %error,
                    "the order can't be read yet; the read is tried again"
                ),
            }
            self.pause(&self.stopping).await?;
        }
    }

    /// Waits before the next try; `None` on `give_up`.
    pub(super) async fn pause(&self, give_up: &CancellationToken) -> Option<()> {
        tokio::select! {
            biased;
            () = give_up.cancelled() => None,
            () = self.dependencies.clock.sleep(LEDGER_RETRY_DELAY) => Some(()),
        }
    }
}
