//! The issuer's keys (RFC 7517): discovered or configured, fetched once for all who wait, kept through an outage.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, KeyOperations, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey};
use reqwest::Client;
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;
use tokio::sync::watch;
use tracing::{info, warn};
use url::Url;

use crate::clock::{Clock, between};
use crate::config::Auth;
use crate::vms::client::{chain, read_limited};

/// From the end of a fetch to the next: a flood of unknown keys costs the issuer one request in this time.
const COOL_DOWN: Duration = Duration::from_secs(10);

/// Keys older than this are fetched anew when they are next used.
const REFRESH_AFTER: Duration = Duration::from_mins(10);

/// Keys that could not be refreshed for so long are trusted no more: the issuer may have withdrawn them.
const MAX_AGE: Duration = Duration::from_hours(24);

/// Largest key set or discovery document; real ones have some KiB.
const MAX_ANSWER_BYTES: usize = 512 * 1024;

/// Shorter RSA keys are refused (RFC 7518 §3.3).
const MIN_RSA_BITS: usize = 2048;

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

/// A key that may verify tokens.
#[derive(Debug, Clone)]
pub struct Key {
    kid: Option<String>,
    /// RFC 7638
    thumbprint: String,
    algorithms: Vec<Algorithm>,
    /// The key itself.
    pub decoding: DecodingKey,
}

impl Key {
    /// A public signature key; anything else in the set is dropped: symmetric keys, encryption keys, short RSA keys.
    fn parse(jwk: &Jwk) -> Option<Self> {
        let common = &jwk.common;
        let signs = common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature);
        let verifies =
            common.key_operations.as_ref().is_none_or(|operations| operations.contains(&KeyOperations::Verify));
        if !signs || !verifies {
            return None;
        }
        let fitting: &[Algorithm] = match &jwk.algorithm {
            AlgorithmParameters::RSA(rsa) if rsa_bits(&rsa.n) >= MIN_RSA_BITS => &[
                Algorithm::RS256,
                Algorithm::RS384,
                Algorithm::RS512,
                Algorithm::PS256,
                Algorithm::PS384,
                Algorithm::PS512,
            ],
            AlgorithmParameters::EllipticCurve(_) => &[Algorithm::ES256, Algorithm::ES384],
            AlgorithmParameters::OctetKeyPair(_) => &[Algorithm::EdDSA],
            _ => return None,
        };
        let pinned = common.key_algorithm.map(|algorithm| algorithm.to_string());
        let fits = |algorithm: &&Algorithm| pinned.as_ref().is_none_or(|pinned| *pinned == format!("{algorithm:?}"));
        let algorithms: Vec<Algorithm> = fitting.iter().filter(fits).copied().collect();
        let decoding = DecodingKey::from_jwk(jwk).ok()?;
        let thumbprint = jwk.thumbprint(ThumbprintHash::SHA256).ok()?;
        (!algorithms.is_empty()).then(|| Self { kid: common.key_id.clone(), thumbprint, algorithms, decoding })
    }
}

fn rsa_bits(modulus: &str) -> usize {
    let bytes = URL_SAFE_NO_PAD.decode(modulus.trim_end_matches('=')).unwrap_or_default();
    let significant = bytes.iter().skip_while(|byte| **byte == 0);
    let leading = significant.clone().next().map_or(0, |byte| byte.leading_zeros() as usize);
    (significant.count() * 8).saturating_sub(leading)
}

#[derive(Debug)]
struct Fetched {
    keys: Vec<Key>,
    at: Timestamp,
}

/// The fetch under way, and how the last one went.
#[derive(Debug, Default)]
struct Fetching {
    under_way: Option<watch::Receiver<bool>>,
    ended_at: Option<Timestamp>,
    failure: Option<String>,
}

/// The issuer's keys.
#[derive(Debug)]
pub struct KeySet {
    issuer: String,
    jwks_url: Option<Url>,
    http: Client,
    clock: Arc<dyn Clock>,
    known: ArcSwapOption<Fetched>,
    generation: AtomicU64,
    fetching: Mutex<Fetching>,
}

