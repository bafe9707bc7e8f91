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
use crate::order::retry::{CallOutcome, VmsResponse};
use crate::order::{Order, OrderId};
use crate::outbound::{ClientSettings, Outbound, OutboundError, error_chain, read_limited, retry_after};

/// Most bytes of an answer that are read; 11VMS's answers have some KiB.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// 11VMS behind its base URL.
#[derive(Debug)]
pub struct VmsClient {
    http: Arc<Outbound>,
    orders: Url,
    tokens: TokenSource,
    clock: Arc<dyn Clock>,
}

impl VmsClient {
    /// Builds the client; connects nowhere yet.
    ///
    /// # Errors
    /// If no HTTP client can be built.
    pub fn from_config(target: &Target, clock: Arc<dyn Clock>) -> Result<Self, OutboundError> {
        let identity = target.oauth2.identity().cloned();
        let route = ClientSettings {
            setting_names: if identity.is_some() { "target.oauth2.private_key, or target.ca" } else { "target.ca" },
            connect_timeout: target.connect_timeout,
            timeout: target.timeout,
            ca: target.ca.clone(),
            identity,
        };
        let http = Arc::new(Outbound::try_new(route, Arc::clone(&clock))?);
        let mut orders = target.base_url.clone();
        // A base URL of http or https always has path segments.
        if let Ok(mut path) = orders.path_segments_mut() {
            path.pop_if_empty().push("purchase-orders");
        }
        let tokens = TokenSource::new(target.oauth2.clone(), Arc::clone(&http), Arc::clone(&clock));
        Ok(Self { http, orders, tokens, clock })
    }

    /// Where orders are, as seen with a token: at `base_url`, or at the instance that the token is for.
    fn orders_for(&self, token: &AccessToken) -> Url {
        let Some(instance) = &token.instance else { return self.orders.clone() };
        let mut orders = instance.clone();
        orders.set_path(self.orders.path());
        orders
    }

    /// Sends with a token; a 401 is answered once with a fresh one.
    async fn exchange(&self, build: impl Fn(&Client, Url) -> RequestBuilder + Send + Sync) -> CallOutcome {
        let token = match self.tokens.get().await {
            Ok(token) => token,
            Err(error) => return CallOutcome::NotSent(format!("no token for 11VMS: {error}")),
        };
        let reply = self.send(&build, &token).await;
        if !matches!(&reply, CallOutcome::Answered(VmsResponse { status: 401, .. })) {
            return reply;
        }
        self.tokens.discard(&token).await;
        match self.tokens.get().await {
            Ok(token) => self.send(&build, &token).await,
            // 11VMS has done nothing (401), and why it gets no other token is what a person has to know.
            Err(error) => CallOutcome::NotSent(format!("answered 401, and there is no fresh token for 11VMS: {error}")),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that calls 11VMS")]
    async fn send(&self, build: impl Fn(&Client, Url) -> RequestBuilder, token: &AccessToken) -> CallOutcome {
        let request = build(&self.http.client(), self.orders_for(token));
        let sent = request.bearer_auth(token.value.expose_secret()).send().await;
        match sent {
            Ok(response) => self.read(response).await,
            Err(error) if error.is_builder() => {
                CallOutcome::NotSent(format!("the request can't be built: {}", error_chain(&error)))
            }
            Err(error) if error.is_connect() => CallOutcome::NotSent(format!("no connection: {}", error_chain(&error))),
            Err(error) if error.is_timeout() => CallOutcome::Lost("no answer within target.timeout".to_owned()),
            Err(error) => CallOutcome::Lost(format!("no answer: {}", error_chain(&error))),
        }
    }

    async fn read(&self, response: Response) -> CallOutcome {
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
        let build = |http: &Client, orders: Url| {
            let request = http
                .post(orders)
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
        self.exchange(build).await
    }

    async fn look_up(&self, id: &OrderId) -> CallOutcome {
        let build = |http: &Client, mut orders: Url| {
            orders.query_pairs_mut().append_pair("externalId", id.as_str());
            http.get(orders)
        };
        self.exchange(build).await
    }
}

/// JSON as it is; anything else as text, so that a person can read what a gateway in between said.
fn json_or_text(body: &[u8]) -> Option<Value> {
    const SHOWN: usize = 2_000;
    match serde_json::from_slice(body) {
        Ok(value) => Some(value),
        Err(_) if body.is_empty() => None,
        Err(_) => Some(Value::String(String::from_utf8_lossy(body).chars().take(SHOWN).collect())),
    }
}
