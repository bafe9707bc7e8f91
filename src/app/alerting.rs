//! The tasks that tell others what needs a person, and what they share.

use std::sync::Arc;

use tokio_util::task::TaskTracker;

use crate::api::ApiState;
use crate::clock::Clock;
use crate::config::Alerts;
use crate::deliveries::{
    ChannelLoop, DeliveryObserver, IncidentWatch, Outboxes, Outlet, WatchedValue, channels, outlets, tidy,
    watch_changes,
};
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

    /// The tasks: one for each channel, so that none waits for another; the watch over conditions and changes; the bounds of
    /// the outbox. Their questions to the ledger are `questions`, which may outlive them.
    pub fn tasks(self, outbox: &Arc<dyn Outbox>, api: &Arc<ApiState>, questions: &TaskTracker) -> Vec<Task> {
        let (conditions, clock) = (&api.conditions, &api.clock);
        let (memory, questions) = (Arc::default(), questions.clone());
        let outboxes = Outboxes { ledger: Arc::clone(outbox), memory, questions };
        let has_channels = !self.outlets.is_empty();
        let mut tasks: Vec<Task> = Vec::new();
        for outlet in self.outlets {
            let bell = self.recipients.bell.subscribe();
            let (outboxes, clock) = (outboxes.clone(), Arc::clone(clock));
            let deliveries = ChannelLoop::new(outlet, outboxes, clock, bell, Arc::clone(&self.observer));
            tasks.push(Box::pin(deliveries.run()));
        }
        if has_channels {
            let (outbox, clock, recipients) = (Arc::clone(outbox), Arc::clone(clock), self.recipients.clone());
            tasks.push(Box::pin(watch_changes(watched_values(api), outbox, recipients, clock)));
        }
        if has_channels {
            let (clock, conditions) = (Arc::clone(clock), conditions.clone());
            let cool_down = self.settings.cool_down;
            let watch = IncidentWatch::new(conditions, outboxes, self.recipients, clock, cool_down);
            tasks.push(Box::pin(watch.run()));
        }
        // Also without channels: those of earlier settings may have left messages behind.
        tasks.push(Box::pin(tidy(Arc::clone(outbox), Arc::clone(clock), self.observer)));
        tasks
    }
}

/// What explains an incident that comes after it.
fn watched_values(api: &Arc<ApiState>) -> Vec<WatchedValue> {
    let (of_mapping, of_keys) = (Arc::clone(api), Arc::clone(api));
    vec![
        WatchedValue {
            name: "mapping-exchanged",
            read: Box::new(move || Some(of_mapping.mapping.state().version)),
            summary: |before, now| format!("A changed mapping is in use: version {now}, before it {before}"),
        },
        WatchedValue {
            name: "issuer-keys-changed",
            read: Box::new(move || {
                Some(of_keys.tokens.keys_generation()).filter(|one| *one > 0).map(|one| one.to_string())
            }),
            summary: |_, _| "The keys of the issuer of callers' tokens have changed".to_owned(),
        },
    ]
}
