//! The issuer's keys (RFC 7517): discovered or configured, fetched once for all who wait, kept through an outage.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use jsonwebtoken::Algorithm;
use reqwest::header::RETRY_AFTER;
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;
use tokio::sync::watch;
use tracing::{info, warn};
use url::Url;

use super::key::Key;
use crate::clock::{Clock, after, between};
use crate::config::{Auth, JwksTimes};
use crate::outbound::{Outbound, error_chain, read_limited, retry_after};

/// An issuer that asks to be left alone (Retry-After) is obeyed up to here.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// Keys that are tried for one token: an issuer has two while it rotates, of each kind.
const MOST_TRIED: usize = 4;

/// Largest key set or discovery document; real ones have some KiB.
const MAX_ANSWER_BYTES: usize = 512 * 1024;

/// Where an issuer's metadata are: behind its path (OpenID Connect Discovery 1.0 §4), or before it (RFC 8414 §3).
fn metadata_urls(issuer: &Url) -> [Url; 2] {
    let path = issuer.path().trim_end_matches('/');
    let at = |path: String| {
        let mut url = issuer.clone();
        url.set_path(&path);
        url
    };
    [
        at(format!("{path}/.well-known/openid-configuration")),
        at(format!("/.well-known/oauth-authorization-server{path}")),
    ]
}

/// Why there is no key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// The issuer's current keys are known, and this is none of them.
    #[error("unknown key")]
    Unknown,
    /// The issuer's keys can't be had.
    #[error("{0}")]
    Unavailable(String),
}

#[derive(Debug)]
struct Fetched {
    keys: Vec<Key>,
    at: Timestamp,
}

/// Why keys could not be fetched.
#[derive(Debug, Clone)]
struct Failure {
    detail: String,
    /// How long the issuer wants to be left alone.
    retry_after: Option<Duration>,
}

impl From<String> for Failure {
    fn from(detail: String) -> Self {
        Self { detail, retry_after: None }
    }
}

/// Why keys are fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    /// None are known, or those that are get old.
    Age,
    /// A token names a key that is not known: the issuer may have a new one, or the token may be forged.
    UnknownKey,
}

/// What became of the wish to fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fetch {
    /// It was granted.
    Own,
    /// Another one was under way.
    Joined,
    /// It is too early for one.
    Refused,
}

/// The fetch under way, and how the last one went.
#[derive(Debug, Default)]
struct Fetching {
    under_way: Option<watch::Receiver<bool>>,
    /// When the last one ended, well or not.
    tried_at: Option<Timestamp>,
    /// No fetch begins before: the last one failed.
    not_before: Option<Timestamp>,
    /// No fetch for an unknown key begins before: one has just looked for such a key.
    not_for_unknown_before: Option<Timestamp>,
    failure: Option<Failure>,
}

/// The issuer's keys.
#[derive(Debug)]
pub struct KeySet {
    issuer: String,
    jwks_url: Option<Url>,
    http: Arc<Outbound>,
    times: JwksTimes,
    clock: Arc<dyn Clock>,
    known: ArcSwapOption<Fetched>,
    generation: AtomicU64,
    fetching: Mutex<Fetching>,
}

impl KeySet {
    /// Nothing is fetched before the first key is needed.
    pub fn new(settings: &Auth, http: Arc<Outbound>, clock: Arc<dyn Clock>) -> Self {
        Self {
            issuer: settings.issuer.clone(),
            jwks_url: settings.jwks_url.clone(),
            http,
            times: settings.jwks,
            clock,
            known: ArcSwapOption::empty(),
            generation: AtomicU64::new(0),
            fetching: Mutex::default(),
        }
    }

    /// Fetches the keys ahead of the first token; a failure is logged, and the first token tries again.
    pub async fn warm(self: &Arc<Self>) {
        self.refresh(Reason::Age).await;
    }

