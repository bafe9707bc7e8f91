//! One issuer whose tokens are accepted: its settings, its keys, and its verdicts.

use std::sync::Arc;

use jsonwebtoken::Algorithm;
use url::Url;

use super::acceptance::{Origin, accept};
use super::caller::{Caller, IssuerNames};
use super::claims::Claims;
use super::error::AuthError;
use super::introspection::Introspector;
use super::jwks::{KeyError, KeySet};
use super::jwt::{self, Header};
use super::key::{Key, LeftOutKey};
use crate::clock::Clock;
use crate::config::Auth;

/// The issuer's keys, as a diagnosis sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerKeys {
    /// Where they are.
    pub url: Url,
    /// Keys that can verify tokens.
    pub keys: usize,
    /// Those of them whose algorithm is one of `auth.algorithms`.
    pub usable: usize,
    /// The other keys, each with the reason.
    pub left_out: Vec<String>,
}

/// The bearer of a JWT, and the generation of the keys that verified it.
pub type VerifiedJwt = (Arc<Caller>, u64);

/// An issuer whose tokens are accepted.
#[derive(Debug)]
pub struct TrustedIssuer {
    settings: Auth,
    names: Arc<IssuerNames>,
    pub(super) keys: Arc<KeySet>,
    pub(super) introspector: Option<Arc<Introspector>>,
    clock: Arc<dyn Clock>,
}

impl TrustedIssuer {
    /// Fetches nothing before the first token arrives.
    pub fn new(
        settings: Auth,
        names: Arc<IssuerNames>,
        keys: KeySet,
        introspector: Option<Arc<Introspector>>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { settings, names, keys: Arc::new(keys), introspector, clock }
    }

    /// Its settings.
    pub const fn settings(&self) -> &Auth {
        &self.settings
    }

    /// Whether it is asked about JWTs, too.
    pub fn introspects_jwts(&self) -> bool {
        self.introspector.as_ref().is_some_and(|introspector| introspector.covers_jwts())
    }

    /// Fetches its keys, past cache and schedule.
    ///
    /// # Errors
    /// The reason for which they can't be fetched.
    pub async fn probe_keys(&self) -> Result<IssuerKeys, String> {
        let (url, keys, left_out) = self.keys.probe().await?;
        let is_usable = |key: &&Key| key.algorithms.iter().any(|one| self.settings.algorithms.contains(one));
        let usable = keys.iter().filter(is_usable).count();
        let left_out = left_out.iter().map(LeftOutKey::to_string).collect();
        Ok(IssuerKeys { url, keys: keys.len(), usable, left_out })
    }

    /// Its introspection endpoint, if there is one, and the question whether a token that nobody has is active.
    pub fn introspection(&self) -> Option<(&Url, impl Future<Output = Result<bool, String>>)> {
        self.introspector.as_ref().map(|introspector| (introspector.url(), introspector.probe()))
    }

    /// The bearer of a JWT.
    ///
    /// # Errors
    /// [`AuthError::Invalid`] for a token that is not valid, [`AuthError::IssuerUnavailable`] if that is not known.
    pub async fn verify_jwt(&self, token: &str, header: &Header) -> Result<VerifiedJwt, AuthError> {
        if token.len() > self.settings.max_token {
            return Err(AuthError::Invalid("the token is too long"));
        }
        let algorithm = header.algorithm(&self.settings.algorithms)?;
        let mut keys_generation = self.keys.generation();
        let mut claims = self.signed_claims(token, header, algorithm).await;
        while claims == Err(jwt::WRONG_SIGNATURE)
            && self.keys.changed_on_refresh(keys_generation).await.map_err(refusal)?
        {
            keys_generation = self.keys.generation();
            claims = self.signed_claims(token, header, algorithm).await;
        }
        let claims = claims?;
        let expires_at = accept(&claims, Origin::Jwt, &self.settings, self.clock.now())?;
        let caller = Caller::from_claims(&claims, &self.settings, &self.names, expires_at)?;
        Ok((Arc::new(caller), keys_generation))
    }

    /// The claims of a token that one of the issuer's keys has signed.
    async fn signed_claims(&self, token: &str, header: &Header, algorithm: Algorithm) -> Result<Claims, AuthError> {
        let keys = self.keys.find(header.key_hint(), algorithm).await.map_err(refusal)?;
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

/// What a token without a key is answered.
fn refusal(error: KeyError) -> AuthError {
    match error {
        KeyError::Unknown => AuthError::Invalid("the token's key is not one of the issuer's"),
        KeyError::Unavailable(unavailable) => AuthError::IssuerUnavailable(unavailable),
    }
}
