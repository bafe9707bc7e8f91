//! The source of the issuer's keys: a configured URL, or the one that discovery finds.

use std::sync::Arc;

use url::Url;

use super::discovery::discover;
use super::fetch_error::FetchError;
use super::issuer_client::{IssuerClient, without_secrets};
use crate::auth::key::{JwkSet, Key, LeftOutKey};
use crate::clock::Clock;
use crate::config::Auth;
use crate::outbound::{CallDurations, Outbound};

/// Keys, and the URL that they are from.
#[derive(Debug)]
pub struct FetchedKeys {
    /// Those that can verify tokens.
    pub keys: Vec<Key>,
    /// The others.
    pub left_out: Vec<LeftOutKey>,
    /// `auth.jwks_url`, or the discovered `jwks_uri`; without its query, because it is logged.
    pub url: Url,
}

impl FetchedKeys {
    /// What is wrong with them, if none can verify tokens. The reasons are not in it: each is told once.
    pub fn problem(&self) -> Option<String> {
        let (url, left_out) = (&self.url, self.left_out.len());
        self.keys.is_empty().then(|| format!("{url} has no key that can verify tokens; left out: {left_out}"))
    }
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

    /// The issuer's keys.
    ///
    /// # Errors
    /// [`FetchError`]
    pub async fn fetch(&self) -> Result<FetchedKeys, FetchError> {
        let url = match &self.jwks_url {
            Some(url) => url.clone(),
            None => discover(&self.client, &self.issuer).await?,
        };
        let set: JwkSet = self.client.get(&url, "a key set (RFC 7517)").await?;
        let (keys, left_out) = set.read();
        Ok(FetchedKeys { keys, left_out, url: without_secrets(&url) })
    }
}
