//! The tasks that tell others what needs a person, and what they share.

use std::sync::Arc;

use crate::clock::Clock;
use crate::condition::Conditions;
use crate::config::Alerts;
use crate::deliveries::{ChannelLoop, DeliveryObserver, IncidentWatch, MemoryOutbox, Outlet, channels, outlets, tidy};
use crate::ledger::outbox::{Outbox, Recipients};
use crate::outbound::OutboundError;

/// A task that runs until the service drains.
pub type Task = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

/// The channels of alerts, and who hears of changes of orders.
#[derive(Debug)]
pub struct Alerting {
    settings: Alerts,
    /// For the ledger.
    pub recipients: Recipients,
    outlets: Vec<Arc<dyn Outlet>>,
    observer: Arc<dyn DeliveryObserver>,
}

impl Alerting {
    /// Builds the channels; nobody is connected to yet.
    ///
    /// # Errors
    /// If `alerts.ca` can't be used.
    pub fn try_new(
        settings: Alerts,
        clock: &Arc<dyn Clock>,
        observer: Arc<dyn DeliveryObserver>,
    ) -> Result<Self, OutboundError> {
        let recipients = Recipients { alerts: channels(&settings), ..Recipients::default() };
        let outlets = outlets(&settings, clock)?;
        Ok(Self { settings, recipients, outlets, observer })
    }

    /// The tasks: one for each channel, so that none waits for another; the watch over conditions; the bounds of the outbox.
    pub fn tasks(self, outbox: &Arc<dyn Outbox>, conditions: &Conditions, clock: &Arc<dyn Clock>) -> Vec<Task> {
        let memory = Arc::new(MemoryOutbox::default());
        let has_channels = !self.outlets.is_empty();
        let mut tasks: Vec<Task> = Vec::new();
        for outlet in self.outlets {
            let bell = self.recipients.bell.subscribe();
            let (outbox, memory, clock) = (Arc::clone(outbox), Arc::clone(&memory), Arc::clone(clock));
            let deliveries = ChannelLoop::new(outlet, outbox, memory, clock, bell, Arc::clone(&self.observer));
            tasks.push(Box::pin(deliveries.run()));
        }
        if has_channels {
            let (outbox, clock, conditions) = (Arc::clone(outbox), Arc::clone(clock), conditions.clone());
            let cool_down = self.settings.cool_down;
            let watch = IncidentWatch::new(conditions, outbox, memory, self.recipients, clock, cool_down);
            tasks.push(Box::pin(watch.run()));
        }
        // Also without channels: those of earlier settings may have left messages behind.
        tasks.push(Box::pin(tidy(Arc::clone(outbox), Arc::clone(clock), self.observer)));
        tasks
    }
}
