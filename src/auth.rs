//! Whose requests are taken: OAuth2 bearer tokens (RFC 6750) that are JWTs (RFC 7519, RFC 9068), with the pitfalls
//! of RFC 8725 closed.
//!
//! Owns the decision about a token; knows nothing of HTTP or of orders. Keys come from [`jwks`].

pub mod jwks;

use std::collections::HashSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, Validation, decode};
use quick_cache::sync::Cache;
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use crate::clock::{Clock, after};
use crate::config::{Auth, Scopes};
use crate::digest::sha256;
use jwks::{Key, KeyError, KeySet};

/// Longest token that is looked at; XSUAA's longest have some 8 KiB.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// Verified tokens that are remembered: a gateway uses one for hours, a hundred clients a hundred.
const REMEMBERED: usize = 10_000;

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
    #[error("the issuer's keys can't be had: {0}")]
    IssuerUnavailable(String),
}

/// The bearer of a verified token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// `client_id`, else `azp`, `cid` or `sub`.
    pub client: String,
    /// `sub`: the person, where a person was there.
    subject: Option<String>,
    scopes: HashSet<String>,
    expires_at: Timestamp,
    /// Of the keys that verified the token.
    generation: u64,
}

impl Caller {
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

    /// A request goes on only if the token carries the scope.
    ///
    /// # Errors
    /// [`AuthError::InsufficientScope`] naming the scope.
    pub fn require(&self, permission: Permission, names: &Scopes) -> Result<(), AuthError> {
        let scope = match permission {
            Permission::Write => &names.write,
            Permission::Read => &names.read,
            Permission::Operate => &names.operate,
        };
        if self.scopes.contains(scope) { Ok(()) } else { Err(AuthError::InsufficientScope(scope.clone())) }
    }
}

/// The parts of a JOSE header (RFC 7515 §4.1) that decide. `jku`, `x5u`, `jwk` and `x5c` are never looked at.
#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
}

/// Claims of RFC 7519 and RFC 9068, in the shapes in which SAP's and others' servers issue them.
#[derive(Debug, Deserialize)]
struct Claims {
    /// Compared by the library, which would also take a list.
    #[serde(rename = "iss")]
    _issuer: String,
    exp: Value,
    iat: Option<Value>,
    scope: Option<Value>,
    client_id: Option<String>,
    azp: Option<String>,
    cid: Option<String>,
    sub: Option<String>,
}

/// Decides about tokens, and remembers those that it verified until they expire.
#[derive(Debug)]
pub struct TokenVerifier {
    settings: Auth,
    keys: Arc<KeySet>,
    clock: Arc<dyn Clock>,
    verified: Cache<[u8; 32], Arc<Caller>>,
}

impl TokenVerifier {
    /// Nothing is fetched before the first token comes.
    pub fn new(settings: Auth, keys: KeySet, clock: Arc<dyn Clock>) -> Self {
        Self { settings, keys: Arc::new(keys), clock, verified: Cache::new(REMEMBERED) }
    }

    /// Names of the scopes.
    pub const fn scopes(&self) -> &Scopes {
        &self.settings.scopes
    }

    /// Fetches the issuer's keys ahead of the first token.
    pub async fn warm(&self) {
        self.keys.warm().await;
    }

