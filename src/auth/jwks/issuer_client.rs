//! GET requests to the issuer, for its metadata and its keys.

use std::sync::Arc;

use reqwest::header::RETRY_AFTER;
use serde::de::DeserializeOwned;
use url::Url;

use super::fetch_error::FetchError;
use crate::clock::Clock;
use crate::outbound::{Outbound, error_chain, read_limited, retry_after};

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

    /// A JSON document.
    ///
    /// # Errors
    /// [`FetchError`], with the issuer's `Retry-After` if its status is no success.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the issuer for its keys")]
    pub async fn get<T: DeserializeOwned>(&self, url: &Url) -> Result<T, FetchError> {
        let failed = |detail: String| FetchError::new(url.as_str(), detail);
        let request = self.http.client().get(url.clone());
        let answer = request.send().await.map_err(|error| failed(format!("{url}: {}", error_chain(&error))))?;
        if !answer.status().is_success() {
            let wait = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            let wait = wait.and_then(|text| retry_after(text, self.clock.now()));
            let refused = failed(format!("{url} answered {}", answer.status().as_u16()));
            return Err(FetchError { retry_after: wait, ..refused });
        }
        let body =
            read_limited(answer, MAX_ANSWER_BYTES).await.map_err(|problem| failed(format!("{url} {problem}")))?;
        serde_json::from_slice(&body).map_err(|error| failed(format!("{url}: {error}")))
    }
}
