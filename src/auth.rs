//! Whose requests are taken: OAuth2 bearer tokens (RFC 6750), with the pitfalls of RFC 8725 closed.
//!
//! Owns the decision about a token; knows nothing of HTTP servers or of orders. JWTs (RFC 7519, RFC 9068) are verified
//! here ([`jwt`], [`jwks`]); other tokens are shown to the issuer ([`introspection`]).

mod audience;
pub mod claims;
pub mod introspection;
pub mod jwks;
pub mod jwt;
mod key;
mod thumbprint;

use std::sync::Arc;

use jiff::Timestamp;
use jsonwebtoken::Algorithm;
use quick_cache::sync::Cache;
use thiserror::Error;

use crate::clock::Clock;
use crate::config::{Auth, Scopes};
use crate::digest::sha256;
use claims::{Binding, Claims, Origin};
use introspection::Introspector;
use jwks::{KeyError, KeySet};
use jwt::Header;

pub use thumbprint::Thumbprint;

/// What a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// Bring carts.
    Write,
    /// Read orders.
    Read,
    /// Settle orders by hand.
    Operate,
}

impl Permission {
    const ALL: [Self; 3] = [Self::Write, Self::Read, Self::Operate];

    /// The scope that gives it.
    const fn scope(self, scopes: &Scopes) -> &String {
        match self {
            Self::Write => &scopes.write,
            Self::Read => &scopes.read,
            Self::Operate => &scopes.operate,
        }
    }

    /// Whether a token gives it: by its scope, or by the client that it was issued to.
    fn given_by(self, claims: &Claims, settings: &Auth) -> bool {
        let clients = match self {
            Self::Write => &settings.clients.write,
            Self::Read => &settings.clients.read,
            Self::Operate => &settings.clients.operate,
        };
        claims.scopes(&settings.scopes.claim).contains(&self.scope(&settings.scopes).as_str())
            || claims.client_id().is_some_and(|id| clients.iter().any(|client| client == id))
    }
}

/// Why a request is not let in.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AuthError {
    /// There is no token.
    #[error("expected an Authorization header with a bearer token")]
    Missing,
    /// The token is not good; says why, never what was in it.
    #[error("{0}")]
    Invalid(&'static str),
    /// The token is good, and its scope is not enough.
    #[error("the token lacks the scope {0}")]
    InsufficientScope(String),
    /// Whether the token is good can't be told.
    #[error("the issuer can't be asked: {0}")]
    IssuerUnavailable(String),
}

/// The bearer of a verified token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// `client_id`, else `azp`, `cid` or `sub`.
    pub client: String,
    /// `sub`: the person, where a person was there.
    subject: Option<String>,
    permissions: Vec<Permission>,
    /// Only whoever shows this certificate may use the token.
    bound_to: Option<Thumbprint>,
    /// From then on the token is not good, all allowances included.
    expires_at: Timestamp,
}

impl Caller {
    /// What claims say, once they are accepted.
    fn of(claims: &Claims, settings: &Auth, expires_at: Timestamp) -> Result<Self, AuthError> {
        let bound_to = match claims.binding() {
            Binding::None => None,
            Binding::Certificate(thumbprint) => Some(thumbprint),
            Binding::Other => {
                return Err(AuthError::Invalid("the token is bound to a key in a way that is not known here"));
            }
        };
        let subject = claims.text("sub").map(str::to_owned);
        let client = claims.client_id().map(str::to_owned).or_else(|| subject.clone()).unwrap_or_default();
        let permissions =
            Permission::ALL.into_iter().filter(|permission| permission.given_by(claims, settings)).collect();
        Ok(Self { client, subject, permissions, bound_to, expires_at })
    }

    /// Who it is, for the record: the subject, and the client it uses; at most 200 characters.
    pub fn name(&self) -> String {
        const MOST_CHARS: usize = 200;
        let name = match &self.subject {
            Some(subject) if *subject != self.client => format!("{subject} ({})", self.client),
            _ => self.client.clone(),
        };
        let name: String = name.chars().filter(|c| !c.is_control()).take(MOST_CHARS).collect();
        if name.is_empty() { "a token that names nobody".to_owned() } else { name }
    }

