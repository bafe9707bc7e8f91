//! The removal of settled orders after `ledger.retention`.

use std::sync::Arc;
use std::time::Duration;

use tracing::{debug, info};

use crate::clock::{Clock, after};
use crate::ledger::Ledger;

/// Retention is counted in days: an hour more makes no difference, and a purge stays small.
const PURGE_INTERVAL: Duration = Duration::from_hours(1);

/// Time before the first purge: the clock of a machine that has just started may be years ahead until it is set.
const FIRST_PURGE: Duration = Duration::from_mins(5);

/// Removes settled orders that are older than `retention`, after five minutes and then every hour, until it is dropped.
///
/// A wall clock that is ahead for a moment removes nothing early: a removed order could be ordered again. So the time is
/// the earlier one of the wall clock's and of what it would be if it had not stepped since the start.
pub async fn purge_old_orders(ledger: Arc<dyn Ledger>, clock: Arc<dyn Clock>, retention: Duration) {
    let (start, started_at) = (clock.now(), clock.moment());
    clock.sleep(FIRST_PURGE).await;
    loop {
        let without_steps = after(start, clock.moment().since(started_at));
        match ledger.purge(clock.now().min(without_steps), retention).await {
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
