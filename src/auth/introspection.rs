//! The issuer is asked about tokens (RFC 7662): about those that are no JWTs, and about all where revoked ones must be found.
//! Its answer is cached for a short time.
//!
//! Owns when the issuer is asked, and what its answer means; `introspection/endpoint.rs` sends the request.

mod cache;
mod endpoint;

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::Semaphore;
use tracing::warn;
use url::Url;

use super::acceptance::{Origin, accept};
use super::caller::{Caller, IssuerNames};
use super::error::{AuthError, Unavailable};
use crate::clock::Clock;
use crate::condition::{ConditionKind, Conditions};
use crate::config::{AudienceClaim, Auth, Introspection, JwtCheck};
use crate::outbound::Outbound;
use crate::single_flight::{BrokenOff, Flight, SingleFlight};
use cache::{CachedVerdict, TokenHash, VerdictCache};
use endpoint::{IntrospectionEndpoint, IntrospectionResponse};

/// Requests that may wait for each of the `max_concurrency` ones: the last waits eight turns, with a slow issuer as
/// long as `auth.timeout`, and more would only fail later.
const WAITING_PER_PERMIT: usize = 8;

/// The issuer does not know the token, or not any more.
pub const NOT_ACTIVE: AuthError = AuthError::Invalid("the issuer says that the token is not active");

/// Asks the issuer about tokens.
#[derive(Debug)]
pub struct Introspector {
    settings: Introspection,
    auth: Auth,
    names: Arc<IssuerNames>,
    endpoint: IntrospectionEndpoint,
    clock: Arc<dyn Clock>,
    cache: VerdictCache,
    flights: SingleFlight<TokenHash, CachedVerdict>,
    permits: Semaphore,
    conditions: Conditions,
}

impl Introspector {
    /// Sends nothing before the first token arrives.
    pub fn new(
        settings: Introspection,
        auth: Auth,
        names: Arc<IssuerNames>,
        http: Arc<Outbound>,
        clock: Arc<dyn Clock>,
        conditions: Conditions,
    ) -> Arc<Self> {
        Arc::new(Self {
            permits: Semaphore::new(settings.max_concurrency),
            cache: VerdictCache::new(auth.remembered_tokens),
            flights: SingleFlight::default(),
            endpoint: IntrospectionEndpoint::new(&settings, http, Arc::clone(&clock)),
            settings,
            auth,
            names,
            clock,
            conditions,
        })
    }

    /// The bearer of a token, as the issuer sees it. Concurrent callers with one token share one request.
    ///
    /// # Errors
    /// [`AuthError::Invalid`] for a token that is not valid, [`AuthError::IssuerUnavailable`] if that is not known.
    pub async fn introspect(self: &Arc<Self>, token: &str, hash: TokenHash) -> Result<Arc<Caller>, AuthError> {
        if !is_b64token(token) {
            return Err(AuthError::Invalid("the token has characters that no bearer token has"));
        }
        if let Some(verdict) = self.cache.get(&hash, &*self.clock) {
            return verdict.result;
        }
        match self.join_or_request(token, hash) {
            Ok(flight) => match flight.result().await {
                Ok(verdict) => verdict.result,
                Err(BrokenOff) => Err(AuthError::IssuerUnavailable("the question broke off".to_owned().into())),
            },
            Err(known) => known,
        }
    }

    /// The request about this token that is under way, or a new one; else what makes it needless or impossible.
    fn join_or_request(
        self: &Arc<Self>,
        token: &str,
        hash: TokenHash,
    ) -> Result<Flight<CachedVerdict>, Result<Arc<Caller>, AuthError>> {
        let limit = self.settings.max_concurrency.saturating_mul(WAITING_PER_PERMIT + 1);
        self.flights.join_or_start(hash, |under_way| {
            // The request about this token may just have ended.
            if let Some(verdict) = self.cache.get(&hash, &*self.clock) {
                return Err(verdict.result);
            }
            self.endpoint.check_pause().map_err(|throttled| Err(AuthError::IssuerUnavailable(throttled)))?;
            if under_way >= limit {
                let detail = "too many questions wait for an answer".to_owned();
                return Err(Err(AuthError::IssuerUnavailable(detail.into())));
            }
            let (introspector, token) = (Arc::clone(self), token.to_owned());
            Ok(async move {
                let verdict = introspector.request(&token).await;
                introspector.cache.insert(hash, &verdict);
                verdict
            })
        })
    }

