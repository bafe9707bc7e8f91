//! The channels that the settings name.

use std::sync::Arc;

use super::alert::{ConditionEvent, Context, TEST};
use super::alerts::pagerduty::PagerDuty;
use super::alerts::sap_alert_notification::SapAlertNotification;
use super::alerts::smtp::Smtp;
use super::alerts::webhook::Webhook;
use super::http;
use super::outlet::Outlet;
use crate::clock::Clock;
use crate::config::Alerts;
use crate::ledger::outbox::{Channel, Kind, Message, Phase, message_id};
use crate::outbound::OutboundError;

/// The channels that the settings name.
pub fn channels(settings: &Alerts) -> Vec<Channel> {
    [
        settings.sap_alert_notification.as_ref().map(|_| Channel::SapAlertNotification),
        settings.pagerduty.as_ref().map(|_| Channel::PagerDuty),
        settings.smtp.as_ref().map(|_| Channel::Smtp),
        settings.webhook.as_ref().map(|_| Channel::Webhook),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// An outlet for each of them; nobody is connected to yet.
///
/// # Errors
/// If `alerts.ca` can't be used.
pub fn outlets(settings: &Alerts, clock: &Arc<dyn Clock>) -> Result<Vec<Arc<dyn Outlet>>, OutboundError> {
    let context = Context { source: settings.source.clone(), runbook_url: settings.runbook_url.clone() };
    // Of each its own connections: one that is stuck concerns no other.
    let http = || http::client(settings, clock);
    let clock = || Arc::clone(clock);
    let mut outlets: Vec<Arc<dyn Outlet>> = Vec::new();
    if let Some(settings) = settings.sap_alert_notification.clone() {
        outlets.push(Arc::new(SapAlertNotification::new(settings, http()?, clock(), context.clone())));
    }
    if let Some(settings) = settings.pagerduty.clone() {
        outlets.push(Arc::new(PagerDuty { settings, http: http()?, clock: clock(), context: context.clone() }));
    }
    if let Some(mail) = settings.smtp.clone() {
        outlets.push(Arc::new(Smtp { settings: mail, ca: settings.ca.clone(), context: context.clone() }));
    }
    if let Some(settings) = settings.webhook.clone() {
        outlets.push(Arc::new(Webhook { settings, http: http()?, clock: clock(), context }));
    }
    Ok(outlets)
}

/// A message that says that alerts arrive.
pub fn test_alert(channel: Channel, clock: &dyn Clock) -> Message {
    let now = clock.now();
    let event = ConditionEvent {
        name: TEST.to_owned(),
        object: String::new(),
        since: now,
        begun_at: now,
        detail: "This is a test of the alerts of purchase-order-webhook: they arrive, and nobody has to do anything"
            .to_owned(),
        ended_at: None,
    };
    // A test is an incident of its own, so that two tests are two alerts.
    let subject = format!("{TEST}/{}", now.as_millisecond());
    Message {
        id: message_id(&subject, now.as_millisecond(), Phase::Begin),
        channel,
        kind: Kind::ConditionAlert,
        subject,
        payload: serde_json::to_string(&event).unwrap_or_default(),
        created_at: now,
    }
}
