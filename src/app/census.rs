//! The count of open orders, compared with the ledger now and then. In a task of its own, so that it goes on when the relay
//! is stuck.

use std::sync::Arc;
use std::time::Duration;

use tracing::debug;

use crate::clock::Clock;
use crate::ledger::{Ledger, Sharing};

/// Between two counts: a scraper comes every 15 to 60 seconds.
const INTERVAL: Duration = Duration::from_secs(5);

/// A count may take a hundredth of the time: one of a million open orders takes a second.
const PAUSE_FACTOR: u32 = 100;

/// A retry is late by so much before it counts as overdue: sweeps come every five seconds, and each order waits its turn.
const OVERDUE_AFTER: Duration = Duration::from_secs(30);

/// Counts the open orders every five seconds, or less often if that takes long, until it is dropped.
pub async fn count_open_orders(ledger: Arc<dyn Ledger>, clock: Arc<dyn Clock>) {
    let statistics = ledger.statistics();
    loop {
        let began_at = clock.moment();
        let version = statistics.open_orders.version();
        let overdue_since = clock.now().checked_sub(OVERDUE_AFTER).unwrap_or_default();
        match ledger.census(overdue_since).await {
            Ok(census) => match ledger.sharing() {
                Sharing::Exclusive => statistics.open_orders.compare(census, version),
                // Of what replicas change, each knows its own part alone.
                Sharing::Shared => statistics.open_orders.replace(census),
            },
            // The ledger reports its outages itself. The numbers stay, and the age of the oldest order grows.
            Err(error) => debug!(error.message = %error, "open orders can't be counted; the count is repeated"),
        }
        let took = clock.moment().since(began_at);
        clock.sleep(INTERVAL.max(took.saturating_mul(PAUSE_FACTOR))).await;
    }
}
