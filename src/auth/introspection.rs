//! Tokens that say nothing by themselves: the issuer is asked (RFC 7662), and its answer remembered for a short time.

use std::sync::Arc;

use jiff::Timestamp;
use quick_cache::sync::Cache;
use reqwest::RequestBuilder;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use tokio::sync::Semaphore;
use tracing::warn;
use url::form_urlencoded::Serializer;

use super::claims::{Claims, Origin};
use super::{AuthError, Caller};
use crate::clock::{Clock, after};
use crate::config::{Auth, ClientAuth, Introspection};
use crate::outbound::{Outbound, basic, chain, read_limited};

/// Largest answer; real ones have some KiB.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

type Name = [u8; 32];

/// Something that is remembered for a while.
#[derive(Debug, Clone)]
struct Remembered<T> {
    value: T,
    until: Timestamp,
}

/// Asks the issuer about tokens.
#[derive(Debug)]
pub struct Introspector {
    settings: Introspection,
    http: Arc<Outbound>,
    clock: Arc<dyn Clock>,
    good: Cache<Name, Remembered<Arc<Caller>>>,
    /// Apart from the good ones: a flood of forged tokens must not push those out.
    refused: Cache<Name, Remembered<&'static str>>,
    places: Semaphore,
}

/// The issuer's answer.
#[derive(Debug, Deserialize)]
struct Answer {
    active: bool,
    #[serde(flatten)]
    claims: Claims,
}

impl Introspector {
    /// Nothing is asked before the first token comes. `remembered` bounds both memories.
    pub fn new(settings: Introspection, remembered: usize, http: Arc<Outbound>, clock: Arc<dyn Clock>) -> Self {
        let places = Semaphore::new(settings.max_concurrency);
        Self { settings, http, clock, good: Cache::new(remembered), refused: Cache::new(remembered), places }
    }

    /// The bearer of a token that is no JWT; `name` is the token's hash. Who asks for a token about which the issuer is
    /// being asked waits for that answer.
    ///
    /// # Errors
    /// [`AuthError::Invalid`] for a token that is not good, [`AuthError::IssuerUnavailable`] if that can't be told.
    pub async fn ask(&self, token: &str, name: Name, settings: &Auth) -> Result<Arc<Caller>, AuthError> {
        if !is_b64token(token) {
            return Err(AuthError::Invalid("the token has characters that no bearer token has"));
        }
        loop {
            self.recall_refusal(&name)?;
            match self.good.get_value_or_guard_async(&name).await {
                Ok(known) if self.clock.now() < known.until => return Ok(known.value),
                Ok(_) => {
                    self.good.remove(&name);
                }
                Err(guard) => {
                    // Who waited for another's question may find that it was answered with no.
                    self.recall_refusal(&name)?;
                    let known = self.ask_anew(token, settings).await.inspect_err(|error| self.remember(name, error))?;
                    // Where it can't be inserted, it was removed meanwhile: it is good all the same.
                    let _ = guard.insert(known.clone());
                    return Ok(known.value);
                }
            }
        }
    }

    fn recall_refusal(&self, name: &Name) -> Result<(), AuthError> {
        let refused = self.refused.get(name).filter(|refused| self.clock.now() < refused.until);
        refused.map_or(Ok(()), |refused| Err(AuthError::Invalid(refused.value)))
    }

    fn remember(&self, name: Name, error: &AuthError) {
        if let AuthError::Invalid(value) = error {
            let until = after(self.clock.now(), self.settings.negative_cache);
            self.refused.insert(name, Remembered { value, until });
        }
    }

    async fn ask_anew(&self, token: &str, settings: &Auth) -> Result<Remembered<Arc<Caller>>, AuthError> {
        let unavailable = |detail: String| {
            warn!(problem = detail, "the issuer can't be asked about a token");
            AuthError::IssuerUnavailable(detail)
        };
        // A caller waits for a place as long as one question may take.
        let Ok(Ok(_place)) = tokio::time::timeout(settings.timeout, self.places.acquire()).await else {
            return Err(unavailable("as many questions as are allowed at the same time wait for an answer".to_owned()));
        };
        let asked_at = self.clock.now();
        let answer = self.request(token).await.map_err(unavailable)?;
        if !answer.active {
            return Err(AuthError::Invalid("the issuer says that the token is not active"));
        }
        let expires_at = answer.claims.accept(Origin::Introspection, settings, self.clock.now())?;
        let caller = Caller::of(&answer.claims, settings, expires_at)?;
        // The leeway is for clocks that differ, not for a longer memory: from `exp` on, the issuer is asked again.
        let exp = expires_at.checked_sub(settings.leeway).unwrap_or(expires_at);
        let until = after(asked_at, self.settings.cache).min(exp);
        Ok(Remembered { value: Arc::new(caller), until })
    }

    /// RFC 7662 §2.1
    fn question(&self, token: &str) -> Result<RequestBuilder, String> {
        // Read anew, so that a rotated secret file is used at once.
        let secret = self.settings.client_secret.read()?;
        let mut form = Serializer::new(String::new());
        form.append_pair("token", token).append_pair("token_type_hint", "access_token");
        let mut request = self.http.client().post(self.settings.url.clone());
        match self.settings.auth {
            ClientAuth::Basic => {
                request = request.header(AUTHORIZATION, basic(&self.settings.client_id, &secret).expose_secret());
            }
            ClientAuth::Post => {
                form.append_pair("client_id", &self.settings.client_id);
                form.append_pair("client_secret", secret.expose_secret());
            }
        }
        let request = request.header(ACCEPT, "application/json");
        Ok(request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.finish()))
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that asks the issuer about tokens")]
    async fn request(&self, token: &str) -> Result<Answer, String> {
        let url = &self.settings.url;
        let request = self.question(token)?;
        let answer = request.send().await.map_err(|error| format!("{url}: {}", chain(&error)))?;
        if !answer.status().is_success() {
            return Err(format!("{url} answered {}", answer.status().as_u16()));
        }
        let body = read_limited(answer, MAX_ANSWER_BYTES).await.map_err(|problem| format!("{url} {problem}"))?;
        serde_json::from_slice(&body).map_err(|error| format!("{url}: {error}"))
    }
}

/// RFC 6750 §2.1
fn is_b64token(token: &str) -> bool {
    let body = token.trim_end_matches('=');
    !body.is_empty()
        && body
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/'))
}