impl KeySet {
    /// Nothing is fetched before the first key is needed.
    pub fn new(settings: &Auth, http: Client, clock: Arc<dyn Clock>) -> Self {
        Self {
            issuer: settings.issuer.clone(),
            jwks_url: settings.jwks_url.clone(),
            http,
            clock,
            known: ArcSwapOption::empty(),
            generation: AtomicU64::new(0),
            fetching: Mutex::default(),
        }
    }

    /// Fetches the keys ahead of the first token; a failure is logged, and the first token tries again.
    pub async fn warm(self: &Arc<Self>) {
        self.refresh(None).await;
    }

    /// The key for a token's `kid` and algorithm. Without a `kid` the key has to be the only one that fits.
    ///
    /// # Errors
    /// [`KeyError::Unknown`] if the issuer does not have the key, [`KeyError::Unavailable`] if that can't be told.
    pub async fn find(self: &Arc<Self>, kid: Option<&str>, algorithm: Algorithm) -> Result<Key, KeyError> {
        let known = self.fresh(MAX_AGE);
        if let Some(key) = known.as_ref().and_then(|known| known.find(kid, algorithm)) {
            self.keep_current();
            return Ok(key);
        }
        let failure = self.refresh(known.map(|known| known.at)).await;
        match (self.fresh(MAX_AGE), failure) {
            (None, failure) => Err(KeyError::Unavailable(failure.unwrap_or_else(|| "none are known yet".to_owned()))),
            (Some(known), failure) => {
                known.find(kid, algorithm).ok_or_else(|| failure.map_or(KeyError::Unknown, KeyError::Unavailable))
            }
        }
    }

    /// Changes whenever the issuer's keys do: what was verified before has to be verified again.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Whether the keys may still be trusted. Sees to it that they are refreshed in time.
    pub fn keep_current(self: &Arc<Self>) -> bool {
        let known = self.fresh(MAX_AGE);
        if self.fresh(REFRESH_AFTER).is_none() {
            self.refresh_behind(known.as_ref().map(|known| known.at));
        }
        known.is_some()
    }

    /// Nobody waits for a refresh whose outcome does not matter to it.
    fn refresh_behind(self: &Arc<Self>, seen: Option<Timestamp>) {
        let _ = self.start(seen);
    }

    fn fresh(&self, age: Duration) -> Option<Arc<Fetched>> {
        self.known.load_full().filter(|known| between(known.at, self.clock.now()) < age)
    }

    /// Fetches, unless somebody did since `seen`, or did in the cool-down; returns why the last fetch failed.
    async fn refresh(self: &Arc<Self>, seen: Option<Timestamp>) -> Option<String> {
        if let Some(mut ended) = self.start(seen) {
            // An error means that the fetch broke off: as good as ended, and its failure is told below.
            let _ = ended.wait_for(|ended| *ended).await;
        }
        self.fetching().failure.clone()
    }

    /// Starts a fetch, or joins the one under way. It runs in a task of its own: a caller that hangs up cancels its
    /// waiting, never the fetch that others wait for.
    fn start(self: &Arc<Self>, seen: Option<Timestamp>) -> Option<watch::Receiver<bool>> {
        let mut fetching = self.fetching();
        if let Some(ended) = &fetching.under_way {
            return Some(ended.clone());
        }
        let newer = self.fresh(MAX_AGE).is_some_and(|known| Some(known.at) != seen);
        let cooling = fetching.ended_at.is_some_and(|at| between(at, self.clock.now()) < COOL_DOWN);
        if (newer && fetching.failure.is_none()) || cooling {
            return None;
        }
        let (end, ended) = watch::channel(false);
        fetching.under_way = Some(ended.clone());
        fetching.failure = Some("the fetch broke off".to_owned());
        let keys = Arc::clone(self);
        tokio::spawn(async move {
            let ending = Ending { keys: &keys, end };
            let fetched = keys.fetch().await;
            ending.with(fetched);
        });
        Some(ended)
    }

