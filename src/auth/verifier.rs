//! The verification of tokens: which issuer decides, and the memory of those that were verified.

use std::sync::Arc;

use quick_cache::sync::Cache;

use super::caller::Caller;
use super::error::AuthError;
use super::introspection::{Introspector, NOT_ACTIVE};
use super::issuer::TrustedIssuer;
use super::jwks::KeyStatistics;
use super::jwt::{self, Header};
use super::thumbprint::Thumbprint;
use crate::clock::Clock;
use crate::digest::sha256;
use crate::outbound::CallDurations;

/// A JWT that was verified.
#[derive(Debug, Clone)]
struct CachedToken {
    caller: Arc<Caller>,
    /// The place of its issuer.
    issuer: usize,
    /// The generation of the keys that verified it.
    keys_generation: u64,
}

/// Decides about tokens. Verified JWTs are cached until they expire or the keys change.
#[derive(Debug)]
pub struct TokenVerifier {
    /// At least one.
    issuers: Vec<TrustedIssuer>,
    /// How long the calls to all of them took.
    calls: Arc<CallDurations>,
    /// Longest token that is read, in bytes.
    max_token: usize,
    clock: Arc<dyn Clock>,
    /// By a hash of the whole token: another signature is another token.
    verified: Cache<[u8; 32], CachedToken>,
}

impl TokenVerifier {
    /// Fetches nothing before the first token arrives.
    pub fn new(issuers: Vec<TrustedIssuer>, calls: Arc<CallDurations>, clock: Arc<dyn Clock>) -> Self {
        let settings = || issuers.iter().map(TrustedIssuer::settings);
        let verified = Cache::new(settings().map(|issuer| issuer.remembered_tokens).sum());
        let max_token = settings().map(|issuer| issuer.max_token).max().unwrap_or_default();
        Self { issuers, calls, max_token, clock, verified }
    }

    /// Every issuer whose tokens are accepted.
    pub fn issuers(&self) -> &[TrustedIssuer] {
        &self.issuers
    }

    /// Changes whenever an issuer's keys do; 0 as long as there are none.
    pub fn keys_generation(&self) -> u64 {
        self.issuers.iter().map(|issuer| issuer.keys.generation()).sum()
    }

    /// What is counted of each issuer's keys.
    pub fn key_statistics(&self) -> Vec<Arc<KeyStatistics>> {
        self.issuers.iter().map(|issuer| issuer.keys.statistics()).collect()
    }

    /// How long the calls to the issuers took.
    pub fn calls(&self) -> Arc<CallDurations> {
        Arc::clone(&self.calls)
    }

    /// Fetches every issuer's keys ahead of the first token. A slow issuer keeps no other one waiting.
    pub async fn warm(&self) {
        let warm = |issuer: &TrustedIssuer| {
            let keys = Arc::clone(&issuer.keys);
            tokio::spawn(async move { keys.warm().await })
        };
        let all: Vec<_> = self.issuers.iter().map(warm).collect();
        for warmed in all {
            // A panic there is in the log, and the first token tries again.
            let _ = warmed.await;
        }
    }

    /// The bearer of a token. `certificate` is the one of the caller's connection.
    ///
    /// # Errors
    /// [`AuthError::Invalid`] for a token that is not valid, [`AuthError::IssuerUnavailable`] if that is not known.
    pub async fn verify(&self, token: &str, certificate: Option<&Thumbprint>) -> Result<Arc<Caller>, AuthError> {
        if token.len() > self.max_token {
            return Err(AuthError::Invalid("the token is too long"));
        }
        let hash = sha256(token.as_bytes());
        let (caller, issuer) = if let Some(known) = self.cached(&hash) {
            known
        } else if let Some(header) = Header::parse(token) {
            // Boxed, as the others: a request whose token is remembered does not reserve its memory.
            Box::pin(self.verify_jwt(token, header?, hash)).await?
        } else {
            let caller = Box::pin(self.introspect_opaque(token, hash)).await?;
            return caller.check_certificate(certificate).map(|()| caller);
        };
        caller.check_certificate(certificate)?;
        if let Some(introspector) = issuer.introspector.as_ref().filter(|introspector| introspector.covers_jwts()) {
            // What it binds the token to counts as well.
            Box::pin(introspector.introspect(token, hash)).await?.check_certificate(certificate)?;
        }
        Ok(caller)
    }

    fn cached(&self, hash: &[u8; 32]) -> Option<(Arc<Caller>, &TrustedIssuer)> {
        let CachedToken { caller, issuer, keys_generation } = self.verified.get(hash)?;
        let issuer = self.issuers.get(issuer)?;
        let is_valid = self.clock.now() < caller.expires_at && keys_generation == issuer.keys.generation();
        if is_valid && issuer.keys.are_usable() {
            return Some((caller, issuer));
        }
        self.verified.remove(hash);
        None
    }

    async fn verify_jwt(
        &self,
        token: &str,
        header: Header,
        hash: [u8; 32],
    ) -> Result<(Arc<Caller>, &TrustedIssuer), AuthError> {
        let (at, issuer) = self.issuer_of(token)?;
        let (caller, keys_generation) = issuer.verify_jwt(token, &header).await?;
        self.verified.insert(hash, CachedToken { caller: Arc::clone(&caller), issuer: at, keys_generation });
        Ok((caller, issuer))
    }

    /// The issuer that a JWT names, which proves nothing: its keys and settings decide. One that names none is judged by the
    /// first, which says what it lacks.
    fn issuer_of(&self, token: &str) -> Result<(usize, &TrustedIssuer), AuthError> {
        let first = || self.issuers.first().map(|issuer| (0, issuer)).ok_or(jwt::NO_JWT);
        if self.issuers.len() == 1 {
            return first();
        }
        let claims = jwt::unverified_claims(token);
        let Some(named) = claims.as_ref().and_then(|claims| claims.get("iss")) else { return first() };
        let is_named = |(_, issuer): &(usize, &TrustedIssuer)| named == issuer.settings().issuer.as_str();
        self.issuers.iter().enumerate().find(is_named).ok_or_else(|| {
            let accepted: Vec<&str> = self.issuers.iter().map(|issuer| issuer.settings().issuer.as_str()).collect();
            AuthError::other_issuer(named, accepted.join(", "))
        })
    }

    /// The bearer of a token that is no JWT and so names no issuer: those that can be asked are asked in their order, until one
    /// knows it.
    async fn introspect_opaque(&self, token: &str, hash: [u8; 32]) -> Result<Arc<Caller>, AuthError> {
        // Whoever could not be asked may know it; whoever knows it says more than those that do not.
        let weight = |error: &AuthError| match error {
            error if *error == jwt::NO_JWT => 0,
            error if *error == NOT_ACTIVE => 1,
            error if error.is_verdict() => 2,
            _ => 3,
        };
        let mut refusal = jwt::NO_JWT;
        let introspectors = self.issuers.iter().filter_map(|issuer| issuer.introspector.as_ref());
        for introspector in introspectors {
            let introspector: &Arc<Introspector> = introspector;
            match introspector.introspect(token, hash).await {
                Ok(caller) => return Ok(caller),
                Err(error) if weight(&error) > weight(&refusal) => refusal = error,
                Err(_) => {}
            }
        }
        Err(refusal)
    }
}
