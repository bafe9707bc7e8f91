//! What a channel is to the loop that serves it, and who counts the deliveries.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use crate::ledger::outbox::{Channel, Message};

/// How a delivery ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The receiver has it.
    Delivered,
    /// The receiver will not take this message, however often it is sent.
    Refused {
        /// Why, for operators; without secrets.
        detail: String,
    },
    /// It may succeed later.
    Failed {
        /// Why, for operators; without secrets.
        detail: String,
        /// How long the receiver wants to be left alone.
        retry_after: Option<Duration>,
    },
}

impl Delivery {
    /// A failure that says nothing about when to try again.
    pub fn failed(detail: impl Into<String>) -> Self {
        Self::Failed { detail: detail.into(), retry_after: None }
    }

    /// A refusal.
    pub fn refused(detail: impl Into<String>) -> Self {
        Self::Refused { detail: detail.into() }
    }
}

/// A receiver of messages. A delivery takes less than [`crate::ledger::outbox::CLAIM`].
#[async_trait]
pub trait Outlet: Debug + Send + Sync + 'static {
    /// Whose messages it delivers.
    fn channel(&self) -> Channel;
    /// Delivers a message, once. It may have arrived though it failed.
    async fn deliver(&self, message: &Message) -> Delivery;
}

/// The result of a delivery, as a metric counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeliveryResult {
    /// The receiver has it.
    Delivered,
    /// It is tried again.
    Failed,
    /// It is given up.
    Dropped,
}

impl DeliveryResult {
    /// The result's name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }
}

/// Counts deliveries.
pub trait DeliveryObserver: Debug + Send + Sync + 'static {
    /// Messages of a channel ended so.
    fn concluded(&self, channel: Channel, result: DeliveryResult, count: u64);
    /// So many messages of a channel wait.
    fn pending(&self, channel: Channel, count: u64);
}

/// Counts nothing.
impl DeliveryObserver for () {
    fn concluded(&self, _: Channel, _: DeliveryResult, _: u64) {}
    fn pending(&self, _: Channel, _: u64) {}
}
