//! GET requests to the issuer, for its metadata and its keys.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use url::Url;

use super::fetch_error::FetchError;
use crate::clock::Clock;
use crate::outbound::{AnswerBody, CallDurations, Operation, Outbound, requested_pause};

/// Largest key set or discovery document, in bytes; real ones have some KiB.
const MAX_ANSWER_BYTES: usize = 512 * 1024;

/// A client of the issuer.
#[derive(Debug)]
pub struct IssuerClient {
    http: Arc<Outbound>,
    clock: Arc<dyn Clock>,
}

impl IssuerClient {
    /// Sends nothing yet.
    pub const fn new(http: Arc<Outbound>, clock: Arc<dyn Clock>) -> Self {
        Self { http, clock }
    }

    /// How long its calls took, and all others of the same client.
    pub fn calls(&self) -> Arc<CallDurations> {
        self.http.calls()
    }

    /// A JSON document; `expected` names it.
    ///
    /// # Errors
    /// [`FetchError`], with the pause that the issuer asks for if it throttles.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the issuer for its keys")]
    pub async fn get<T: DeserializeOwned>(&self, url: &Url, expected: &str) -> Result<T, FetchError> {
        let request = self.http.client().get(url.clone());
        let url = &without_secrets(url);
        let failed = |detail: String| FetchError::new(url.as_str(), detail);
        let mut call = self.http.begin_call(Operation::Jwks);
        let answer = request.send().await.map_err(|error| failed(format!("{url}: {}", self.http.explain(&error))))?;
        call.is_answered(answer.status().as_u16());
        if let Some(problem) = self.http.refused_by_proxy(&answer) {
            return Err(failed(format!("{url}: {problem}")));
        }
        if !answer.status().is_success() {
            let status = answer.status().as_u16();
            let wait = requested_pause(status, answer.headers(), self.clock.now());
            return Err(FetchError { retry_after: wait, ..failed(format!("{url} answered {status}")) });
        }
        let body = AnswerBody::read(answer, MAX_ANSWER_BYTES).await;
        // A document may have members that nobody reads, and a key set keys that can't be: none takes the others away.
        body.json_in_parts(expected).map_err(|problem| failed(format!("{url} answered, {problem}")))
    }
}

/// A URL as texts may have it: without user, password and query, which may be keys.
pub fn without_secrets(url: &Url) -> Url {
    let mut url = url.clone();
    // URLs that can't have a user have none.
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    url.set_query(None);
    url.set_fragment(None);
    url
}
