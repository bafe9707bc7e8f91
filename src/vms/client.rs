//! The only outbound business call: 11VMS over REST, JSON and OAuth2.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy as Redirects;
use reqwest::{Client, RequestBuilder, Response};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use url::Url;

use super::Vms;
use super::token::{AccessToken, TokenSource};
use crate::clock::Clock;
use crate::config::Target;
use crate::order::retry::{Answer, Reply, retry_after};
use crate::order::{Order, OrderId};

/// Most bytes of an answer that are read; 11VMS's answers have some KiB.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// Idle connections are closed before common servers and load balancers do it: a request on a connection that the
/// other side is just closing has an unknown outcome.
const POOL_IDLE: Duration = Duration::from_secs(15);

/// An HTTP client that does nothing on its own: no redirects, no retries, no proxy from the environment.
///
/// # Errors
/// If the TLS stack or the system's certificate store can't be used.
pub fn http_client(connect_timeout: Duration, timeout: Duration) -> reqwest::Result<Client> {
    Client::builder()
        .user_agent(concat!("purchase-order-webhook/", env!("CARGO_PKG_VERSION")))
        .redirect(Redirects::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .connect_timeout(connect_timeout)
        .timeout(timeout)
        .pool_idle_timeout(POOL_IDLE)
        // How long an answer may take is said by `timeout` alone.
        .tcp_user_timeout(None)
        .build()
}

/// 11VMS behind its base URL.
#[derive(Debug)]
pub struct VmsClient {
    http: Client,
    orders: Url,
    tokens: TokenSource,
    clock: Arc<dyn Clock>,
}

impl VmsClient {
    /// Builds the client; connects nowhere yet.
    ///
    /// # Errors
    /// If no HTTP client can be built.
    pub fn from_config(target: &Target, clock: Arc<dyn Clock>) -> reqwest::Result<Self> {
        let http = http_client(target.connect_timeout, target.timeout)?;
        let mut orders = target.base_url.clone();
        // A base URL of http or https always has path segments.
        if let Ok(mut path) = orders.path_segments_mut() {
            path.pop_if_empty().push("purchase-orders");
        }
        let tokens = TokenSource::new(target.oauth2.clone(), http.clone(), Arc::clone(&clock));
        Ok(Self { http, orders, tokens, clock })
    }

    /// Sends with a token; a 401 is answered once with a fresh one.
    async fn exchange(&self, build: impl Fn(&Client) -> RequestBuilder + Send + Sync) -> Reply {
        let token = match self.tokens.get().await {
            Ok(token) => token,
            Err(error) => return Reply::NotSent(format!("no token for 11VMS: {error}")),
        };
        let reply = self.send(build(&self.http), &token).await;
        if !matches!(&reply, Reply::Answered(Answer { status: 401, .. })) {
            return reply;
        }
        self.tokens.discard(&token).await;
        match self.tokens.get().await {
            Ok(token) => self.send(build(&self.http), &token).await,
            Err(_) => reply,
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that calls 11VMS")]
    async fn send(&self, request: RequestBuilder, token: &AccessToken) -> Reply {
        let sent = request.bearer_auth(token.value.expose_secret()).send().await;
        match sent {
            Ok(response) => self.read(response).await,
            Err(error) if error.is_builder() => {
                Reply::NotSent(format!("the request can't be built: {}", chain(&error)))
            }
            Err(error) if error.is_connect() => Reply::NotSent(format!("no connection: {}", chain(&error))),
            Err(error) if error.is_timeout() => Reply::Lost("no answer within target.timeout".to_owned()),
            Err(error) => Reply::Lost(format!("no answer: {}", chain(&error))),
        }
    }

    async fn read(&self, response: Response) -> Reply {
        let status = response.status().as_u16();
        let now = self.clock.now();
        let wait = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| retry_after(text, now));
        match read_limited(response, MAX_ANSWER_BYTES).await {
            Ok(body) => Reply::Answered(Answer { status, body: json_or_text(&body), retry_after: wait }),
            Err(problem) => Reply::Lost(format!("answered {status}, then {problem}")),
        }
    }
}

#[async_trait]
impl Vms for VmsClient {
    async fn create(&self, order: &Order) -> Reply {
        let build = |http: &Client| {
            let request = http
                .post(self.orders.clone())
                .header(CONTENT_TYPE, "application/json")
                .header("idempotency-key", order.id.as_str())
                .body(order.body.clone());
            let baggage = &order.baggage;
            let headers = [
                ("traceparent", &baggage.traceparent),
                ("sap-passport", &baggage.sap_passport),
                ("x-request-id", &baggage.request_id),
            ];
            headers
                .into_iter()
                .filter_map(|(name, value)| Some((name, HeaderValue::from_str(value.as_deref()?).ok()?)))
                .fold(request, |request, (name, value)| request.header(name, value))
        };
        self.exchange(build).await
    }

    async fn look_up(&self, id: &OrderId) -> Reply {
        let mut url = self.orders.clone();
        url.query_pairs_mut().append_pair("externalId", id.as_str());
        self.exchange(|http| http.get(url.clone())).await
    }
}

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// If the body is larger, or breaks off.
pub async fn read_limited(mut response: Response, limit: usize) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > limit => return Err(format!("sent more than {limit} bytes")),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) => return Err(format!("broke off: {}", chain(&error))),
        }
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

/// An error with its causes, without the URL, which may carry more than a log should.
pub fn chain(error: &reqwest::Error) -> String {
    let mut texts = vec![];
    let mut cause = error.source();
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    if texts.is_empty() { "the request failed".to_owned() } else { texts.join(": ") }
}
