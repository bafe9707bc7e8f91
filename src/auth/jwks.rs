//! The issuer's keys (RFC 7517): fetched once for all callers that wait, refreshed while they are used, kept through an
//! outage.
//!
//! Owns when keys are fetched and when they may be trusted; `jwks/source.rs` knows from where.

mod cache;
mod discovery;
mod fetch_error;
mod issuer_client;
mod left_out;
mod schedule;
mod source;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jsonwebtoken::Algorithm;
use thiserror::Error;
use tracing::{info, warn};
use url::Url;

use super::error::Unavailable;
use super::key::{Key, KeyHint, LeftOutKey};
use crate::clock::{Clock, Moment};
use crate::condition::{ConditionKind, Conditions};
use crate::config::{Auth, JwksTimes};
use crate::metric::Counter;
use crate::outbound::{CallDurations, Outbound};
use crate::single_flight::{Flight, Role, SingleFlight};
use cache::{CachedKeys, KeyCache};
use fetch_error::FetchError;
use left_out::LeftOutKeys;
use schedule::{FetchReason, FetchSchedule};
use source::{FetchedKeys, KeySource};

/// Why there is no key for a token.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// The issuer's current keys are known, and the token's key is none of them.
    #[error("unknown key")]
    Unknown,
    /// The issuer's keys can't be fetched.
    #[error("{0}")]
    Unavailable(Unavailable),
}

/// What a refresh came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refresh {
    /// A fetch was started for it, and has ended.
    Fetched,
    /// A fetch was under way, and has ended.
    Joined,
    /// It is too early for a fetch.
    TooEarly,
}

/// The issuer's keys.
#[derive(Debug)]
pub struct KeySet {
    source: KeySource,
    times: JwksTimes,
    clock: Arc<dyn Clock>,
    cache: KeyCache,
    left_out: LeftOutKeys,
    schedule: Mutex<FetchSchedule>,
    /// There is one key set, so there is one flight.
    fetch: SingleFlight<(), ()>,
    conditions: Conditions,
    statistics: Arc<KeyStatistics>,
}

/// What is counted of the issuer's keys.
#[derive(Debug, Default)]
pub struct KeyStatistics {
    /// Fetches that went well.
    pub fetched: Counter,
    /// Fetches that failed.
    pub failed: Counter,
    /// When keys were last fetched.
    fetched_at: Mutex<Option<Timestamp>>,
}

impl KeyStatistics {
    /// When keys were last fetched, by the wall clock; `None` if they never were.
    pub fn fetched_at(&self) -> Option<Timestamp> {
        *self.fetched_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_fetched(&self, now: Timestamp) {
        self.fetched.increment();
        *self.fetched_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }
}

/// When the keys of every issuer were last fetched: the oldest time; `None` if those of one never were.
pub fn fetched_at(statistics: &[Arc<KeyStatistics>]) -> Option<Timestamp> {
    let times: Option<Vec<Timestamp>> = statistics.iter().map(|one| one.fetched_at()).collect();
    times?.into_iter().min()
}

impl KeySet {
    /// Fetches nothing before the first key is needed.
    pub fn new(settings: &Auth, http: Arc<Outbound>, clock: Arc<dyn Clock>, conditions: Conditions) -> Self {
        Self {
            source: KeySource::new(settings, http, Arc::clone(&clock)),
            times: settings.jwks,
            clock,
            cache: KeyCache::default(),
            left_out: LeftOutKeys::default(),
            schedule: Mutex::new(FetchSchedule::new(settings.jwks.cool_down)),
            fetch: SingleFlight::default(),
            conditions,
            statistics: Arc::default(),
        }
    }

    /// What is counted of them.
    pub fn statistics(&self) -> Arc<KeyStatistics> {
        Arc::clone(&self.statistics)
    }

    /// How long the calls to the issuer took.
    pub fn calls(&self) -> Arc<CallDurations> {
        self.source.calls()
    }

