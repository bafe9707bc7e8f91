//! The removal of settled orders after `ledger.retention`.

use std::sync::Arc;
use std::time::Duration;

use tracing::{debug, info};

use crate::clock::Clock;
use crate::ledger::Ledger;

/// Retention is counted in days: an hour more makes no difference, and a purge stays small.
const PURGE_INTERVAL: Duration = Duration::from_hours(1);

/// Removes settled orders that are older than `retention`, now and every hour, until it is dropped.
pub async fn purge_old_orders(ledger: Arc<dyn Ledger>, clock: Arc<dyn Clock>, retention: Duration) {
    loop {
        match ledger.purge(clock.now(), retention).await {
            Ok(0) => {}
            Ok(removed) => {
                info!(ledger.orders_removed = removed, "settled orders older than ledger.retention were removed");
            }
            // The ledger itself reports its outages.
            Err(error) => debug!(
                error.message = %error,
                "settled orders older than ledger.retention can't be removed; the next try is in an hour"
            ),
        }
        clock.sleep(PURGE_INTERVAL).await;
    }
}
