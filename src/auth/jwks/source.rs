//! The source of the issuer's keys: a configured URL, or the one that discovery finds.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::discovery::discover;
use super::fetch_error::FetchError;
use super::issuer_client::IssuerClient;
use crate::auth::key::Key;
use crate::clock::Clock;
use crate::config::Auth;
use crate::outbound::{CallDurations, Outbound};

/// Keys, and the URL that they are from.
#[derive(Debug)]
pub struct FetchedKeys {
    /// At least one.
    pub keys: Vec<Key>,
    /// `auth.jwks_url`, or the discovered `jwks_uri`; without its query, because it is logged.
    pub url: Url,
}

/// RFC 7517 §5; members are read one by one.
#[derive(Debug, Deserialize)]
struct JwkSet {
    keys: Vec<Value>,
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
        // A key of a kind that is not known here must not hide the others.
        let keys: Vec<Key> =
            set.keys.into_iter().filter_map(|key| Key::parse(&serde_json::from_value(key).ok()?)).collect();
        if keys.is_empty() {
            return Err(FetchError::new(url.as_str(), format!("{url} has no key that can verify tokens")));
        }
        url.set_query(None);
        Ok(FetchedKeys { keys, url })
    }
}
