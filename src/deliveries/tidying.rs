//! The bounds of the outbox: how many messages wait for a channel, and for how long.

use std::sync::Arc;
use std::time::Duration;

use tracing::error;

use super::outlet::{DeliveryObserver, DeliveryResult};
use crate::clock::Clock;
use crate::ledger::outbox::{Channel, Outbox, OutboxWrite, OutboxWritten};

/// Between two looks.
const INTERVAL: Duration = Duration::from_mins(1);

/// Messages that may wait for a channel: those of an outage in which every order is parked, more than any person reads; and
/// some ten megabytes.
const MAX_PENDING: usize = 10_000;

/// A message that is older waits for a channel that no replica has any more: one that is delivered is given up after a day.
const MAX_AGE: Duration = Duration::from_hours(48);

/// Removes what is too much or too old, and counts what waits, until the task ends. The oldest go first: the newest say how
/// it is now.
pub async fn tidy(outbox: Arc<dyn Outbox>, clock: Arc<dyn Clock>, observer: Arc<dyn DeliveryObserver>) {
    loop {
        // A ledger that fails has reported it itself; the next turn tries again.
        let before = clock.now().checked_sub(MAX_AGE).unwrap_or_default();
        if let Ok(OutboxWritten::Removed(removed)) = outbox.write(OutboxWrite::Tidy(MAX_PENDING, before)).await {
            for (channel, count) in removed {
                report(&channel, count, observer.as_ref());
            }
        }
        if let Ok(pending) = outbox.pending().await {
            for channel in Channel::ALL {
                let count = pending.iter().find(|(name, _)| name == channel.name()).map_or(0, |(_, count)| *count);
                observer.pending(channel, count);
            }
        }
        clock.sleep(INTERVAL).await;
    }
}

fn report(channel: &str, count: u64, observer: &dyn DeliveryObserver) {
    if let Some(channel) = Channel::ALL.into_iter().find(|known| known.name() == channel) {
        observer.concluded(channel, DeliveryResult::Dropped, count);
    }
    error!(
        delivery.channel = channel,
        delivery.count = count,
        "alerts were dropped: too many wait for their channel, or for too long; the newest stay"
    );
}
