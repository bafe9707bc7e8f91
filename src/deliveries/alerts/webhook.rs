//! A webhook, signed by the Standard Webhooks convention: whoever receives it knows who sent it, and when.

use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::CONTENT_TYPE;
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};

use crate::clock::Clock;
use crate::config;
use crate::config::signing_key;
use crate::deliveries::alert::{Alert, Context, Severity, Status};
use crate::deliveries::http::send;
use crate::deliveries::outlet::{Delivery, Outlet};
use crate::ledger::outbox::{Channel, Message};
use crate::outbound::Outbound;

/// The receiver of a webhook.
#[derive(Debug)]
pub struct Webhook {
    pub settings: config::Webhook,
    pub http: Arc<Outbound>,
    pub clock: Arc<dyn Clock>,
    pub context: Context,
}

#[async_trait]
impl Outlet for Webhook {
    fn channel(&self) -> Channel {
        Channel::Webhook
    }

    async fn deliver(&self, message: &Message) -> Delivery {
        match Alert::read(message, &self.context) {
            Ok(alert) => self.deliver_alert(&alert).await,
            Err(problem) => Delivery::Refused { detail: problem },
        }
    }
}

impl Webhook {
    /// Delivers an alert, once.
    pub async fn deliver_alert(&self, alert: &Alert) -> Delivery {
        let secret = self.settings.secret.read().and_then(|secret| signing_key(&secret));
        let key = match secret {
            Ok(key) => key,
            Err(problem) => return Delivery::failed(format!("alerts.webhook.secret: {problem}")),
        };
        let body = body(alert).to_string();
        // The time of this delivery: receivers refuse an old one, because it may have been recorded.
        let timestamp = self.clock.now().as_second().to_string();
        let signature = signature(key.expose_secret(), &alert.id, &timestamp, &body);
        let request = self.http.client().post(self.settings.url.clone());
        let request = request.header(CONTENT_TYPE, "application/json").header("webhook-id", &alert.id);
        let request = request.header("webhook-timestamp", timestamp).header("webhook-signature", signature);
        match send(&self.http, request.body(body), self.clock.as_ref(), None).await {
            Ok(answer) => match answer.status.as_u16() {
                200..=299 => Delivery::Delivered,
                // The receiver asks for no more of them.
                410 => answer.refused(),
                _ => answer.failed(),
            },
            Err(failed) => failed,
        }
    }
}

/// `v1,` and the HMAC-SHA256 of id, time and body in base64.
fn signature(key: &[u8], id: &str, timestamp: &str, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let tag = hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(tag.as_ref()))
}

fn body(alert: &Alert) -> Value {
    let facts: Map<String, Value> = alert.facts.iter().map(|(name, fact)| ((*name).to_owned(), json!(fact))).collect();
    let name = match alert.status {
        Status::Begun | Status::Change => alert.name.clone(),
        Status::Ended => format!("{}.ended", alert.name),
    };
    let mut data = json!({
        "alert": alert.name,
        "status": alert.status.name(),
        "severity": severity(alert.severity),
        "incident": alert.incident,
        "source": alert.source,
        "summary": alert.summary,
        "facts": facts,
    });
    if let (Some(link), Some(data)) = (&alert.link, data.as_object_mut()) {
        data.insert("link".to_owned(), json!(link));
    }
    json!({ "type": name, "timestamp": alert.time(), "data": data })
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
    fn the_signature_is_that_of_the_conventions_own_example() {
        // https://github.com/standard-webhooks/standard-webhooks, the example of its reference libraries.
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let found = signature(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", r#"{"test": 2432232314}"#);
        assert_eq!(found, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