    /// The bearer of a token.
    ///
    /// # Errors
    /// [`AuthError::Invalid`] for a token that is not good, [`AuthError::IssuerUnavailable`] if that can't be told.
    pub async fn verify(&self, token: &str) -> Result<Arc<Caller>, AuthError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(AuthError::Invalid("the token is too long"));
        }
        let name = sha256(token.as_bytes());
        if let Some(caller) = self.verified.get(&name) {
            let good = self.clock.now() < caller.expires_at && caller.generation == self.keys.generation();
            if good && self.keys.keep_current() {
                return Ok(caller);
            }
            self.verified.remove(&name);
        }
        let caller = Arc::new(self.verify_anew(token).await?);
        self.verified.insert(name, Arc::clone(&caller));
        Ok(caller)
    }

    async fn verify_anew(&self, token: &str) -> Result<Caller, AuthError> {
        let header = header(token)?;
        let algorithm = self.algorithm(&header)?;
        let generation = self.keys.generation();
        let key = self.keys.find(header.kid.as_deref(), algorithm).await.map_err(|error| match error {
            KeyError::Unknown => AuthError::Invalid("the token's key is not one of the issuer's"),
            KeyError::Unavailable(detail) => AuthError::IssuerUnavailable(detail),
        })?;
        let claims = self.claims(token, &key, algorithm)?;
        self.caller(claims, generation)
    }

    fn algorithm(&self, header: &Header) -> Result<Algorithm, AuthError> {
        let algorithm = header.alg.parse().ok().filter(|algorithm| self.settings.algorithms.contains(algorithm));
        algorithm.ok_or(AuthError::Invalid("the token's algorithm is not accepted"))
    }

    fn claims(&self, token: &str, key: &Key, algorithm: Algorithm) -> Result<Claims, AuthError> {
        // One validation a key: a mixed one would let an RSA key's bytes check another algorithm.
        let mut validation = Validation::new(algorithm);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.set_issuer(&[&self.settings.issuer]);
        validation.set_audience(&self.settings.audience);
        validation.validate_nbf = true;
        validation.leeway = self.settings.leeway.as_secs();
        decode::<Claims>(token, &key.decoding, &validation)
            .map(|data| data.claims)
            .map_err(|error| AuthError::Invalid(why(&error)))
    }

    fn caller(&self, claims: Claims, generation: u64) -> Result<Caller, AuthError> {
        let expires_at = moment(&claims.exp).ok_or(AuthError::Invalid("the token's exp can't be read"))?;
        if let Some(issued_at) = &claims.iat {
            let issued_at = moment(issued_at).ok_or(AuthError::Invalid("the token's iat can't be read"))?;
            if issued_at > after(self.clock.now(), self.settings.leeway) {
                return Err(AuthError::Invalid("the token was issued in the future"));
            }
        }
        let subject = claims.sub.clone();
        let client = claims.client_id.or(claims.azp).or(claims.cid).or(claims.sub).unwrap_or_default();
        Ok(Caller {
            client,
            subject,
            scopes: scopes(claims.scope.as_ref()),
            expires_at: after(expires_at, self.settings.leeway),
            generation,
        })
    }
}

/// Reads the JOSE header and refuses what no access token of ours has.
fn header(token: &str) -> Result<Header, AuthError> {
    const UNREADABLE: AuthError = AuthError::Invalid("the token is no JWT");
    let mut parts = token.split('.');
    let (Some(first), Some(_), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err(UNREADABLE);
    };
    let bytes = URL_SAFE_NO_PAD.decode(first).map_err(|_| UNREADABLE)?;
    let header: Header = serde_json::from_slice(&bytes).map_err(|_| UNREADABLE)?;
    if header.crit.is_some() {
        return Err(AuthError::Invalid("the token has critical headers that are not understood"));
    }
    // RFC 9068 §4 and RFC 8725 §3.11: an ID token or a logout token is no access token.
    let typ = header.typ.as_deref().unwrap_or("JWT").to_ascii_lowercase();
    if !matches!(typ.trim_start_matches("application/"), "jwt" | "at+jwt") {
        return Err(AuthError::Invalid("the token is no access token (typ)"));
    }
    Ok(header)
}

fn why(error: &jsonwebtoken::errors::Error) -> &'static str {
    use jsonwebtoken::errors::ErrorKind;
    match error.kind() {
        ErrorKind::InvalidSignature => "the token's signature is wrong",
        ErrorKind::ExpiredSignature => "the token has expired",
        ErrorKind::ImmatureSignature => "the token is not valid yet",
        ErrorKind::InvalidIssuer => "the token is from another issuer",
        ErrorKind::InvalidAudience => "the token is for another audience",
        ErrorKind::MissingRequiredClaim(_) => "the token lacks one of the claims exp, iss and aud",
        _ => "the token can't be read",
    }
}

/// NumericDate (RFC 7519 §2), which may have a fraction.
fn moment(value: &Value) -> Option<Timestamp> {
    match (value.as_i64(), value.as_f64()) {
        (Some(seconds), _) => Timestamp::from_second(seconds).ok(),
        (None, Some(seconds)) => Timestamp::from_duration(jiff::SignedDuration::try_from_secs_f64(seconds).ok()?).ok(),
        (None, None) => None,
    }
}

/// RFC 9068 writes scopes as one text, XSUAA as a list.
fn scopes(claim: Option<&Value>) -> HashSet<String> {
    match claim {
        Some(Value::String(text)) => text.split_ascii_whitespace().map(str::to_owned).collect(),
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => HashSet::new(),
    }
}
