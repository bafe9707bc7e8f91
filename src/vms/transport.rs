//! Requests to 11VMS with a token, and what can be read of the responses.

use std::sync::Arc;

use reqwest::header::{HeaderMap, HeaderName, LOCATION, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use url::Url;

use super::token::{AccessToken, TokenError, TokenSource};
use crate::clock::Clock;
use crate::config::Target;
use crate::order::vms_response::{CallOutcome, VmsResponse};
use crate::outbound::{ClientSettings, Outbound, OutboundError, error_chain, read_limited, retry_after};

/// Largest answer, in bytes; 11VMS's answers have some KiB.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// Most characters that are kept of an answer that is no JSON: enough for the message of an error page.
const MAX_TEXT_CHARS: usize = 2_000;

/// Sends requests to 11VMS.
#[derive(Debug)]
pub struct Transport {
    http: Arc<Outbound>,
    base_url: Url,
    tokens: Arc<TokenSource>,
    clock: Arc<dyn Clock>,
}

impl Transport {
    /// Builds the HTTP client and the source of tokens; connects nowhere yet.
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
        let tokens = TokenSource::new(target.oauth2.clone(), Arc::clone(&http), Arc::clone(&clock));
        Ok(Self { http, base_url: target.base_url.clone(), tokens, clock })
    }

    /// Fetches a token, unless a valid one is known.
    ///
    /// # Errors
    /// [`TokenError`]
    pub async fn fetch_token(&self) -> Result<(), TokenError> {
        self.tokens.get().await.map(drop)
    }

    /// Sends the request that is built from the base URL, with a token; after a 401, once more with a fresh one.
    pub async fn send(&self, build: impl Fn(&Client, Url) -> RequestBuilder + Send + Sync) -> CallOutcome {
        let token = match self.tokens.get().await {
            Ok(token) => token,
            Err(error) => return CallOutcome::NotSent(format!("no token for 11VMS: {error}")),
        };
        let outcome = self.send_with_token(&build, &token).await;
        if !matches!(&outcome, CallOutcome::Answered(VmsResponse { status: 401, .. })) {
            return outcome;
        }
        self.tokens.discard(&token);
        match self.tokens.get().await {
            Ok(token) => self.send_with_token(&build, &token).await,
            // 11VMS has done nothing (401). The operator has to know why there is no other token.
            Err(error) => CallOutcome::NotSent(format!("answered 401, and there is no fresh token for 11VMS: {error}")),
        }
    }

    /// The base URL: at the token's instance, if it has one.
    fn base_url(&self, token: &AccessToken) -> Url {
        let Some(instance_url) = &token.instance_url else { return self.base_url.clone() };
        let mut base_url = instance_url.clone();
        base_url.set_path(self.base_url.path());
        base_url
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that calls 11VMS")]
    async fn send_with_token(
        &self,
        build: impl Fn(&Client, Url) -> RequestBuilder,
        token: &AccessToken,
    ) -> CallOutcome {
        let request = build(&self.http.client(), self.base_url(token));
        let sent = request.bearer_auth(token.value.expose_secret()).send().await;
        match sent {
            Ok(response) => self.read_response(response).await,
            Err(error) if error.is_builder() => {
                CallOutcome::NotSent(format!("the request can't be built: {}", error_chain(&error)))
            }
            Err(error) if error.is_connect() => CallOutcome::NotSent(format!("no connection: {}", error_chain(&error))),
            Err(error) if error.is_timeout() => CallOutcome::Lost("no answer within target.timeout".to_owned()),
            Err(error) => CallOutcome::Lost(format!("no answer: {}", error_chain(&error))),
        }
    }

    async fn read_response(&self, response: Response) -> CallOutcome {
        let status = response.status().as_u16();
        let now = self.clock.now();
        let retry_after = header(response.headers(), RETRY_AFTER).and_then(|text| retry_after(text, now));
        let location = header(response.headers(), LOCATION).map(str::to_owned);
        match read_limited(response, MAX_ANSWER_BYTES).await {
            Ok(bytes) => {
                let (body, defect) = json_or_text(&bytes);
                CallOutcome::Answered(VmsResponse { status, body, defect, location, retry_after })
            }
            Err(problem) => CallOutcome::Lost(format!("answered {status}, then {problem}")),
        }
    }
}

fn header(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// JSON as it is; anything else as text, with what is wrong with it as JSON: the error page of a gateway between may
/// explain a failure.
fn json_or_text(bytes: &[u8]) -> (Option<Value>, Option<String>) {
    match serde_json::from_slice(bytes) {
        Ok(value) => (Some(value), None),
        Err(_) if bytes.is_empty() => (None, None),
        Err(error) => {
            let text = String::from_utf8_lossy(bytes).chars().take(MAX_TEXT_CHARS).collect();
            (Some(Value::String(text)), Some(format!("no JSON: {error}")))
        }
    }
}