    /// Fetches the keys ahead of the first token. A failure is logged, and the first token tries again.
    pub async fn warm(self: &Arc<Self>) {
        self.refresh(FetchReason::Age).await;
    }

    /// The keys that the issuer has at this moment, past cache and schedule: for a diagnosis.
    ///
    /// # Errors
    /// The reason for which they can't be fetched, or for which none of them can be used.
    pub async fn probe(&self) -> Result<(Url, Vec<Key>, Vec<LeftOutKey>), String> {
        let found = self.source.fetch().await.map_err(|failure| failure.detail)?;
        if let Some(problem) = found.problem() {
            let reasons: Vec<String> = found.left_out.iter().map(LeftOutKey::to_string).collect();
            return Err(format!("{problem} ({})", reasons.join("; ")));
        }
        Ok((found.url, found.keys, found.left_out))
    }

    /// The keys that may have signed a token: the one of its `kid` or of its certificate's thumbprint, or, as a token need not
    /// name one (RFC 7515 §4.1.4), all of its algorithm.
    ///
    /// # Errors
    /// [`KeyError::Unknown`] if the issuer does not have the key, [`KeyError::Unavailable`] if that is not known.
    pub async fn find(self: &Arc<Self>, hint: KeyHint<'_>, algorithm: Algorithm) -> Result<Vec<Arc<Key>>, KeyError> {
        let mut refreshed = Refresh::Joined;
        loop {
            let known = self.younger_than(self.times.max_age);
            let keys = known.as_ref().map(|known| known.find(hint, algorithm)).unwrap_or_default();
            if !keys.is_empty() {
                if refreshed == Refresh::Joined && !self.are_usable() {
                    refreshed = self.refresh(FetchReason::Age).await;
                    continue;
                }
                return Ok(keys);
            }
            if known.as_ref().is_some_and(|known| known.has(hint)) {
                // The key is known, and not for this algorithm: a fetch would find no other.
                return Err(KeyError::Unknown);
            }
            // A fetch that was under way when the token arrived may have begun before its key was published: another
            // one is needed.
            if refreshed != Refresh::Joined {
                let is_certain = known.is_some() && self.schedule().last_failure().is_none();
                return Err(if is_certain { KeyError::Unknown } else { self.unavailable() });
            }
            let reason = if known.is_some() { FetchReason::UnknownKey } else { FetchReason::Age };
            refreshed = self.refresh(reason).await;
        }
    }

    /// Fetches the keys because a signature is wrong, and returns whether they are others than those of `generation`, with which
    /// it was checked: the issuer may have replaced a key under its name, or one that has no name.
    ///
    /// # Errors
    /// [`KeyError::Unavailable`] if that is not known, because the last fetch has failed.
    pub async fn changed_on_refresh(self: &Arc<Self>, generation: u64) -> Result<bool, KeyError> {
        // A fetch that was under way when the token arrived may have begun before its key was published: another one is
        // needed.
        let mut refreshed = Refresh::Joined;
        while self.generation() == generation && refreshed == Refresh::Joined {
            refreshed = self.refresh(FetchReason::UnknownKey).await;
        }
        let has_changed = self.generation() != generation;
        let is_certain = has_changed || self.schedule().last_failure().is_none();
        if is_certain { Ok(has_changed) } else { Err(self.unavailable()) }
    }

    /// Changes whenever the issuer's keys do: then every token has to be verified again.
    pub fn generation(&self) -> u64 {
        self.cache.generation()
    }

    /// Whether the keys may be trusted without a fetch; starts one in the background if they are due for it.
    ///
    /// Keys in use are refreshed in time, and no caller waits for it. Keys that nobody used for twice the refresh
    /// interval may have been withdrawn meanwhile: they have to be fetched first, unless a fetch has just failed.
    pub fn are_usable(self: &Arc<Self>) -> bool {
        if self.younger_than(self.times.refresh).is_none() {
            let _ = self.start_fetch(FetchReason::Age);
        }
        let in_use = self.younger_than(self.times.refresh.saturating_mul(2)).is_some();
        let just_tried = || self.schedule().ended_within(self.times.refresh, self.clock.moment());
        self.younger_than(self.times.max_age).is_some() && (in_use || just_tried())
    }

