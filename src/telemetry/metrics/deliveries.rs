//! What is counted of the deliveries from the outbox.

use crate::deliveries::{DeliveryObserver, DeliveryResult};
use crate::ledger::outbox::Channel;
use crate::metric::{Counter, Family, Gauge};

/// The deliveries of all channels. A channel has a fixed name, as `smtp`.
#[derive(Debug, Default)]
pub struct DeliveryMetrics {
    pending: Family<&'static str, Gauge>,
    tries: Family<(&'static str, &'static str), Counter>,
}

impl DeliveryMetrics {
    /// Every channel with the number of messages that wait.
    pub fn pending(&self) -> Vec<(&'static str, i64)> {
        self.pending.all().into_iter().map(|(channel, messages)| (channel, messages.get())).collect()
    }

    /// Every channel and result with the number of tries.
    pub fn tries(&self) -> Vec<([&'static str; 2], u64)> {
        self.tries.all().into_iter().map(|((channel, result), tries)| ([channel, result], tries.get())).collect()
    }
}

impl DeliveryObserver for DeliveryMetrics {
    fn concluded(&self, channel: Channel, result: DeliveryResult, count: u64) {
        self.tries.get(&(channel.name(), result.name())).add(count);
    }

    fn pending(&self, channel: Channel, count: u64) {
        self.pending.get(&channel.name()).set(i64::try_from(count).unwrap_or(i64::MAX));
    }
}
