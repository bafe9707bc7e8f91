//! The issuer's introspection endpoint (RFC 7662 §2).

use std::sync::Arc;

use reqwest::RequestBuilder;
use reqwest::header::ACCEPT;
use serde::Deserialize;
use tracing::warn;
use url::Url;
use url::form_urlencoded::Serializer;

use crate::auth::claims::Claims;
use crate::auth::error::Unavailable;
use crate::clock::Clock;
use crate::config::Introspection;
use crate::outbound::{AnswerBody, AuthenticatingClient, Echo, Operation, Outbound, Pause, requested_pause};

/// Largest answer, in bytes; real ones have some KiB.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// The issuer's answer (RFC 7662 §2.2).
#[derive(Debug, Deserialize)]
pub struct IntrospectionResponse {
    /// Whether the token is valid for the issuer.
    pub active: bool,
    /// What else the issuer states about the token.
    #[serde(flatten)]
    pub claims: Claims,
}

/// The endpoint, and the client as which the service asks.
#[derive(Debug)]
pub struct IntrospectionEndpoint {
    url: Url,
    client: AuthenticatingClient,
    /// What the endpoint has asked for; no request begins in it.
    pause: Pause,
    http: Arc<Outbound>,
    clock: Arc<dyn Clock>,
}

impl IntrospectionEndpoint {
    /// Sends nothing yet.
    pub fn new(settings: &Introspection, http: Arc<Outbound>, clock: Arc<dyn Clock>) -> Self {
        let client = AuthenticatingClient::new(settings.client_id.clone(), settings.credentials.clone());
        Self { url: settings.url.clone(), client, pause: Pause::default(), http, clock }
    }

    /// Whether the endpoint may be asked.
    ///
    /// # Errors
    /// How long it has to be left alone, because it throttles.
    pub fn check_pause(&self) -> Result<(), Unavailable> {
        match self.pause.remaining(&*self.clock) {
            None => Ok(()),
            Some((wait, detail)) => Err(Unavailable { detail, retry_after: Some(wait) }),
        }
    }

    /// Asks about one token, unless the endpoint has to be left alone.
    ///
    /// # Errors
    /// The reason for which there is no answer, with the URL.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the issuer about tokens")]
    pub async fn introspect(&self, token: &str) -> Result<IntrospectionResponse, Unavailable> {
        self.check_pause()?;
        let (url, request) = (&self.url, self.request(token)?);
        let mut call = self.http.begin_call(Operation::Introspection);
        let answer = request.send().await.map_err(|error| format!("{url}: {}", self.http.explain(&error)))?;
        let status = answer.status().as_u16();
        call.is_answered(status);
        if let Some(problem) = self.http.refused_by_proxy(&answer) {
            return Err(format!("{url}: {problem}").into());
        }
        if !answer.status().is_success() {
            let (detail, now) = (format!("{url} answered {status}"), self.clock.now());
            let retry_after = requested_pause(status, answer.headers(), now);
            if let Some(wait) = retry_after
                && self.pause.begin(wait, &detail, &*self.clock)
            {
                warn!(
                    url.full = %url,
                    error.message = detail,
                    throttling.pause = wait.as_secs(),
                    "the introspection throttles: it gets no request for throttling.pause seconds, and requests with tokens that it has to judge get 503"
                );
            }
            return Err(Unavailable { detail, retry_after });
        }
        let body = AnswerBody::read(answer, MAX_ANSWER_BYTES).await;
        let response = body.json("an introspection response (RFC 7662)");
        response.map_err(|problem| format!("{url} answered, {problem}").into())
    }

    /// RFC 7662 §2.1
    fn request(&self, token: &str) -> Result<RequestBuilder, String> {
        let mut form = Serializer::new(String::new());
        form.append_pair("token", token).append_pair("token_type_hint", "access_token");
        let request = self.http.client().post(self.url.clone()).header(ACCEPT, "application/json");
        // No text of an answer is told: there is nothing to hide in it.
        self.client.authenticate(request, form, self.clock.now(), &mut Echo::default())
    }
}