    /// The keys that may have signed a token: the one of its `kid`, or, as it need not name one (RFC 7515 §4.1.4), those of
    /// its algorithm, the first four.
    ///
    /// # Errors
    /// [`KeyError::Unknown`] if the issuer does not have the key, [`KeyError::Unavailable`] if that can't be told.
    pub async fn find(self: &Arc<Self>, kid: Option<&str>, algorithm: Algorithm) -> Result<Vec<Key>, KeyError> {
        let mut fetch = Fetch::Joined;
        loop {
            let known = self.fresh(self.times.max_age);
            let keys = known.as_ref().map(|known| known.find(kid, algorithm)).unwrap_or_default();
            if !keys.is_empty() {
                if fetch == Fetch::Joined && !self.are_usable() {
                    fetch = self.refresh(Reason::Age).await;
                    continue;
                }
                return Ok(keys);
            }
            if known.as_ref().is_some_and(|known| known.has(kid)) {
                // It is no other key that the token needs.
                return Err(KeyError::Unknown);
            }
            // A fetch that was under way when the token came may have begun before its key was published: then another
            // one is needed.
            if fetch != Fetch::Joined {
                let judged = known.is_some() && self.fetching().failure.is_none();
                return Err(if judged { KeyError::Unknown } else { self.unavailable() });
            }
            fetch = self.refresh(if known.is_some() { Reason::UnknownKey } else { Reason::Age }).await;
        }
    }

    /// Whether the issuer has other keys by now: it may have replaced one under its name, or one that has none.
    pub async fn have_changed(self: &Arc<Self>) -> bool {
        let before = self.generation();
        self.refresh(Reason::UnknownKey).await;
        self.generation() != before
    }

    fn unavailable(&self) -> KeyError {
        let failure = self.fetching().failure.as_ref().map(|failure| failure.detail.clone());
        KeyError::Unavailable(failure.unwrap_or_else(|| "none are known yet".to_owned()))
    }

    /// Changes whenever the issuer's keys do: what was verified before has to be verified again.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Whether the keys may be trusted as they are. While they are used they are refreshed in time, and nobody waits for it;
    /// after a time in which nobody used them, they may have been withdrawn, and have to be fetched before. Where that has
    /// just failed, they serve on.
    pub fn are_usable(self: &Arc<Self>) -> bool {
        if self.fresh(self.times.refresh).is_none() {
            let _ = self.start(Reason::Age);
        }
        let lately = |tried_at: Timestamp| between(tried_at, self.clock.now()) < self.times.refresh;
        let in_use = self.fresh(self.times.refresh.saturating_mul(2)).is_some();
        self.fresh(self.times.max_age).is_some() && (in_use || self.fetching().tried_at.is_some_and(lately))
    }

    fn fresh(&self, age: Duration) -> Option<Arc<Fetched>> {
        self.known.load_full().filter(|known| between(known.at, self.clock.now()) < age)
    }

    /// Fetches, or waits for the fetch under way.
    async fn refresh(self: &Arc<Self>, reason: Reason) -> Fetch {
        let Some((fetch, mut ended)) = self.start(reason) else { return Fetch::Refused };
        // An error means that the fetch broke off: as good as ended, and its failure is told.
        let _ = ended.wait_for(|ended| *ended).await;
        fetch
    }

    /// Starts a fetch, unless it is too early for one, or joins the one under way. It runs in a task of its own: a caller
    /// that hangs up cancels its waiting, never the fetch that others wait for.
    fn start(self: &Arc<Self>, reason: Reason) -> Option<(Fetch, watch::Receiver<bool>)> {
        let mut fetching = self.fetching();
        if let Some(ended) = &fetching.under_way {
            return Some((Fetch::Joined, ended.clone()));
        }
        let too_early = |moment: Option<Timestamp>| moment.is_some_and(|moment| self.clock.now() < moment);
        if too_early(fetching.not_before)
            || (reason == Reason::UnknownKey && too_early(fetching.not_for_unknown_before))
        {
            return None;
        }
        let (end, ended) = watch::channel(false);
        fetching.under_way = Some(ended.clone());
        fetching.failure = Some("the fetch broke off".to_owned().into());
        let keys = Arc::clone(self);
        tokio::spawn(async move {
            let guard = FetchGuard { keys: &keys, end, reason };
            let fetched = keys.fetch().await;
            guard.with(fetched);
        });
        Some((Fetch::Own, ended))
    }

    fn fetching(&self) -> MutexGuard<'_, Fetching> {
        self.fetching.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn exchange(&self, fetched: Fetched) {
        let names = |keys: &[Key]| keys.iter().map(Key::what_it_verifies).collect::<BTreeSet<_>>();
        let changed = self.known.load().as_ref().is_none_or(|known| names(&known.keys) != names(&fetched.keys));
        self.known.store(Some(Arc::new(fetched)));
        if changed {
            self.generation.fetch_add(1, Ordering::AcqRel);
        }
    }

