//! Tokens for 11VMS (OAuth2): fetched once for all who wait, renewed before they expire.
//!
//! Owns when a token is fetched; `token/request.rs` knows how.

mod assertion;
mod request;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use thiserror::Error;
use tokio::sync::Mutex;
use url::Url;

use crate::clock::{Clock, after};
use crate::config::TargetOAuth2;
use crate::outbound::Outbound;

/// Assumed lifetime where the token endpoint gives none: short enough for any server that does expire tokens.
const CAUTIOUS_LIFETIME: Duration = Duration::from_mins(5);

/// A token is renewed this long before it expires, so that none expires on its way; a tenth of a short lifetime.
const RENEW_BEFORE: Duration = Duration::from_mins(1);

/// No token could be had.
#[derive(Debug, Clone, Error)]
pub enum TokenError {
    /// The secret's file, or the private key, can't be used.
    #[error("{0}")]
    Secret(String),
    /// The token endpoint refused, or its answer can't be read.
    #[error("the token endpoint {0}")]
    Endpoint(String),
}

/// A token in use.
#[derive(Debug, Clone)]
pub struct AccessToken {
    /// What goes into `Authorization: Bearer`.
    pub value: Arc<SecretString>,
    /// `instance_url`: where it is to be used, if not at `target.base_url`'s host.
    pub instance: Option<Url>,
    renew_at: Timestamp,
    expires_at: Timestamp,
}

/// The source of tokens for 11VMS.
#[derive(Debug)]
pub struct TokenSource {
    settings: TargetOAuth2,
    http: Arc<Outbound>,
    clock: Arc<dyn Clock>,
    last: Mutex<LastFetch>,
    /// Fetches that ended; who waited for one that failed shares its failure.
    fetches: AtomicU64,
}

/// What the fetches so far have left.
#[derive(Debug, Default)]
struct LastFetch {
    token: Option<AccessToken>,
    failure: Option<TokenError>,
}

impl TokenSource {
    /// Nothing is fetched before the first token is needed.
    pub fn new(settings: TargetOAuth2, http: Arc<Outbound>, clock: Arc<dyn Clock>) -> Self {
        Self { settings, http, clock, last: Mutex::default(), fetches: AtomicU64::new(0) }
    }

    /// A valid token. Whoever comes while one is fetched waits for that one.
    ///
    /// # Errors
    /// If none is known and none can be had.
    pub async fn get(&self) -> Result<AccessToken, TokenError> {
        let before = self.fetches.load(Ordering::Acquire);
        let mut last = self.last.lock().await;
        if let Some(token) = last.token.as_ref().filter(|token| self.clock.now() < token.renew_at) {
            return Ok(token.clone());
        }
        let failed_meanwhile = last.failure.clone().filter(|_| self.fetches.load(Ordering::Acquire) > before);
        let fetched = if let Some(failure) = failed_meanwhile {
            Err(failure)
        } else {
            let fetched = self.fetch().await;
            self.fetches.fetch_add(1, Ordering::AcqRel);
            fetched
        };
        match fetched {
            Ok(token) => {
                *last = LastFetch { token: Some(token.clone()), failure: None };
                Ok(token)
            }
            Err(failure) => {
                last.failure = Some(failure.clone());
                // If the token was only to be renewed, it serves as long as it is valid.
                let valid = last.token.clone().filter(|token| self.clock.now() < token.expires_at);
                valid.ok_or(failure)
            }
        }
    }

    /// 11VMS refused this token (401): the next caller fetches another, unless somebody already did.
    pub async fn discard(&self, refused: &AccessToken) {
        let mut last = self.last.lock().await;
        if last.token.as_ref().is_some_and(|token| Arc::ptr_eq(&token.value, &refused.value)) {
            last.token = None;
        }
    }

    async fn fetch(&self) -> Result<AccessToken, TokenError> {
        let asked_at = self.clock.now();
        let granted = request::token(&self.settings, &self.http.client(), asked_at).await?;
        let lifetime = granted.expires_in.unwrap_or(CAUTIOUS_LIFETIME);
        let usable = lifetime.saturating_sub(RENEW_BEFORE.min(lifetime / 10));
        Ok(AccessToken {
            value: Arc::new(granted.value),
            instance: granted.instance,
            renew_at: after(asked_at, usable),
            expires_at: after(asked_at, lifetime),
        })
    }
}
