//! JWTs as access tokens (RFC 7519, RFC 9068): their header, and their signature.
//!
//! No key is taken from a token: `jku`, `x5u`, `jwk` and `x5c` are never used (RFC 8725 §3.10).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, crypto};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};
use serde_json::{Map, Value};

use super::claims::Claims;
use super::error::AuthError;
use super::key::{Key, KeyHint};
use crate::config::asymmetric_algorithm;

/// The key is not the one that has signed the token, or the token was changed.
pub const WRONG_SIGNATURE: AuthError = AuthError::Invalid("the token's signature is wrong");

/// The token is no JWT, or its header can't be read.
pub const NO_JWT: AuthError = AuthError::Invalid("the token is no JWT");

const UNREADABLE: AuthError = AuthError::Invalid("the token can't be read");

/// The members of a JOSE header (RFC 7515 §4.1) that are used.
#[derive(Debug, Deserialize)]
pub struct Header {
    alg: String,
    kid: Option<String>,
    x5t: Option<String>,
    #[serde(rename = "x5t#S256")]
    x5t_s256: Option<String>,
    typ: Option<String>,
    /// Whether it is present, even as `null`.
    #[serde(default, deserialize_with = "is_present")]
    crit: bool,
}

fn is_present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

impl Header {
    /// Reads the header of a JWS in compact form. `None` for an opaque token: one that does not consist of three parts
    /// in base64url, the first of which is a JSON object.
    ///
    /// # Errors
    /// [`AuthError::Invalid`] for a JWT with a header that no access token has.
    pub fn parse(token: &str) -> Option<Result<Self, AuthError>> {
        let bytes = first_part(token)?;
        // The object decides alone: a JWT whose header can't be used must not pass as an opaque token. RFC 7515 §4
        // wants an object, and serde would read a struct from a list, too.
        let _object: Map<String, Value> = serde_json::from_slice(&bytes).ok()?;
        Some(serde_json::from_slice::<Self>(&bytes).map_err(|_| NO_JWT).and_then(Self::check))
    }

    fn check(self) -> Result<Self, AuthError> {
        if self.crit {
            return Err(AuthError::Invalid("the token has critical headers that are not understood"));
        }
        // RFC 9068 §4 and RFC 8725 §3.11: an ID token or a logout token is no access token.
        let typ = self.typ.as_deref().unwrap_or("JWT").to_ascii_lowercase();
        if !matches!(typ.strip_prefix("application/").unwrap_or(&typ), "jwt" | "at+jwt") {
            return Err(AuthError::Invalid("the token is no access token (typ)"));
        }
        Ok(self)
    }

    /// What it says of the key that has signed the token.
    pub fn key_hint(&self) -> KeyHint<'_> {
        KeyHint { kid: self.kid.as_deref(), x5t: self.x5t.as_deref(), x5t_s256: self.x5t_s256.as_deref() }
    }

    /// The algorithm, if it is an accepted one.
    ///
    /// # Errors
    /// [`AuthError::Invalid`]
    pub fn algorithm(&self, accepted: &[Algorithm]) -> Result<Algorithm, AuthError> {
        let algorithm = asymmetric_algorithm(&self.alg).filter(|algorithm| accepted.contains(algorithm));
        algorithm.ok_or(AuthError::Invalid("the token's algorithm is not accepted"))
    }
}

/// The bytes of the first of three parts, all of which are base64url without padding.
fn first_part(token: &str) -> Option<Vec<u8>> {
    let is_base64url = |part: &str| part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    let mut parts = token.split('.');
    let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
    let is_jws = parts.next().is_none() && [header, claims, signature].into_iter().all(is_base64url);
    if is_jws { URL_SAFE_NO_PAD.decode(header).ok() } else { None }
}

/// The claims of a token that a key has signed. They are not judged here.
///
/// # Errors
/// [`AuthError::Invalid`]
pub fn verify(token: &str, key: &Key, algorithm: Algorithm) -> Result<Claims, AuthError> {
    check_signature(token, key, algorithm)?;
    unverified_claims(token).ok_or(UNREADABLE)
}

/// Checks the signature of a JWS in compact form (RFC 7515 §5.2). The algorithm is one that the key is for.
///
/// # Errors
/// [`AuthError::Invalid`]
pub fn check_signature(token: &str, key: &Key, algorithm: Algorithm) -> Result<(), AuthError> {
    let (message, signature) = token.rsplit_once('.').ok_or(NO_JWT)?;
    match crypto::verify(signature, message.as_bytes(), &key.decoding, algorithm) {
        Ok(true) => Ok(()),
        Ok(false) => Err(WRONG_SIGNATURE),
        Err(_) => Err(UNREADABLE),
    }
}

/// The claims of a token, signed or not: they prove nothing yet.
pub fn unverified_claims(token: &str) -> Option<Claims> {
    let claims = token.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

#[cfg(test)]
mod tests;