    fn unavailable(&self) -> KeyError {
        let (now, schedule) = (self.clock.moment(), self.schedule());
        let detail = schedule.last_failure().map(|failure| failure.detail.clone());
        let detail = detail.unwrap_or_else(|| "none are known yet".to_owned());
        KeyError::Unavailable(Unavailable { detail, retry_after: schedule.wait(now) })
    }

    fn younger_than(&self, age: Duration) -> Option<Arc<CachedKeys>> {
        self.cache.younger_than(age, self.clock.moment())
    }

    /// Fetches the keys, or waits for the fetch under way.
    async fn refresh(self: &Arc<Self>, reason: FetchReason) -> Refresh {
        let Some(flight) = self.start_fetch(reason) else { return Refresh::TooEarly };
        let refreshed = if flight.role == Role::Initiator { Refresh::Fetched } else { Refresh::Joined };
        // The schedule has the outcome, also of a fetch that broke off.
        let _ = flight.result().await;
        refreshed
    }

    /// Starts a fetch or joins the one under way; `None` if it is too early for one.
    fn start_fetch(self: &Arc<Self>, reason: FetchReason) -> Option<Flight<()>> {
        let plan = |_| {
            if !self.schedule().allows(reason, self.clock.moment()) {
                return Err(());
            }
            let attempt = FetchAttempt::new(Arc::clone(self), reason);
            Ok(async move { attempt.run().await })
        };
        self.fetch.join_or_start((), plan).ok()
    }

    fn take_over(&self, keys: Vec<Key>, url: &Url, now: Moment) {
        info!(url.full = %url, jwks.keys = keys.len(), "the issuer's keys were fetched");
        self.cache.replace(keys, now);
        self.statistics.is_fetched(self.clock.now());
        self.conditions.clear(ConditionKind::IssuerUnavailable, self.source.location());
    }

    fn report(&self, failure: &FetchError) {
        warn!(
            url.full = failure.location,
            error.message = failure.detail,
            "the issuer's keys can't be fetched: known ones serve for auth.jwks_max_age, without them requests get 503"
        );
        let (kind, location) = (ConditionKind::IssuerUnavailable, self.source.location());
        self.conditions.raise(kind, location, &failure.detail, self.clock.now());
        self.statistics.failed.increment();
    }

    fn schedule(&self) -> MutexGuard<'_, FetchSchedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A fetch of which the outcome is always recorded, also if it panics.
struct FetchAttempt {
    keys: Arc<KeySet>,
    reason: FetchReason,
    outcome: Result<FetchedKeys, FetchError>,
}

impl FetchAttempt {
    fn new(keys: Arc<KeySet>, reason: FetchReason) -> Self {
        let broken_off = FetchError::new(keys.source.location(), "the fetch broke off".to_owned());
        Self { keys, reason, outcome: Err(broken_off) }
    }

    async fn run(mut self) {
        self.outcome = self.keys.source.fetch().await;
    }
}

impl Drop for FetchAttempt {
    fn drop(&mut self) {
        let (set, now) = (&self.keys, self.keys.clock.moment());
        let failure = match &mut self.outcome {
            Ok(fetched) => {
                // Also where there is no other key: nobody would learn why.
                set.left_out.report(&fetched.url, &fetched.left_out);
                let problem = fetched.problem();
                if problem.is_none() {
                    set.take_over(std::mem::take(&mut fetched.keys), &fetched.url, now);
                }
                problem.map(|problem| FetchError::new(fetched.url.as_str(), problem))
            }
            Err(failure) => Some(failure.clone()),
        };
        if let Some(failure) = &failure {
            set.report(failure);
        }
        set.schedule().record_end(self.reason, failure, now);
    }
}

#[cfg(test)]
mod tests;
