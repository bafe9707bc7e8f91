//! SAP Alert Notification service for SAP BTP: `resource-events` of its producer API.

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::RequestBuilder;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::condition::Conditions;
use crate::config::{SapAlertNotification as Settings, SapCredentials};
use crate::deliveries::alert::{Alert, Context, Severity, Status};
use crate::deliveries::http::send;
use crate::deliveries::outlet::{Delivery, Outlet};
use crate::ledger::outbox::{Channel, Message};
use crate::outbound::Outbound;
use crate::vms::token::{AccessToken, TokenSource};

const PATH: &str = "/cf/producer/v1/resource-events";

/// Unauthorized.
const UNAUTHORIZED: u16 = 401;

/// SAP Alert Notification service.
#[derive(Debug)]
pub struct SapAlertNotification {
    settings: Settings,
    tokens: Option<Arc<TokenSource>>,
    http: Arc<Outbound>,
    clock: Arc<dyn Clock>,
    context: Context,
}

impl SapAlertNotification {
    /// Fetches nothing before the first alert.
    pub fn new(settings: Settings, http: Arc<Outbound>, clock: Arc<dyn Clock>, context: Context) -> Self {
        let tokens = match &settings.credentials {
            SapCredentials::OAuth2(oauth2) => {
                // The conditions of the service are about tokens for 11VMS.
                let own = Conditions::default();
                Some(TokenSource::new((**oauth2).clone(), Arc::clone(&http), Arc::clone(&clock), own))
            }
            SapCredentials::Basic { .. } => None,
        };
        Self { settings, tokens, http, clock, context }
    }

    /// Delivers an alert, once; after a 401, once more with a fresh token.
    pub async fn deliver_alert(&self, alert: &Alert) -> Delivery {
        let base = self.settings.url.as_str().trim_end_matches('/').trim_end_matches(PATH);
        let body = event(alert);
        for is_last in [false, true] {
            let request = self.http.client().post(format!("{base}{PATH}")).json(&body);
            let (request, token) = match self.authenticate(request).await {
                Ok(authenticated) => authenticated,
                Err(failed) => return failed,
            };
            let answer = match send(&self.http, request, self.clock.as_ref(), None).await {
                Ok(answer) => answer,
                Err(failed) => return failed,
            };
            match answer.status.as_u16() {
                200..=299 => return Delivery::Delivered,
                UNAUTHORIZED => {
                    if let (Some(tokens), Some(token)) = (&self.tokens, token) {
                        tokens.discard(&token);
                        if !is_last {
                            continue;
                        }
                    }
                    return answer.failed();
                }
                // The event itself is wrong: it is never taken.
                400 | 413 | 415 | 422 => return answer.refused(),
                // Everything else may be a setting, a quota or an outage that somebody puts right.
                _ => return answer.failed(),
            }
        }
        Delivery::failed("answered 401")
    }

    async fn authenticate(&self, request: RequestBuilder) -> Result<(RequestBuilder, Option<AccessToken>), Delivery> {
        match (&self.settings.credentials, &self.tokens) {
            (SapCredentials::Basic { client_id, client_secret }, _) => {
                let secret = client_secret.read().map_err(Delivery::failed)?;
                Ok((request.basic_auth(client_id, Some(secret.expose_secret())), None))
            }
            (SapCredentials::OAuth2(_), Some(tokens)) => {
                let token = tokens.get().await.map_err(|error| Delivery::failed(format!("no token: {error}")))?;
                Ok((request.bearer_auth(token.value.expose_secret()), Some(token)))
            }
            (SapCredentials::OAuth2(_), None) => Err(Delivery::failed("there is no source of tokens")),
        }
    }
}

#[async_trait]
impl Outlet for SapAlertNotification {
    fn channel(&self) -> Channel {
        Channel::SapAlertNotification
    }

    async fn deliver(&self, message: &Message) -> Delivery {
        match Alert::read(message, &self.context) {
            Ok(alert) => self.deliver_alert(&alert).await,
            Err(problem) => Delivery::Refused { detail: problem },
        }
    }
}

/// The event. The end of an incident is a notification under the same correlation id, which closes what receivers such as
/// ticket systems have opened.
fn event(alert: &Alert) -> Value {
    let (category, status) = match alert.status {
        Status::Begun => ("ALERT", "CREATE_OR_UPDATE"),
        Status::Ended => ("NOTIFICATION", "CLOSE"),
        Status::Change => ("NOTIFICATION", "CREATE_OR_UPDATE"),
    };
    let (severity, priority) = severity(alert.severity);
    let mut tags = json!({
        "ans:correlationId": alert.incident,
        "ans:sourceEventId": alert.id,
        "ans:status": status,
    });
    if let (Some(link), Some(tags)) = (&alert.link, tags.as_object_mut()) {
        tags.insert("ans:detailsLink".to_owned(), json!(link));
    }
    let mut resource = json!({ "resourceName": alert.source, "resourceType": "purchase-order-webhook" });
    if let (false, Some(resource)) = (alert.object.is_empty(), resource.as_object_mut()) {
        resource.insert("resourceInstance".to_owned(), json!(alert.object));
    }
    json!({
        "eventType": alert.name,
        "eventTimestamp": alert.at.as_second(),
        "resource": resource,
        "severity": severity,
        "category": category,
        "priority": priority,
        "subject": alert.summary,
        "body": body(alert),
        "tags": tags,
    })
}

fn body(alert: &Alert) -> String {
    let facts = alert.facts.iter().map(|(name, fact)| format!("{name}: {fact}"));
    let link = alert.link.iter().map(|link| format!("What to do: {link}"));
    [alert.summary.clone()].into_iter().chain(facts).chain(link).collect::<Vec<_>>().join("\n")
}

/// Severity, and the priority (1 to 1000) by which lists are sorted.
const fn severity(severity: Severity) -> (&'static str, u16) {
    match severity {
        Severity::Critical => ("FATAL", 1000),
        Severity::Error => ("ERROR", 750),
        Severity::Warning => ("WARNING", 500),
        Severity::Info => ("INFO", 1),
    }
}
