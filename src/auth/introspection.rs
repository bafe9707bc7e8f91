//! Tokens that say nothing by themselves: the issuer is asked (RFC 7662), and its answer remembered for a short time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use quick_cache::sync::Cache;
use reqwest::RequestBuilder;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde::Deserialize;
use tokio::sync::{Semaphore, watch};
use tracing::warn;
use url::form_urlencoded::Serializer;

use super::claims::{Claims, Origin};
use super::{AuthError, Caller};
use crate::clock::{Clock, after};
use crate::config::{AudienceTold, Auth, Introspection};
use crate::outbound::{Outbound, add_client_credentials, error_chain, read_limited};

/// Largest answer; real ones have some KiB.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Questions that wait for their turn, for each that may be asked at the same time: more would only wait for nothing.
const WAITING: usize = 8;

type TokenHash = [u8; 32];

/// What became of a question, and until when it is remembered.
#[derive(Debug, Clone)]
struct Verdict {
    told: Result<Arc<Caller>, AuthError>,
    until: Timestamp,
}

/// A question that is being asked; who waits for its answer shares it, whatever it is.
type Asked = watch::Receiver<Option<Verdict>>;

/// Asks the issuer about tokens.
#[derive(Debug)]
pub struct Introspector {
    settings: Introspection,
    auth: Auth,
    http: Arc<Outbound>,
    clock: Arc<dyn Clock>,
    good: Cache<TokenHash, Verdict>,
    /// Apart from the good ones: a flood of forged tokens must not push those out.
    refused: Cache<TokenHash, Verdict>,
    under_way: Mutex<HashMap<TokenHash, Asked>>,
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
    /// Nothing is asked before the first token comes. `auth.remembered_tokens` bounds each of both memories.
    pub fn new(settings: Introspection, auth: Auth, http: Arc<Outbound>, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            places: Semaphore::new(settings.max_concurrency),
            good: Cache::new(auth.remembered_tokens),
            refused: Cache::new(auth.remembered_tokens),
            under_way: Mutex::default(),
            settings,
            auth,
            http,
            clock,
        })
    }

    /// The bearer of a token that is no JWT; `hash` is the token's hash. Who asks for a token about which the issuer is
    /// being asked waits for that answer.
    ///
    /// # Errors
    /// [`AuthError::Invalid`] for a token that is not good, [`AuthError::IssuerUnavailable`] if that can't be told.
    pub async fn ask(self: &Arc<Self>, token: &str, hash: TokenHash) -> Result<Arc<Caller>, AuthError> {
        if !is_b64token(token) {
            return Err(AuthError::Invalid("the token has characters that no bearer token has"));
        }
        let remembered = self.good.get(&hash).or_else(|| self.refused.get(&hash));
        if let Some(verdict) = remembered.filter(|verdict| self.clock.now() < verdict.until) {
            return verdict.told;
        }
        let mut asked = self.question(token, hash)?;
        match asked.wait_for(Option::is_some).await.map(|verdict| verdict.clone()) {
            Ok(Some(verdict)) => verdict.told,
            _ => Err(AuthError::IssuerUnavailable("the question broke off".to_owned())),
        }
    }

    /// Asks, or joins who asks. It runs in a task of its own: a caller that hangs up cancels its waiting, never the
    /// question that others wait for.
    fn question(self: &Arc<Self>, token: &str, hash: TokenHash) -> Result<Asked, AuthError> {
        let mut under_way = self.under_way();
        if let Some(asked) = under_way.get(&hash) {
            return Ok(asked.clone());
        }
        if under_way.len() >= self.settings.max_concurrency.saturating_mul(WAITING + 1) {
            return Err(AuthError::IssuerUnavailable("too many questions wait for an answer".to_owned()));
        }
        let (tell, asked) = watch::channel(None);
        under_way.insert(hash, asked.clone());
        let (introspector, token) = (Arc::clone(self), token.to_owned());
        tokio::spawn(async move {
            // Whatever happens, a panic too: the next one may ask again.
            let _ending = FetchGuard { introspector: &introspector, hash };
            let verdict = introspector.ask_anew(&token).await;
            introspector.remember(hash, &verdict);
            tell.send_replace(Some(verdict));
        });
        Ok(asked)
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<TokenHash, Asked>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, hash: TokenHash, verdict: &Verdict) {
        match verdict.told {
            Ok(_) => self.good.insert(hash, verdict.clone()),
            Err(AuthError::Invalid(_)) => {
                self.good.remove(&hash);
                self.refused.insert(hash, verdict.clone());
            }
            // Nothing is known that could be remembered.
            Err(_) => {}
        }
    }

    async fn ask_anew(&self, token: &str) -> Verdict {
        // A question waits for its turn as long as it may take itself.
        let place = tokio::time::timeout(self.auth.timeout, self.places.acquire()).await;
        let asked_at = self.clock.now();
        let answered = match place {
            Ok(Ok(_place)) => self.request(token).await,
            _ => Err("as many questions as are allowed at the same time wait for an answer".to_owned()),
        };
        let judged = answered.map_err(AuthError::IssuerUnavailable).and_then(|answer| self.judge(&answer));
        match judged {
            Ok(caller) => {
                // The leeway is for clocks that differ, not for a longer memory: from `exp` on, the issuer is asked again.
                let exp = caller.expires_at.checked_sub(self.auth.leeway).unwrap_or(caller.expires_at);
                Verdict { until: after(asked_at, self.settings.cache).min(exp), told: Ok(Arc::new(caller)) }
            }
            Err(error) => {
                if let AuthError::IssuerUnavailable(problem) = &error {
                    warn!(problem, "the issuer can't be asked about a token");
                }
                Verdict { until: after(self.clock.now(), self.settings.negative_cache), told: Err(error) }
            }
        }
    }

    fn judge(&self, answer: &Answer) -> Result<Caller, AuthError> {
        if !answer.active {
            return Err(AuthError::Invalid("the issuer says that the token is not active"));
        }
        if self.settings.audience == AudienceTold::Required && !answer.claims.has("aud") {
            return Err(AuthError::Invalid("the issuer does not say for whom the token is"));
        }
        let expires_at = answer.claims.accept(Origin::Introspection, &self.auth, self.clock.now())?;
        Caller::of(&answer.claims, &self.auth, expires_at)
    }

    /// RFC 7662 §2.1
    fn form(&self, token: &str) -> Result<RequestBuilder, String> {
        let Introspection { url, client_id, client_secret, auth, .. } = &self.settings;
        // Read anew, so that a rotated secret file is used at once.
        let secret = client_secret.read()?;
        let mut form = Serializer::new(String::new());
        form.append_pair("token", token).append_pair("token_type_hint", "access_token");
        let request =
            add_client_credentials(self.http.client().post(url.clone()), &mut form, client_id, &secret, *auth);
        let request = request.header(ACCEPT, "application/json");
        Ok(request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.finish()))
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that asks the issuer about tokens")]
    async fn request(&self, token: &str) -> Result<Answer, String> {
        let (url, request) = (&self.settings.url, self.form(token)?);
        let answer = request.send().await.map_err(|error| format!("{url}: {}", error_chain(&error)))?;
        if !answer.status().is_success() {
            return Err(format!("{url} answered {}", answer.status().as_u16()));
        }
        let body = read_limited(answer, MAX_ANSWER_BYTES).await.map_err(|problem| format!("{url} {problem}"))?;
        serde_json::from_slice(&body).map_err(|error| format!("{url}: {error}"))
    }
}

/// The end of a question, also of one that panics.
struct FetchGuard<'i> {
    introspector: &'i Introspector,
    hash: TokenHash,
}

impl Drop for FetchGuard<'_> {
    fn drop(&mut self) {
        self.introspector.under_way().remove(&self.hash);
    }
}

/// RFC 6750 §2.1
fn is_b64token(token: &str) -> bool {
    let body = token.trim_end_matches('=');
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/');
    !body.is_empty() && body.bytes().all(is_token)
}
