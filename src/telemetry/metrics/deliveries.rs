//! What is counted of the deliveries from the outbox.

use crate::metric::{Counter, Family, Gauge};

/// The deliveries of all channels. A channel has a fixed name, as `smtp`.
#[derive(Debug, Default)]
pub struct DeliveryMetrics {
    pending: Family<&'static str, Gauge>,
    tries: Family<(&'static str, &'static str), Counter>,
}

impl DeliveryMetrics {
    /// Sets how many messages of a channel wait.
    pub fn set_pending(&self, channel: &'static str, messages: usize) {
        self.pending.get(&channel).set(i64::try_from(messages).unwrap_or(i64::MAX));
    }

    /// Counts a try, by a result that is one of few, as `delivered`.
    pub fn count(&self, channel: &'static str, result: &'static str) {
        self.tries.get(&(channel, result)).increment();
    }

    /// Every channel with the number of messages that wait.
    pub fn pending(&self) -> Vec<(&'static str, i64)> {
        self.pending.all().into_iter().map(|(channel, messages)| (channel, messages.get())).collect()
    }

    /// Every channel and result with the number of tries.
    pub fn tries(&self) -> Vec<([&'static str; 2], u64)> {
        self.tries.all().into_iter().map(|((channel, result), tries)| ([channel, result], tries.get())).collect()
    }
}
