//! Requests to 11VMS with a token, and what can be read of the responses.

use std::sync::Arc;

use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Client, RequestBuilder, Response};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use url::Url;

use super::SendLimit;
use super::call_span::CallSpan;
use super::token::{AccessToken, TokenError, TokenSource};
use crate::clock::Clock;
use crate::condition::Conditions;
use crate::config::{Target, Template};
use crate::order::vms_response::{CACHE_HEADERS, CallOutcome, LIST_HEADERS, VmsResponse};
use crate::outbound::{
    AnswerBody, CallDurations, CertificateSettings, ClientSettings, Echo, Operation, Outbound, OutboundError,
    error_chain, is_not_processed, longest_retry_after,
};

/// Most characters that are kept of an answer that is no JSON: enough for the message of an error page.
const MAX_TEXT_CHARS: usize = 2_000;

/// Most characters that are shown of a member's name.
const MAX_NAME_CHARS: usize = 60;

/// Sends requests to 11VMS.
#[derive(Debug)]
pub struct Transport {
    http: Arc<Outbound>,
    base_url: Url,
    tokens: Arc<TokenSource>,
    clock: Arc<dyn Clock>,
    /// In bytes; what is beyond is not read.
    max_answer: usize,
    /// Names of members with the order's number or id, of which nothing is hidden.
    kept_names: Vec<String>,
}

impl Transport {
    /// Builds the HTTP client and the source of tokens; connects nowhere yet.
    ///
    /// # Errors
    /// If no HTTP client can be built.
    pub fn from_config(target: &Target, clock: Arc<dyn Clock>, conditions: Conditions) -> Result<Self, OutboundError> {
        let identity = target.oauth2.identity().cloned();
        let settings = ClientSettings {
            certificates: CertificateSettings {
                setting_names: match identity {
                    Some(_) => "target.oauth2.private_key, or target.ca",
                    None => "target.ca",
                }
                .into(),
                ca: target.ca.clone(),
                identity,
            },
            connect_timeout: target.connect_timeout,
            timeout: target.timeout,
            max_connection_age: target.max_connection_age,
            forward_proxy: target.forward_proxy.clone(),
        };
        let http = Arc::new(Outbound::try_new(settings, Arc::clone(&clock))?);
        let tokens = TokenSource::new(target.oauth2.clone(), Arc::clone(&http), Arc::clone(&clock), conditions);
        let kept_names = target.response_rules.identifying_names();
        Ok(Self { http, base_url: target.base_url.clone(), tokens, clock, max_answer: target.max_answer, kept_names })
    }

    /// How long its calls took, and those for tokens.
    pub fn calls(&self) -> Arc<CallDurations> {
        self.http.calls()
    }

    /// Fetches a token, unless a valid one is known.
    ///
    /// # Errors
    /// [`TokenError`]
    pub async fn fetch_token(&self) -> Result<(), TokenError> {
        self.tokens.get().await.map(drop)
    }

