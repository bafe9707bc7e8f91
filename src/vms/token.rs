//! Access tokens (OAuth2) for 11VMS, or for another receiver that takes them: fetched once for all callers that wait, renewed
//! before they expire.
//!
//! Owns when a token is fetched; `token/request.rs` knows how.

mod answer;
mod error;
mod request;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrecy::SecretString;
use tracing::warn;
use url::Url;

use crate::clock::{Clock, Moment};
use crate::condition::{ConditionKind, Conditions};
use crate::config::TargetOAuth2;
use crate::outbound::{Outbound, Pause};
use crate::single_flight::{BrokenOff, Flight, SingleFlight};
use crate::trace::{self, SpanKind};
use request::TokenEndpoint;

pub use answer::{TokenResponse, read_token_answer};
pub use error::TokenError;

/// A token is renewed this long before it expires, so that none expires on its way. A tenth of the lifetime, if that is
/// shorter.
const RENEWAL_MARGIN: Duration = Duration::from_mins(1);

/// A token in use.
#[derive(Debug, Clone)]
pub struct AccessToken {
    /// The value for `Authorization: Bearer`.
    pub value: Arc<SecretString>,
    /// `instance_url`: where the token is valid, if not at the host of `target.base_url`.
    pub instance_url: Option<Url>,
    renew_at: Moment,
    expires_at: Moment,
}

/// What a fetch came to.
type Fetched = Result<AccessToken, TokenError>;

/// The source of tokens for one receiver.
#[derive(Debug)]
pub struct TokenSource {
    endpoint: TokenEndpoint,
    /// What the token endpoint has asked for; no fetch begins in it.
    pause: Pause,
    http: Arc<Outbound>,
    clock: Arc<dyn Clock>,
    current: Mutex<Option<AccessToken>>,
    /// There is one token, so there is one flight.
    fetch: SingleFlight<(), Fetched>,
    conditions: Conditions,
}

impl TokenSource {
    /// Fetches nothing before the first token is needed.
    pub fn new(
        settings: TargetOAuth2,
        http: Arc<Outbound>,
        clock: Arc<dyn Clock>,
        conditions: Conditions,
    ) -> Arc<Self> {
        let (endpoint, pause) = (TokenEndpoint::new(settings), Pause::default());
        let (current, fetch) = (Mutex::default(), SingleFlight::default());
        Arc::new(Self { endpoint, pause, http, clock, current, fetch, conditions })
    }

    /// A valid token. Callers that wait for a fetch share its result, a failure too.
    ///
    /// # Errors
    /// [`TokenError`] if no valid token is known and none can be fetched.
    pub async fn get(self: &Arc<Self>) -> Result<AccessToken, TokenError> {
        let fetched = match self.join_or_fetch() {
            Ok(flight) => {
                let mut span = trace::child("fetch token", SpanKind::Internal);
                let fetched =
                    span.enclose(flight.result()).await.unwrap_or_else(|BrokenOff| Err(TokenError::BrokenOff));
                fetched.inspect_err(|failure| span.fail(failure.kind()))
            }
            Err(known) => known,
        };
        // A token that was only to be renewed serves as long as it is valid.
        fetched.or_else(|failure| self.current_before(|token| token.expires_at).ok_or(self.as_of_now(failure)))
    }

    /// A failure, with what is left of the pause: a caller may hear of it later than the others of its flight.
    fn as_of_now(&self, failure: TokenError) -> TokenError {
        match (failure, self.pause.remaining(&*self.clock)) {
            (TokenError::Throttled { problem, .. }, Some((wait, _))) => TokenError::Throttled { problem, wait },
            (TokenError::Throttled { problem, .. }, None) => TokenError::Throttled { problem, wait: Duration::ZERO },
            (failure, _) => failure,
        }
    }

    /// Discards a token that its receiver refused (401): the next caller fetches another, unless that has already happened.
    pub fn discard(&self, refused: &AccessToken) {
        let mut current = self.current();
        if current.as_ref().is_some_and(|token| Arc::ptr_eq(&token.value, &refused.value)) {
            *current = None;
        }
    }

    /// The fetch under way, or a new one; else the token that makes it needless, or the pause that forbids it.
    fn join_or_fetch(self: &Arc<Self>) -> Result<Flight<Fetched>, Fetched> {
        self.fetch.join_or_start((), |_| {
            if let Some(token) = self.current_before(|token| token.renew_at) {
                return Err(Ok(token));
            }
            if let Some((wait, problem)) = self.pause.remaining(&*self.clock) {
                return Err(Err(TokenError::Throttled { problem, wait }));
            }
            let source = Arc::clone(self);
            Ok(async move {
                let fetched = source.fetch().await;
                source.report(&fetched);
                if let Ok(token) = &fetched {
                    *source.current() = Some(token.clone());
                }
                fetched
            })
        })
    }

    async fn fetch(&self) -> Result<AccessToken, TokenError> {
        let requested_at = self.clock.moment();
        let issued = self.endpoint.request_token(&self.http, self.clock.now()).await?;
        let lifetime = issued.lifetime;
        let until_renewal = lifetime.saturating_sub(RENEWAL_MARGIN.min(lifetime / 10));
        Ok(AccessToken {
            value: Arc::new(issued.value),
            instance_url: issued.instance_url,
            renew_at: requested_at.after(until_renewal),
            expires_at: requested_at.after(lifetime),
        })
    }

    fn report(&self, fetched: &Fetched) {
        let kind = ConditionKind::TargetTokenUnavailable;
        let Err(error) = fetched else { return self.conditions.clear(kind, "") };
        if let TokenError::Throttled { problem, wait } = error {
            self.pause.begin(*wait, problem, &*self.clock);
            warn!(
                url.full = %self.endpoint.url(),
                error.message = problem,
                throttling.pause = wait.as_secs(),
                "the token endpoint throttles: it gets no request for throttling.pause seconds, and what needs a token waits"
            );
        }
        self.conditions.raise(kind, "", &error.to_string(), self.clock.now());
    }

    /// The current token, before one of its times.
    fn current_before(&self, end: impl FnOnce(&AccessToken) -> Moment) -> Option<AccessToken> {
        self.current().clone().filter(|token| self.clock.moment() < end(token))
    }

    fn current(&self) -> MutexGuard<'_, Option<AccessToken>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
