//! JWTs as access tokens (RFC 7519, RFC 9068): their header, and their signature.
//!
//! No key comes from a token: `jku`, `x5u`, `jwk` and `x5c` are never looked at (RFC 8725 §3.10).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, Validation, decode};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};
use serde_json::{Map, Value};

use super::AuthError;
use super::claims::Claims;
use super::key::Key;

/// The key is not the one that has signed the token, or the token was changed.
pub const WRONG_SIGNATURE: AuthError = AuthError::Invalid("the token's signature is wrong");

const UNREADABLE: AuthError = AuthError::Invalid("the token is no JWT");

/// The parts of a JOSE header (RFC 7515 §4.1) that decide.
#[derive(Debug, Deserialize)]
pub struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    /// Present at all, even as `null`.
    #[serde(default, deserialize_with = "present")]
    crit: bool,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

impl Header {
    /// Reads the header of a JWS in compact form, and refuses what no access token has.
    ///
    /// # Errors
    /// [`AuthError::Invalid`]
    pub fn parse(token: &str) -> Result<Self, AuthError> {
        let bytes = first_part(token)?;
        // RFC 7515 §4 wants an object, and serde reads a struct from a list too; whether it is a JWT at all is told by
        // the same reading, so that nobody can take it for an opaque token.
        let header = object(&bytes).and_then(|_| serde_json::from_slice::<Self>(&bytes).ok()).ok_or(UNREADABLE)?;
        if header.crit {
            return Err(AuthError::Invalid("the token has critical headers that are not understood"));
        }
        // RFC 9068 §4 and RFC 8725 §3.11: an ID token or a logout token is no access token.
        let typ = header.typ.as_deref().unwrap_or("JWT").to_ascii_lowercase();
        if !matches!(typ.strip_prefix("application/").unwrap_or(&typ), "jwt" | "at+jwt") {
            return Err(AuthError::Invalid("the token is no access token (typ)"));
        }
        Ok(header)
    }

    /// Which of the issuer's keys has signed the token.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The algorithm, if it is one of those that are accepted.
    ///
    /// # Errors
    /// [`AuthError::Invalid`]
    pub fn algorithm(&self, accepted: &[Algorithm]) -> Result<Algorithm, AuthError> {
        let algorithm = self.alg.parse().ok().filter(|algorithm| accepted.contains(algorithm));
        algorithm.ok_or(AuthError::Invalid("the token's algorithm is not accepted"))
    }
}

/// The bytes of the first of three parts, all of which are base64url without padding.
fn first_part(token: &str) -> Result<Vec<u8>, AuthError> {
    let is_base64url = |part: &str| part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    match token.split('.').collect::<Vec<_>>().as_slice() {
        [header, claims, signature] if [header, claims, signature].into_iter().all(|part| is_base64url(part)) => {
            URL_SAFE_NO_PAD.decode(header).map_err(|_| UNREADABLE)
        }
        _ => Err(UNREADABLE),
    }
}

/// Whether a token is a JWT, good or not; anything else is opaque.
pub fn is_jwt(token: &str) -> bool {
    first_part(token).is_ok_and(|header| object(&header).is_some())
}

fn object(bytes: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice(bytes).ok()
}

/// The claims of a token that a key has signed. What they say is not judged here.
///
/// # Errors
/// [`AuthError::Invalid`]
pub fn verify(token: &str, key: &Key, algorithm: Algorithm) -> Result<Claims, AuthError> {
    // One validation a key: a mixed one would let an RSA key's bytes check another algorithm.
    let mut validation = Validation::new(algorithm);
    // Claims are judged by `Claims::accept`, by the service's clock, and for introspected tokens alike.
    validation.set_required_spec_claims::<&str>(&[]);
    validation.validate_exp = false;
    validation.validate_aud = false;
    decode::<Claims>(token, &key.decoding, &validation).map(|data| data.claims).map_err(|error| {
        use jsonwebtoken::errors::ErrorKind;
        match error.kind() {
            ErrorKind::InvalidSignature => WRONG_SIGNATURE,
            _ => AuthError::Invalid("the token can't be read"),
        }
    })
}