    async fn fetch(&self) -> Result<Vec<Key>, Failure> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }
        let url = match &self.jwks_url {
            Some(url) => url.clone(),
            None => self.discover().await?,
        };
        let set: Set = self.get(url.clone()).await?;
        // A key of a kind that is not known here must not hide the others.
        let keys: Vec<Key> =
            set.keys.into_iter().filter_map(|key| Key::parse(&serde_json::from_value(key).ok()?)).collect();
        if keys.is_empty() { Err(format!("{url} has no key that can verify tokens").into()) } else { Ok(keys) }
    }

    async fn discover(&self) -> Result<Url, Failure> {
        #[derive(Deserialize)]
        struct Document {
            issuer: String,
            jwks_uri: Url,
        }
        let issuer =
            self.issuer.parse().map_err(|_| format!("auth.issuer {} is no URL: set auth.jwks_url", self.issuer))?;
        let (mut problems, mut wait) = (Vec::new(), None);
        for url in metadata_urls(&issuer) {
            match self.get::<Document>(url.clone()).await {
                Ok(document) if document.issuer != self.issuer => {
                    problems.push(format!("{url} is of the issuer {}", document.issuer));
                }
                // Whoever is on the way could put keys of its own there.
                Ok(document) if url.scheme() == "https" && document.jwks_uri.scheme() != "https" => {
                    problems.push(format!("{url} names a jwks_uri without TLS"));
                }
                Ok(document) => return Ok(document.jwks_uri),
                Err(failure) => {
                    problems.push(failure.detail);
                    wait = wait.max(failure.retry_after);
                }
            }
        }
        Err(Failure { detail: problems.join("; "), retry_after: wait })
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that asks the issuer")]
    async fn get<T: serde::de::DeserializeOwned>(&self, url: Url) -> Result<T, Failure> {
        let request = self.http.client().get(url.clone());
        let answer = request.send().await.map_err(|error| format!("{url}: {}", error_chain(&error)))?;
        if !answer.status().is_success() {
            let wait = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            let wait = wait.and_then(|text| retry_after(text, self.clock.now()));
            return Err(Failure { detail: format!("{url} answered {}", answer.status().as_u16()), retry_after: wait });
        }
        let body = read_limited(answer, MAX_ANSWER_BYTES).await.map_err(|problem| format!("{url} {problem}"))?;
        Ok(serde_json::from_slice(&body).map_err(|error| format!("{url}: {error}"))?)
    }
}

/// The end of a fetch, also of one that panics.
struct FetchGuard<'k> {
    keys: &'k KeySet,
    end: watch::Sender<bool>,
    reason: Reason,
}

impl FetchGuard<'_> {
    fn with(self, fetched: Result<Vec<Key>, Failure>) {
        let failure = match fetched {
            Ok(keys) => {
                info!(keys = keys.len(), "the issuer's keys were fetched");
                self.keys.exchange(Fetched { keys, at: self.keys.clock.now() });
                None
            }
            Err(failure) => {
                warn!(problem = failure.detail, "the issuer's keys can't be fetched");
                Some(failure)
            }
        };
        self.keys.fetching().failure = failure;
    }
}

impl Drop for FetchGuard<'_> {
    fn drop(&mut self) {
        let mut fetching = self.keys.fetching();
        fetching.under_way = None;
        fetching.tried_at = Some(self.keys.clock.now());
        let (now, cool_down) = (self.keys.clock.now(), self.keys.times.cool_down);
        fetching.not_before = fetching.failure.as_ref().map(|failure| {
            // XSUAA throttles, and says how long.
            let wished = failure.retry_after.unwrap_or_default().min(LONGEST_PAUSE);
            after(now, cool_down.max(wished))
        });
        if self.reason == Reason::UnknownKey {
            fetching.not_for_unknown_before = Some(after(now, cool_down));
        }
        drop(fetching);
        self.end.send_replace(true);
    }
}

impl Fetched {
    /// Whether a key of this name is among them, fit or not.
    fn has(&self, kid: Option<&str>) -> bool {
        kid.is_some() && self.keys.iter().any(|key| key.kid.as_deref() == kid)
    }

    fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Vec<Key> {
        let named = |key: &&Key| kid.is_none_or(|kid| key.kid.as_deref() == Some(kid));
        let fitting = self.keys.iter().filter(named).filter(|key| key.algorithms.contains(&algorithm));
        fitting.take(MOST_TRIED).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_are_looked_for_where_the_standards_say() {
        let urls = metadata_urls(&"https://issuer.example/tenant/".parse().unwrap()).map(|url| url.to_string());
        assert_eq!(
            urls,
            [
                "https://issuer.example/tenant/.well-known/openid-configuration",
                "https://issuer.example/.well-known/oauth-authorization-server/tenant"
            ]
        );
    }
}
