//! The issuer's verdicts on tokens, for as long as they are valid.

use std::sync::Arc;

use jiff::Timestamp;
use quick_cache::sync::Cache;

use crate::auth::caller::Caller;
use crate::auth::error::AuthError;
use crate::clock::{Clock, Moment};

/// SHA-256 of a whole token.
pub type TokenHash = [u8; 32];

/// A verdict on a token.
#[derive(Debug, Clone)]
pub struct CachedVerdict {
    /// The bearer, or why the request is refused.
    pub result: Result<Arc<Caller>, AuthError>,
    /// From this moment on the issuer has to be asked again.
    pub valid_until: Moment,
    /// The same, by the token's own `exp`: a time of the wall clock.
    pub expires_at: Timestamp,
}

/// The verdicts on accepted and on rejected tokens.
#[derive(Debug)]
pub struct VerdictCache {
    accepted: Cache<TokenHash, CachedVerdict>,
    /// Apart from the accepted ones: a flood of forged tokens must not evict those.
    rejected: Cache<TokenHash, CachedVerdict>,
}

impl VerdictCache {
    /// `capacity` bounds each of both parts.
    pub fn new(capacity: usize) -> Self {
        Self { accepted: Cache::new(capacity), rejected: Cache::new(capacity) }
    }

    /// The verdict on a token, if it is still valid.
    pub fn get(&self, hash: &TokenHash, clock: &dyn Clock) -> Option<CachedVerdict> {
        let verdict = self.accepted.get(hash).or_else(|| self.rejected.get(hash));
        verdict.filter(|verdict| clock.moment() < verdict.valid_until && clock.now() < verdict.expires_at)
    }

    /// Remembers a verdict. A failed request has none.
    pub fn insert(&self, hash: TokenHash, verdict: &CachedVerdict) {
        match &verdict.result {
            Ok(_) => self.accepted.insert(hash, verdict.clone()),
            Err(error) if error.is_verdict() => {
                self.accepted.remove(&hash);
                self.rejected.insert(hash, verdict.clone());
            }
            Err(_) => {}
        }
    }
}