    /// Sends the request that is built from the base URL and has the profile's `path`, with a token; after a 401, once more
    /// with a fresh one. The members of the answer that count are those whose names `counts` knows: one of them that occurs
    /// twice is a defect. Nothing is sent after `limit`, however long the tokens took.
    pub async fn send(
        &self,
        operation: Operation,
        build: impl Fn(&Client, Url) -> RequestBuilder + Send + Sync,
        path: &Template,
        limit: Option<SendLimit>,
        counts: impl Fn(&str) -> bool + Send + Sync,
    ) -> CallOutcome {
        let token = match self.tokens.get().await {
            Ok(token) => token,
            Err(error) => return without_token("no token for 11VMS", &error),
        };
        let may_not = || limit.and_then(|limit| limit.passed(self.clock.as_ref()));
        if let Some(outcome) = may_not() {
            return outcome;
        }
        let outcome = self.send_with_token(operation, &build, path, &token, &counts).await;
        if !matches!(&outcome, CallOutcome::Answered(VmsResponse { status: 401, .. })) {
            return outcome;
        }
        self.tokens.discard(&token);
        match self.tokens.get().await {
            Ok(token) => match may_not() {
                // 11VMS has done nothing (401).
                Some(outcome) => outcome,
                None => self.send_with_token(operation, &build, path, &token, &counts).await,
            },
            // 11VMS has done nothing (401). The operator has to know why there is no other token.
            Err(error) => without_token("answered 401, and there is no fresh token for 11VMS", &error),
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
        operation: Operation,
        build: impl Fn(&Client, Url) -> RequestBuilder,
        path: &Template,
        token: &AccessToken,
        counts: impl Fn(&str) -> bool,
    ) -> CallOutcome {
        let client = self.http.client();
        let request = build(&client, self.base_url(token)).bearer_auth(token.value.expose_secret()).build();
        // Until the answer was read.
        let mut call = None;
        let (sent, echo, span) = match request {
            Ok(request) => {
                let (echo, span) = (Echo::of(request.headers()), CallSpan::begin(&request, path));
                call = Some(self.http.begin_call(operation));
                (client.execute(request).await, echo, Some(span))
            }
            Err(error) => (Err(error), Echo::of(&HeaderMap::new()), None),
        };
        if let (Some(call), Ok(response)) = (&mut call, &sent) {
            call.is_answered(response.status().as_u16());
        }
        let outcome = match sent {
            Ok(response) => match self.http.refused_by_proxy(&response) {
                // Nothing has reached 11VMS.
                Some(problem) => CallOutcome::NotSent(format!("no connection: {problem}")),
                None => self.read_response(response, &echo, counts).await,
            },
            Err(error) if error.is_builder() => {
                CallOutcome::NotSent(format!("the request can't be built: {}", error_chain(&error)))
            }
            Err(error) if error.is_connect() => {
                CallOutcome::NotSent(format!("no connection: {}", self.http.explain(&error)))
            }
            Err(error) if is_not_processed(&error) => {
                CallOutcome::NotSent(format!("11VMS did not process the request: {}", error_chain(&error)))
            }
            Err(error) if error.is_timeout() => CallOutcome::Lost("no answer within target.timeout".to_owned()),
            Err(error) => CallOutcome::Lost(format!("no answer: {}", self.http.explain(&error))),
        };
        if let Some(span) = span {
            span.end(&outcome);
        }
        outcome
    }

    /// Reads the answer. Whatever comes of its body, the status and the headers are known.
    async fn read_response(&self, response: Response, echo: &Echo, counts: impl Fn(&str) -> bool) -> CallOutcome {
        let status = response.status().as_u16();
        let retry_after = longest_retry_after(response.headers(), self.clock.now());
        let location = location(response.headers()).map(|location| echo.hide(&location));
        let list_headers = list_headers(response.headers());
        let body = AnswerBody::read(response, self.max_answer).await;
        let (body, defect) = match body.value() {
            Ok(value) => {
                let repeated = body.repeated_names().into_iter().find(|name| counts(name));
                let value = value.map(|value| echo.hide_in_json(value, &self.kept_names));
                (value, repeated.map(|name| name_occurs_twice(&echo.hide(&name))))
            }
            // The error page of a gateway between may explain a failure.
            Err(defect) => {
                (body.excerpt(|text| echo.hide_in_part(text), MAX_TEXT_CHARS).map(Value::String), Some(defect))
            }
        };
        CallOutcome::Answered(VmsResponse { status, body, defect, location, retry_after, list_headers })
    }
}

/// What becomes of a call for which there is no token.
fn without_token(what: &str, error: &TokenError) -> CallOutcome {
    let detail = format!("{what}: {error}");
    match error {
        TokenError::Throttled { wait, .. } => CallOutcome::Deferred { detail, wait: *wait },
        TokenError::Secret(_) | TokenError::Endpoint(_) | TokenError::BrokenOff => CallOutcome::NotSent(detail),
    }
}

/// `Location`, if it says one thing: of two that differ, neither counts.
fn location(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all(LOCATION).iter();
    let first = values.next()?;
    values.all(|value| value == first).then(|| first.to_str().ok().map(str::to_owned)).flatten()
}

/// The defect of JSON in which a name that counts occurs twice in one object.
fn name_occurs_twice(name: &str) -> String {
    let shown: String = name.chars().take(MAX_NAME_CHARS).collect();
    format!("with the name {shown:?} twice in one object")
}

/// What the headers say about a list that goes on, or that is a stored one. A value that is no ASCII is kept as it can be read: it says something.
fn list_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let values = |name: &'static str| headers.get_all(name).iter().map(move |value| (name, value));
    let all = LIST_HEADERS.into_iter().chain(CACHE_HEADERS).flat_map(values);
    all.map(|(name, value)| (name.to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())).collect()
}

#[cfg(test)]
mod tests;
