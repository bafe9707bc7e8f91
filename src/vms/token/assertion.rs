//! Assertions (RFC 7523 §3): JWTs that the client signs with its private key.

use std::time::Duration;

use jiff::Timestamp;
use jsonwebtoken::{Header, encode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

use super::error::TokenError;
use crate::clock::after;
use crate::config::SigningKey;
use crate::private_key;

/// Validity of an assertion: it is used at once, and servers allow some minutes for clocks that differ.
const LIFETIME: Duration = Duration::from_mins(2);

#[derive(Debug, Serialize)]
struct Claims<'c> {
    iss: &'c str,
    sub: &'c str,
    aud: &'c str,
    jti: String,
    iat: i64,
    exp: i64,
}

/// Signs an assertion of the client about `subject`.
///
/// # Errors
/// [`TokenError::Secret`] if the key can't be read or can't sign.
pub fn sign(key: &SigningKey, client_id: &str, subject: &str, now: Timestamp) -> Result<SecretString, TokenError> {
    let pem = key.pem.read().map_err(TokenError::Secret)?;
    let unusable = || TokenError::Secret("target.oauth2.private_key holds no private key that can sign".to_owned());
    let (algorithm, private) = private_key::parse(pem.expose_secret()).ok_or_else(unusable)?;
    let mut header = Header::new(algorithm);
    header.kid.clone_from(&key.key_id);
    let claims = Claims {
        iss: client_id,
        sub: subject,
        aud: &key.audience,
        // Used once: a server may refuse an assertion that it has seen (RFC 7523 §3).
        jti: uuid::Uuid::new_v4().to_string(),
        iat: now.as_second(),
        exp: after(now, LIFETIME).as_second(),
    };
    encode(&header, &claims, &private).map(SecretString::from).map_err(|_| unusable())
}
