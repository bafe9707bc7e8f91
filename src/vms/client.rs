//! The only outbound business call: 11VMS over REST, JSON and OAuth2.

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use url::Url;

use super::Vms;
use super::token::{AccessToken, TokenSource};
use crate::clock::Clock;
use crate::config::Target;
use crate::order::vms_response::{CallOutcome, VmsResponse};
use crate::order::{Order, OrderId};
use crate::outbound::{ClientSettings, Outbound, OutboundError, error_chain, read_limited, retry_after};

/// Largest answer, in bytes; 11VMS's answers have some KiB.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// Most characters that are kept of an answer that is no JSON: enough for the message of an error page.
const MAX_TEXT_CHARS: usize = 2_000;

/// A client of 11VMS.
#[derive(Debug)]
pub struct VmsClient {
    http: Arc<Outbound>,
    orders_url: Url,
    tokens: Arc<TokenSource>,
    clock: Arc<dyn Clock>,
}

impl VmsClient {
    /// Builds the client; connects nowhere yet.
    ///
    /// # Errors
    /// If no HTTP client can be built.
    pub fn from_config(target: &Target, clock: Arc<dyn Clock>) -> Result<Self, OutboundError> {
        let identity = target.oauth2.identity().cloned();
        let settings = ClientSettings {
            setting_names: if identity.is_some() { "target.oauth2.private_key, or target.ca" } else { "target.ca" },
            connect_timeout: target.connect_timeout,
            timeout: target.timeout,
            ca: target.ca.clone(),
            identity,
        };
        let http = Arc::new(Outbound::try_new(settings, Arc::clone(&clock))?);
        let mut orders_url = target.base_url.clone();
        // A base URL of http or https always has path segments.
        if let Ok(mut path) = orders_url.path_segments_mut() {
            path.pop_if_empty().push("purchase-orders");
        }
        let tokens = TokenSource::new(target.oauth2.clone(), Arc::clone(&http), Arc::clone(&clock));
        Ok(Self { http, orders_url, tokens, clock })
    }

    /// The URL of orders: at the token's instance, if it has one.
    fn orders_url(&self, token: &AccessToken) -> Url {
        let Some(instance_url) = &token.instance_url else { return self.orders_url.clone() };
        let mut orders_url = instance_url.clone();
        orders_url.set_path(self.orders_url.path());
        orders_url
    }

    /// Sends a request with a token; after a 401, once more with a fresh one.
    async fn send_authenticated(&self, build: impl Fn(&Client, Url) -> RequestBuilder + Send + Sync) -> CallOutcome {
        let token = match self.tokens.get().await {
            Ok(token) => token,
            Err(error) => return CallOutcome::NotSent(format!("no token for 11VMS: {error}")),
        };
        let outcome = self.send(&build, &token).await;
        if !matches!(&outcome, CallOutcome::Answered(VmsResponse { status: 401, .. })) {
            return outcome;
        }
        self.tokens.discard(&token);
        match self.tokens.get().await {
            Ok(token) => self.send(&build, &token).await,
            // 11VMS has done nothing (401). The operator has to know why there is no other token.
            Err(error) => CallOutcome::NotSent(format!("answered 401, and there is no fresh token for 11VMS: {error}")),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that calls 11VMS")]
    async fn send(&self, build: impl Fn(&Client, Url) -> RequestBuilder, token: &AccessToken) -> CallOutcome {
        let request = build(&self.http.client(), self.orders_url(token));
        let sent = request.bearer_auth(token.value.expose_secret()).send().await;
        match sent {
            Ok(response) => self.read_answer(response).await,
            Err(error) if error.is_builder() => {
                CallOutcome::NotSent(format!("the request can't be built: {}", error_chain(&error)))
            }
            Err(error) if error.is_connect() => CallOutcome::NotSent(format!("no connection: {}", error_chain(&error))),
            Err(error) if error.is_timeout() => CallOutcome::Lost("no answer within target.timeout".to_owned()),
            Err(error) => CallOutcome::Lost(format!("no answer: {}", error_chain(&error))),
        }
    }

    async fn read_answer(&self, response: Response) -> CallOutcome {
        let status = response.status().as_u16();
        let now = self.clock.now();
        let wait = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| retry_after(text, now));
        match read_limited(response, MAX_ANSWER_BYTES).await {
            Ok(body) => CallOutcome::Answered(VmsResponse { status, body: json_or_text(&body), retry_after: wait }),
            Err(problem) => CallOutcome::Lost(format!("answered {status}, then {problem}")),
        }
    }
}

#[async_trait]
impl Vms for VmsClient {
    async fn create(&self, order: &Order) -> CallOutcome {
        let build = |http: &Client, orders_url: Url| {
            let request = http
                .post(orders_url)
                .header(CONTENT_TYPE, "application/json")
                .header("idempotency-key", order.id.as_str())
                .body(order.body.clone());
            let propagated_headers = &order.propagated_headers;
            let headers = [
                ("traceparent", &propagated_headers.traceparent),
                ("sap-passport", &propagated_headers.sap_passport),
                ("x-request-id", &propagated_headers.request_id),
            ];
            headers
                .into_iter()
                .filter_map(|(name, value)| Some((name, HeaderValue::from_str(value.as_deref()?).ok()?)))
                .fold(request, |request, (name, value)| request.header(name, value))
        };
        self.send_authenticated(build).await
    }

    async fn look_up(&self, id: &OrderId) -> CallOutcome {
        let build = |http: &Client, mut orders_url: Url| {
            orders_url.query_pairs_mut().append_pair("externalId", id.as_str());
            http.get(orders_url)
        };
        self.send_authenticated(build).await
    }
}

/// JSON as it is; anything else as text: the error page of a gateway between may explain a failure.
fn json_or_text(body: &[u8]) -> Option<Value> {
    match serde_json::from_slice(body) {
        Ok(value) => Some(value),
        Err(_) if body.is_empty() => None,
        Err(_) => Some(Value::String(String::from_utf8_lossy(body).chars().take(MAX_TEXT_CHARS).collect())),
    }
}
