//! The verification of tokens, and the memory of those that were verified.

use std::sync::Arc;

use jsonwebtoken::Algorithm;
use quick_cache::sync::Cache;
use url::Url;

use super::acceptance::{Origin, accept};
use super::caller::Caller;
use super::claims::Claims;
use super::error::AuthError;
use super::introspection::Introspector;
use super::jwks::{KeyError, KeySet, KeyStatistics};
use super::jwt::{self, Header};
use super::key::Key;
use super::thumbprint::Thumbprint;
use crate::clock::Clock;
use crate::config::{Auth, Scopes};
use crate::digest::sha256;
use crate::outbound::CallDurations;

/// The issuer's keys, as a diagnosis sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerKeys {
    /// Where they are.
    pub url: Url,
    /// Keys that can verify tokens.
    pub keys: usize,
    /// Those of them whose algorithm is one of `auth.algorithms`.
    pub usable: usize,
}

/// A JWT that was verified.
#[derive(Debug, Clone)]
struct CachedToken {
    caller: Arc<Caller>,
    /// The generation of the keys that verified it.
    keys_generation: u64,
}

/// Decides about tokens. Verified JWTs are cached until they expire or the keys change.
#[derive(Debug)]
pub struct TokenVerifier {
    settings: Auth,
    keys: Arc<KeySet>,
    introspector: Option<Arc<Introspector>>,
    clock: Arc<dyn Clock>,
    /// By a hash of the whole token: another signature is another token.
    verified: Cache<[u8; 32], CachedToken>,
}

impl TokenVerifier {
    /// Fetches nothing before the first token arrives.
    pub fn new(settings: Auth, keys: KeySet, introspector: Option<Arc<Introspector>>, clock: Arc<dyn Clock>) -> Self {
        let verified = Cache::new(settings.remembered_tokens);
        Self { settings, keys: Arc::new(keys), introspector, clock, verified }
    }

    /// Names of the scopes.
    pub const fn scopes(&self) -> &Scopes {
        &self.settings.scopes
    }

    /// Changes whenever the issuer's keys do; 0 as long as there are none.
    pub fn keys_generation(&self) -> u64 {
        self.keys.generation()
    }

    /// What is counted of the issuer's keys.
    pub fn key_statistics(&self) -> Arc<KeyStatistics> {
        self.keys.statistics()
    }

    /// How long the calls to the issuer took.
    pub fn calls(&self) -> Arc<CallDurations> {
        self.keys.calls()
    }

    /// Fetches the issuer's keys ahead of the first token.
    pub async fn warm(&self) {
        self.keys.warm().await;
    }

    /// Fetches the issuer's keys, past cache and schedule.
    ///
    /// # Errors
    /// The reason for which they can't be fetched.
    pub async fn probe_keys(&self) -> Result<IssuerKeys, String> {
        let (url, keys) = self.keys.probe().await?;
        let is_usable = |key: &&Key| key.algorithms.iter().any(|one| self.settings.algorithms.contains(one));
        Ok(IssuerKeys { url, keys: keys.len(), usable: keys.iter().filter(is_usable).count() })
    }

    /// The introspection endpoint, if there is one, and the question whether a token that nobody has is active.
    pub fn introspection(&self) -> Option<(&Url, impl Future<Output = Result<bool, String>>)> {
        self.introspector.as_ref().map(|introspector| (introspector.url(), introspector.probe()))
    }

    /// The bearer of a token. `certificate` is the one of the caller's connection.
    ///
    /// # Errors
    /// [`AuthError::Invalid`] for a token that is not valid, [`AuthError::IssuerUnavailable`] if that is not known.
    pub async fn verify(&self, token: &str, certificate: Option<&Thumbprint>) -> Result<Arc<Caller>, AuthError> {
        if token.len() > self.settings.max_token {
            return Err(AuthError::Invalid("the token is too long"));
        }
        let hash = sha256(token.as_bytes());
        let caller = match self.cached(&hash) {
            Some(caller) => caller,
            None => match (Header::parse(token), &self.introspector) {
                (Some(header), _) => self.verify_jwt(token, &header?, hash).await?,
                (None, Some(introspector)) => introspector.introspect(token, hash).await?,
                (None, None) => return Err(jwt::NO_JWT),
            },
        };
        caller.check_certificate(certificate)?;
        Ok(caller)
    }

    fn cached(&self, hash: &[u8; 32]) -> Option<Arc<Caller>> {
        let CachedToken { caller, keys_generation } = self.verified.get(hash)?;
        let is_valid = self.clock.now() < caller.expires_at && keys_generation == self.keys.generation();
        if is_valid && self.keys.are_usable() {
            return Some(caller);
        }
        self.verified.remove(hash);
        None
    }

    async fn verify_jwt(&self, token: &str, header: &Header, hash: [u8; 32]) -> Result<Arc<Caller>, AuthError> {
        let algorithm = header.algorithm(&self.settings.algorithms)?;
        let mut keys_generation = self.keys.generation();
        let mut claims = self.signed_claims(token, header, algorithm).await;
        if claims == Err(jwt::WRONG_SIGNATURE) && self.keys.changed_on_refresh().await {
            keys_generation = self.keys.generation();
            claims = self.signed_claims(token, header, algorithm).await;
        }
        let claims = claims?;
        let expires_at = accept(&claims, Origin::Jwt, &self.settings, self.clock.now())?;
        let caller = Arc::new(Caller::from_claims(&claims, &self.settings, expires_at)?);
        self.verified.insert(hash, CachedToken { caller: Arc::clone(&caller), keys_generation });
        Ok(caller)
    }

    /// The claims of a token that one of the issuer's keys has signed.
    async fn signed_claims(&self, token: &str, header: &Header, algorithm: Algorithm) -> Result<Claims, AuthError> {
        let keys = self.keys.find(header.kid(), algorithm).await.map_err(|error| match error {
            KeyError::Unknown => AuthError::Invalid("the token's key is not one of the issuer's"),
            KeyError::Unavailable(unavailable) => AuthError::IssuerUnavailable(unavailable),
        })?;
        let mut claims = Err(jwt::WRONG_SIGNATURE);
        for key in keys {
            claims = jwt::verify(token, &key, algorithm);
            if claims != Err(jwt::WRONG_SIGNATURE) {
                break;
            }
        }
        claims
    }
}