    /// A request goes on only if the token permits it.
    ///
    /// # Errors
    /// [`AuthError::InsufficientScope`] naming the scope.
    pub fn require(&self, permission: Permission, names: &Scopes) -> Result<(), AuthError> {
        if self.permissions.contains(&permission) {
            Ok(())
        } else {
            Err(AuthError::InsufficientScope(permission.scope(names).clone()))
        }
    }

    /// A token that is bound to a certificate is good only beside it (RFC 8705 §3).
    fn shows(&self, certificate: Option<&Thumbprint>) -> Result<(), AuthError> {
        match (&self.bound_to, certificate) {
            (None, _) => Ok(()),
            (Some(bound), Some(shown)) if bound.is(shown) => Ok(()),
            (Some(_), Some(_)) => Err(AuthError::Invalid("the token is bound to another client certificate")),
            (Some(_), None) => {
                Err(AuthError::Invalid("the token is bound to a client certificate, and none was shown"))
            }
        }
    }
}

/// A verified token.
#[derive(Debug, Clone)]
struct Verified {
    caller: Arc<Caller>,
    /// Of the keys that verified it.
    generation: u64,
}

/// Decides about tokens, and remembers those that it verified until they expire.
#[derive(Debug)]
pub struct TokenVerifier {
    settings: Auth,
    keys: Arc<KeySet>,
    introspector: Option<Arc<Introspector>>,
    clock: Arc<dyn Clock>,
    /// By a hash of the whole token: another signature is another token.
    verified: Cache<[u8; 32], Verified>,
}

impl TokenVerifier {
    /// Nothing is fetched before the first token comes.
    pub fn new(settings: Auth, keys: KeySet, introspector: Option<Arc<Introspector>>, clock: Arc<dyn Clock>) -> Self {
        let verified = Cache::new(settings.remembered_tokens);
        Self { settings, keys: Arc::new(keys), introspector, clock, verified }
    }

    /// Names of the scopes.
    pub const fn scopes(&self) -> &Scopes {
        &self.settings.scopes
    }

    /// Fetches the issuer's keys ahead of the first token.
    pub async fn warm(&self) {
        self.keys.warm().await;
    }

    /// The bearer of a token, who has shown a certificate, or none.
    ///
    /// # Errors
    /// [`AuthError::Invalid`] for a token that is not good, [`AuthError::IssuerUnavailable`] if that can't be told.
    pub async fn verify(&self, token: &str, certificate: Option<&Thumbprint>) -> Result<Arc<Caller>, AuthError> {
        if token.len() > self.settings.max_token {
            return Err(AuthError::Invalid("the token is too long"));
        }
        let name = sha256(token.as_bytes());
        let caller = match &self.introspector {
            Some(introspector) if !jwt::is_jwt(token) => introspector.ask(token, name).await?,
            _ => self.verify_jwt(token, name).await?,
        };
        caller.shows(certificate)?;
        Ok(caller)
    }

    async fn verify_jwt(&self, token: &str, name: [u8; 32]) -> Result<Arc<Caller>, AuthError> {
        if let Some(Verified { caller, generation }) = self.verified.get(&name) {
            let good = self.clock.now() < caller.expires_at && generation == self.keys.generation();
            if good && self.keys.are_usable() {
                return Ok(caller);
            }
            self.verified.remove(&name);
        }
        let header = Header::parse(token)?;
        let algorithm = header.algorithm(&self.settings.algorithms)?;
        let mut generation = self.keys.generation();
        let mut claims = self.claims(token, &header, algorithm).await;
        if claims == Err(jwt::WRONG_SIGNATURE) && self.keys.have_changed().await {
            generation = self.keys.generation();
            claims = self.claims(token, &header, algorithm).await;
        }
        let claims = claims?;
        let expires_at = claims.accept(Origin::Jwt, &self.settings, self.clock.now())?;
        let caller = Arc::new(Caller::of(&claims, &self.settings, expires_at)?);
        self.verified.insert(name, Verified { caller: Arc::clone(&caller), generation });
        Ok(caller)
    }

    /// The claims of a token that one of the issuer's keys has signed.
    async fn claims(&self, token: &str, header: &Header, algorithm: Algorithm) -> Result<Claims, AuthError> {
        let keys = self.keys.find(header.kid(), algorithm).await.map_err(|error| match error {
            KeyError::Unknown => AuthError::Invalid("the token's key is not one of the issuer's"),
            KeyError::Unavailable(detail) => AuthError::IssuerUnavailable(detail),
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
