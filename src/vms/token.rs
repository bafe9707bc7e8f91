//! Tokens for 11VMS: OAuth2 client credentials (RFC 6749 §4.4), fetched once for all who wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use oauth2::basic::{BasicClient, BasicErrorResponse, BasicTokenType};
use oauth2::http::{self, Response};
use oauth2::{
    AsyncHttpClient, AuthType, ClientId, ClientSecret, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse,
    RequestTokenError, Scope, StandardErrorResponse, TokenResponse as _, TokenUrl,
};
use reqwest::Client;
use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;
use tokio::sync::Mutex;

use super::client::{chain, read_limited};
use crate::clock::{Clock, after};
use crate::config::{ClientAuth, TargetOAuth2};

/// Assumed lifetime where the token endpoint gives none: short enough for any server that does expire tokens.
const CAUTIOUS_LIFETIME: Duration = Duration::from_mins(5);

/// A token is renewed this long before it expires, so that none expires on its way; a tenth of a short lifetime.
const RENEW_BEFORE: Duration = Duration::from_mins(1);

/// Largest token answer; real ones have some 2 KiB.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// No token could be had.
#[derive(Debug, Clone, Error)]
pub enum TokenError {
    /// The secret's file can't be read.
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
    renew_at: Timestamp,
    expires_at: Timestamp,
}

/// The source of tokens for 11VMS.
#[derive(Debug)]
pub struct TokenSource {
    settings: TargetOAuth2,
    http: Client,
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
    pub fn new(settings: TargetOAuth2, http: Client, clock: Arc<dyn Clock>) -> Self {
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
        let client = self.client()?;
        let mut request = client.exchange_client_credentials();
        for scope in &self.settings.scopes {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        if let Some(audience) = &self.settings.audience {
            request = request.add_extra_param("audience", audience.clone());
        }
        let http = Transport(self.http.clone());
        let asked_at = self.clock.now();
        let answer = request.request_async(&http).await.map_err(|error| TokenError::Endpoint(shown(&error)))?;
        if *answer.token_type() != BasicTokenType::Bearer {
            return Err(TokenError::Endpoint("answered with a token that is no bearer token".to_owned()));
        }
        let lifetime = answer.expires_in().unwrap_or(CAUTIOUS_LIFETIME);
        let usable = lifetime.saturating_sub(RENEW_BEFORE.min(lifetime / 10));
        let value = SecretString::from(answer.access_token().secret().clone());
        Ok(AccessToken {
            value: Arc::new(value),
            renew_at: after(asked_at, usable),
            expires_at: after(asked_at, lifetime),
        })
    }

    fn client(&self) -> Result<Configured, TokenError> {
        let secret = self.secret()?;
        let url = TokenUrl::new(self.settings.token_url.to_string())
            .map_err(|error| TokenError::Endpoint(error.to_string()))?;
        let auth = match self.settings.auth {
            ClientAuth::Basic => AuthType::BasicAuth,
            ClientAuth::Post => AuthType::RequestBody,
        };
        Ok(BasicClient::new(ClientId::new(self.settings.client_id.clone()))
            .set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()))
            .set_auth_type(auth)
            .set_token_uri(url))
    }

    /// Read anew for every fetch, so that a rotated secret file is used at once.
    fn secret(&self) -> Result<SecretString, TokenError> {
        self.settings.client_secret.read().map_err(TokenError::Secret)
    }
}

type Configured = BasicClient<EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// What went wrong, without anything that was sent.
fn shown(error: &RequestTokenError<TransportError, BasicErrorResponse>) -> String {
    match error {
        RequestTokenError::ServerResponse(refusal) => {
            // Only the code: a description may repeat what was sent.
            let refusal: &StandardErrorResponse<_> = refusal;
            format!("refused: {}", refusal.error().as_ref())
        }
        RequestTokenError::Request(error) => format!("can't be reached: {error}"),
        RequestTokenError::Parse(error, _) => format!("gave an answer that can't be read: {error}"),
        RequestTokenError::Other(error) => format!("gave an unexpected answer: {error}"),
    }
}

/// `oauth2`'s view of reqwest 0.13.
struct Transport(Client);

#[derive(Debug, Error)]
enum TransportError {
    #[error("{0}")]
    Request(String),
    #[error(transparent)]
    Response(#[from] http::Error),
}

impl<'c> AsyncHttpClient<'c> for Transport {
    type Error = TransportError;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<HttpResponse, TransportError>> + Send + Sync + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let failed = |error: reqwest::Error| TransportError::Request(chain(&error));
            let request = request.try_into().map_err(failed)?;
            let answer = self.0.execute(request).await.map_err(failed)?;
            let mut response = Response::builder().status(answer.status());
            for (name, value) in answer.headers() {
                response = response.header(name, value);
            }
            let body = read_limited(answer, MAX_ANSWER_BYTES).await.map_err(TransportError::Request)?;
            Ok(response.body(body)?)
        })
    }
}
