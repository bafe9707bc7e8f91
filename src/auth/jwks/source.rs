//! The source of the issuer's keys: a configured URL, or the one that discovery finds.

use std::sync::Arc;

use url::Url;

use super::discovery::discover;
use super::fetch_error::FetchError;
use super::issuer_client::IssuerClient;
use crate::auth::key::{JwkSet, Key, LeftOutKey};
use crate::clock::Clock;
use crate::config::Auth;
use crate::outbound::{CallDurations, Outbound};

/// Keys, and the URL that they are from.
#[derive(Debug)]
pub struct FetchedKeys {
    /// At least one.
    pub keys: Vec<Key>,
    /// Those that can't verify tokens.
    pub left_out: Vec<LeftOutKey>,
    /// `auth.jwks_url`, or the discovered `jwks_uri`; without its query, because it is logged.
    pub url: Url,
}

/// The place of the issuer's keys.
#[derive(Debug)]
pub struct KeySource {
    issuer: String,
    jwks_url: Option<Url>,
    client: IssuerClient,
}

impl KeySource {
    /// Fetches nothing yet.
    pub fn new(settings: &Auth, http: Arc<Outbound>, clock: Arc<dyn Clock>) -> Self {
        Self {
            issuer: settings.issuer.clone(),
            jwks_url: settings.jwks_url.clone(),
            client: IssuerClient::new(http, clock),
        }
    }

    /// How long the calls to the issuer took.
    pub fn calls(&self) -> Arc<CallDurations> {
        self.client.calls()
    }

    /// The configured URL of the keys, else the issuer.
    pub fn location(&self) -> &str {
        self.jwks_url.as_ref().map_or(&self.issuer, Url::as_str)
    }

    /// The issuer's keys that can verify tokens.
    ///
    /// # Errors
    /// [`FetchError`], also if there is no such key.
    pub async fn fetch(&self) -> Result<FetchedKeys, FetchError> {
        let mut url = match &self.jwks_url {
            Some(url) => url.clone(),
            None => discover(&self.client, &self.issuer).await?,
        };
        let set: JwkSet = self.client.get(&url, "a key set (RFC 7517)").await?;
        let (keys, left_out) = set.read();
        if keys.is_empty() {
            return Err(FetchError::new(url.as_str(), no_key(&url, &left_out)));
        }
        url.set_query(None);
        Ok(FetchedKeys { keys, left_out, url })
    }
}

/// What is wrong with a key set without a key that can be used: the first reasons say it all.
fn no_key(url: &Url, left_out: &[LeftOutKey]) -> String {
    const MAX_REASONS: usize = 3;
    let reasons = left_out.iter().take(MAX_REASONS).map(LeftOutKey::to_string).collect::<Vec<_>>().join("; ");
    let separator = if reasons.is_empty() { "" } else { ": " };
    format!("{url} has no key that can verify tokens{separator}{reasons}")
}
