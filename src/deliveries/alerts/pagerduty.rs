//! PagerDuty, Events API v2: an incident is triggered and resolved under one dedup key; changes page nobody.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};

use crate::clock::Clock;
use crate::config;
use crate::deliveries::alert::{Alert, Context, Severity, Status};
use crate::deliveries::http::send;
use crate::deliveries::outlet::{Delivery, Outlet};
use crate::digest::sha256_hex;
use crate::ledger::outbox::{Channel, Message};
use crate::outbound::Outbound;

/// Longest `dedup_key`, in characters.
const MAX_DEDUP_KEY_CHARS: usize = 255;

/// What is kept of a longer one, so that people recognise it.
const KEPT_KEY_CHARS: usize = 150;

/// Longest `payload.summary`, in characters.
const MAX_SUMMARY_CHARS: usize = 1024;

const ENQUEUE: &str = "/v2/enqueue";
const ENQUEUE_CHANGE: &str = "/v2/change/enqueue";

/// An integration of PagerDuty.
#[derive(Debug)]
pub struct PagerDuty {
    pub settings: config::PagerDuty,
    pub http: Arc<Outbound>,
    pub clock: Arc<dyn Clock>,
    pub context: Context,
}

#[async_trait]
impl Outlet for PagerDuty {
    fn channel(&self) -> Channel {
        Channel::PagerDuty
    }

    async fn deliver(&self, message: &Message) -> Delivery {
        match Alert::read(message, &self.context) {
            Ok(alert) => self.deliver_alert(&alert).await,
            Err(problem) => Delivery::Refused { detail: problem },
        }
    }
}

impl PagerDuty {
    /// Delivers an alert, once.
    pub async fn deliver_alert(&self, alert: &Alert) -> Delivery {
        let routing_key = match self.settings.routing_key.read() {
            Ok(key) => key,
            Err(problem) => return Delivery::failed(format!("alerts.pagerduty.routing_key: {problem}")),
        };
        let (path, body) = match alert.status {
            Status::Begun | Status::Ended => (ENQUEUE, event(alert, &routing_key)),
            Status::Change => (ENQUEUE_CHANGE, change_event(alert, &routing_key)),
        };
        let base = self.settings.url.as_str().trim_end_matches('/').trim_end_matches(ENQUEUE);
        let request = self.http.client().post(format!("{base}{path}")).json(&body);
        let answer = match send(&self.http, request, self.clock.as_ref(), Some(routing_key.expose_secret())).await {
            Ok(answer) => answer,
            Err(failed) => return failed,
        };
        match answer.status.as_u16() {
            200..=299 => Delivery::Delivered,
            // "Too many requests" alone is repeated of the 4xx: an event that is wrong stays wrong.
            429 => answer.failed(),
            400..=499 => answer.refused(),
            _ => answer.failed(),
        }
    }
}

fn event(alert: &Alert, routing_key: &SecretString) -> Value {
    let action = if alert.status == Status::Ended { "resolve" } else { "trigger" };
    let mut event = json!({
        "routing_key": routing_key.expose_secret(),
        "event_action": action,
        "dedup_key": dedup_key(&alert.incident),
        "client": "purchase-order-webhook",
        "payload": {
            "summary": summary(alert),
            "source": alert.source,
            "severity": severity(alert.severity),
            "timestamp": alert.time(),
            "component": "purchase-order-webhook",
            "class": alert.name,
            "custom_details": details(alert),
        },
    });
    add_links(&mut event, alert);
    event
}

fn change_event(alert: &Alert, routing_key: &SecretString) -> Value {
    let mut event = json!({
        "routing_key": routing_key.expose_secret(),
        "payload": {
            "summary": summary(alert),
            "source": alert.source,
            "timestamp": alert.time(),
            "custom_details": details(alert),
        },
    });
    add_links(&mut event, alert);
    event
}

fn add_links(event: &mut Value, alert: &Alert) {
    if let (Some(link), Some(event)) = (&alert.link, event.as_object_mut()) {
        event.insert("links".to_owned(), json!([{ "href": link, "text": "Runbook" }]));
    }
}

fn details(alert: &Alert) -> Value {
    let mut details: Map<String, Value> =
        alert.facts.iter().map(|(name, fact)| ((*name).to_owned(), json!(fact))).collect();
    details.insert("eventId".to_owned(), json!(alert.id));
    Value::Object(details)
}

fn summary(alert: &Alert) -> String {
    alert.summary.chars().take(MAX_SUMMARY_CHARS).collect()
}

/// The incident itself; a hash takes the place of what does not fit.
fn dedup_key(incident: &str) -> String {
    if incident.chars().count() <= MAX_DEDUP_KEY_CHARS {
        return incident.to_owned();
    }
    let begin: String = incident.chars().take(KEPT_KEY_CHARS).collect();
    format!("{begin}/{}", sha256_hex(incident.as_bytes()))
}

const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dedup_key_is_never_longer_than_pagerduty_takes_it_and_stays_its_own() {
        for length in [1, 255, 256, 5_000] {
            let (one, other) = (format!("{}1", "ä".repeat(length - 1)), format!("{}2", "ä".repeat(length - 1)));
            assert!(dedup_key(&one).chars().count() <= MAX_DEDUP_KEY_CHARS, "{length}");
            assert_ne!(dedup_key(&one), dedup_key(&other), "{length}");
        }
        assert_eq!(dedup_key("source/order-parked/4711"), "source/order-parked/4711");
    }
}