    async fn request(&self, token: &str) -> CachedVerdict {
        // A request waits for its permit as long as it may take itself.
        let permit = tokio::time::timeout(self.auth.timeout, self.permits.acquire()).await;
        let asked_at = self.clock.moment();
        let answered = match permit {
            Ok(Ok(_permit)) => self.endpoint.introspect(token).await,
            _ => Err("as many questions as are allowed at the same time wait for an answer".to_owned().into()),
        };
        self.report(answered.as_ref().err());
        match answered.map_err(AuthError::IssuerUnavailable).and_then(|response| self.judge(&response)) {
            Ok(caller) => {
                // The leeway is for clocks that differ, and does not prolong the cache: from `exp` on, the issuer is
                // asked again.
                let expires_at = caller.expires_at.checked_sub(self.auth.leeway).unwrap_or(caller.expires_at);
                let valid_until = asked_at.after(self.settings.cache);
                CachedVerdict { result: Ok(Arc::new(caller)), valid_until, expires_at }
            }
            Err(error) => {
                // The begin of a pause was told by the endpoint, for all that waits.
                if let AuthError::IssuerUnavailable(unavailable @ Unavailable { retry_after: None, .. }) = &error {
                    warn!(
                        url.full = %self.settings.url,
                        error.message = unavailable.detail,
                        "the introspection of a token failed: requests with it get 503, and nothing is recorded"
                    );
                }
                let valid_until = self.clock.moment().after(self.settings.negative_cache);
                CachedVerdict { result: Err(error), valid_until, expires_at: Timestamp::MAX }
            }
        }
    }

    /// An answer shows that the issuer works, whatever it says of the token.
    fn report(&self, failure: Option<&Unavailable>) {
        let (kind, url) = (ConditionKind::IssuerUnavailable, self.settings.url.as_str());
        match failure {
            Some(unavailable) => self.conditions.raise(kind, url, &unavailable.detail, self.clock.now()),
            None => self.conditions.clear(kind, url),
        }
    }

    /// Asks about a token that nobody has, past the cache: for a diagnosis. Whether it is active, which it should not be.
    ///
    /// # Errors
    /// The reason for which there is no answer.
    pub async fn probe(&self) -> Result<bool, String> {
        let answered = self.endpoint.introspect("a-token-that-nobody-has").await;
        answered.map(|response| response.active).map_err(|unavailable| unavailable.detail)
    }

    /// Whether the issuer is asked about JWTs as well.
    pub fn covers_jwts(&self) -> bool {
        self.settings.jwt == JwtCheck::Introspect
    }

    /// The introspection endpoint.
    pub const fn url(&self) -> &Url {
        &self.settings.url
    }

    fn judge(&self, response: &IntrospectionResponse) -> Result<Caller, AuthError> {
        if !response.active {
            return Err(NOT_ACTIVE);
        }
        if self.settings.audience == AudienceClaim::Required && !response.claims.has("aud") {
            return Err(AuthError::Invalid("the issuer does not say for whom the token is"));
        }
        let expires_at = accept(&response.claims, Origin::Introspection, &self.auth, self.clock.now())?;
        Caller::from_claims(&response.claims, &self.auth, &self.names, expires_at)
    }
}

/// RFC 6750 §2.1
fn is_b64token(token: &str) -> bool {
    let body = token.trim_end_matches('=');
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/');
    !body.is_empty() && body.bytes().all(is_allowed)
}