    fn fetching(&self) -> MutexGuard<'_, Fetching> {
        self.fetching.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn exchange(&self, fetched: Fetched) {
        let names = |keys: &[Key]| keys.iter().map(|key| key.thumbprint.clone()).collect::<BTreeSet<_>>();
        let changed = self.known.load().as_ref().is_none_or(|known| names(&known.keys) != names(&fetched.keys));
        self.known.store(Some(Arc::new(fetched)));
        if changed {
            self.generation.fetch_add(1, Ordering::AcqRel);
        }
    }

    async fn fetch(&self) -> Result<Vec<Key>, String> {
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
        if keys.is_empty() { Err(format!("{url} has no key that can verify tokens")) } else { Ok(keys) }
    }

    async fn discover(&self) -> Result<Url, String> {
        #[derive(Deserialize)]
        struct Document {
            issuer: String,
            jwks_uri: Url,
        }
        let issuer =
            self.issuer.parse().map_err(|_| format!("auth.issuer {} is no URL: set auth.jwks_url", self.issuer))?;
        let mut problems = Vec::new();
        for url in metadata_urls(&issuer) {
            match self.get::<Document>(url.clone()).await {
                Ok(document) if document.issuer == self.issuer => return Ok(document.jwks_uri),
                Ok(document) => problems.push(format!("{url} is of the issuer {}", document.issuer)),
                Err(problem) => problems.push(problem),
            }
        }
        Err(problems.join("; "))
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that asks the issuer")]
    async fn get<T: serde::de::DeserializeOwned>(&self, url: Url) -> Result<T, String> {
        let answer = self.http.get(url.clone()).send().await.map_err(|error| format!("{url}: {}", chain(&error)))?;
        if !answer.status().is_success() {
            return Err(format!("{url} answered {}", answer.status().as_u16()));
        }
        let body = read_limited(answer, MAX_ANSWER_BYTES).await.map_err(|problem| format!("{url} {problem}"))?;
        serde_json::from_slice(&body).map_err(|error| format!("{url}: {error}"))
    }
}

/// The end of a fetch, also of one that panics.
struct Ending<'k> {
    keys: &'k KeySet,
    end: watch::Sender<bool>,
}

impl Ending<'_> {
    fn with(self, fetched: Result<Vec<Key>, String>) {
        let failure = match fetched {
            Ok(keys) => {
                info!(keys = keys.len(), "the issuer's keys were fetched");
                self.keys.exchange(Fetched { keys, at: self.keys.clock.now() });
                None
            }
            Err(problem) => {
                warn!(problem, "the issuer's keys can't be fetched");
                Some(problem)
            }
        };
        self.keys.fetching().failure = failure;
    }
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let mut fetching = self.keys.fetching();
        fetching.under_way = None;
        fetching.ended_at = Some(self.keys.clock.now());
        drop(fetching);
        self.end.send_replace(true);
    }
}

impl Fetched {
    fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<Key> {
        let mut fitting = self
            .keys
            .iter()
            .filter(|key| key.algorithms.contains(&algorithm) && kid.is_none_or(|kid| key.kid.as_deref() == Some(kid)));
        let key = fitting.next()?;
        (kid.is_some() || fitting.next().is_none()).then(|| key.clone())
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

    #[test]
    fn the_size_of_an_rsa_key_is_that_of_its_modulus() {
        let modulus = |bytes: &[u8]| rsa_bits(&URL_SAFE_NO_PAD.encode(bytes));
        assert_eq!(modulus(&[0xFF; 256]), 2048);
        assert_eq!(modulus(&[[0].as_slice(), &[0x80; 256]].concat()), 2048);
        assert_eq!(modulus(&[[0x01].as_slice(), &[0; 255]].concat()), 2041);
        assert_eq!(rsa_bits("???"), 0);
    }
}
