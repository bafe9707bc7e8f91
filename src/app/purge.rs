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

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::clock::ManualClock;
    use crate::ledger::sqlite::SqliteLedger;
    use crate::order::{Admission, Candidate, OrderId, PropagatedHeaders, Requester, Resolution, Terms};

    const RETENTION: Duration = Duration::from_hours(24);

    async fn with_settled_order(ledger: &dyn Ledger, clock: &ManualClock) {
        let candidate = Candidate {
            id: OrderId::of("1"),
            cart_number: "1".into(),
            fingerprint: "f".into(),
            body: "{}".into(),
            mapping_version: "v".into(),
            warnings: Vec::new(),
            propagated_headers: PropagatedHeaders::default(),
            requester: Requester::default(),
            cart: None,
        };
        let Ok(Admission::Started(order)) = ledger.admit(candidate, Terms::new(clock.now(), Duration::ZERO)).await
        else {
            panic!()
        };
        let settled = order.resolve(&Resolution::Cancelled("not needed".into()), "me", clock.now());
        ledger.store(settled.order().clone()).await.unwrap();
    }

    /// Lets minutes pass. After each, what the purge has asked for is done: writes are made in the order in which they come.
    async fn pass(ledger: &dyn Ledger, clock: &ManualClock, minutes: u64) {
        for _ in 0..minutes {
            clock.advance(Duration::from_mins(1));
            tokio::task::yield_now().await;
            assert_eq!(ledger.purge(Timestamp::MIN, Duration::ZERO).await.unwrap(), 0);
        }
    }

    #[tokio::test]
    async fn a_clock_that_steps_has_nothing_removed_before_its_retention_has_passed() {
        let years = SignedDuration::from_hours(24 * 365 * 3);
        // When it steps (in minutes from the start), by what, and after how many minutes it is right again.
        for (at, step, back_after) in
            [(0, years, 1), (3, years, 4), (3, years, 600), (3, years, 1_200), (70, years, 1), (3, -years, 600)]
        {
            let folder = tempfile::tempdir().unwrap();
            let clock = Arc::new(ManualClock::default());
            let ledger: Arc<dyn Ledger> = Arc::new(SqliteLedger::open(&folder.path().join("orders.db")).unwrap());
            with_settled_order(&*ledger, &clock).await;
            let purge = purge_old_orders(Arc::clone(&ledger), Arc::clone(&clock) as Arc<dyn Clock>, RETENTION);
            let purge = tokio::spawn(purge);
            tokio::task::yield_now().await;
            pass(&*ledger, &clock, at).await;
            clock.step(step);
            pass(&*ledger, &clock, back_after).await;
            clock.step(-step);
            pass(&*ledger, &clock, 24 * 60 - at - back_after).await;
            let case = format!("a step of {step:?} after {at} min, for {back_after} min");
            assert!(ledger.find(&OrderId::of("1")).await.unwrap().is_some(), "{case}: not before");
            pass(&*ledger, &clock, 70).await;
            assert!(ledger.find(&OrderId::of("1")).await.unwrap().is_none(), "{case}: removed in the end");
            purge.abort();
        }
    }
}
