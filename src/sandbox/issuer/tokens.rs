//! Tokens of the issuer: valid ones, and ones with any header and claims.

use jiff::Timestamp;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use super::form::CALLER;
use super::handle::Issuer;
use super::key::SigningKey;
use super::state::TOKEN_LIFETIME;
use crate::clock::{Clock as _, SystemClock};

/// The audience of tokens for the service.
pub const AUDIENCE: &str = "purchase-order-webhook";

/// Every scope that the service knows.
pub const SCOPES: &str = "purchase-orders.write purchase-orders.read purchase-orders.operate";

/// The claims of a token that the caller gets for the service (RFC 9068 §2.2).
pub(super) fn claims(issuer: &str, scopes: &str, issued_at: i64, lifetime: i64) -> Value {
    let caller = CALLER.0;
    json!({ "iss": issuer, "aud": AUDIENCE, "sub": caller, "client_id": caller, "scope": scopes, "iat": issued_at, "exp": issued_at + lifetime })
}

/// An access token as a JWT (RFC 9068 §2.1).
pub(super) fn signed(key: &SigningKey, claims: &Value) -> String {
    key.sign(Algorithm::RS256, &json!({ "alg": "RS256", "typ": "at+jwt", "kid": key.kid }), claims)
}

impl Issuer {
    /// The claims of a valid token for the service, as a start for others.
    pub fn claims(&self) -> Value {
        self.claims_at(SystemClock.now())
    }

    /// The same, issued at another time.
    pub fn claims_at(&self, now: Timestamp) -> Value {
        claims(&self.url(), SCOPES, now.as_second(), TOKEN_LIFETIME)
    }

    /// A valid token for the service.
    pub fn token(&self) -> String {
        // One key for header and signature: it may be rotated meanwhile.
        self.key().map(|key| signed(&key, &self.claims())).unwrap_or_default()
    }

    /// The `kid` of the current key.
    pub fn kid(&self) -> String {
        self.lock().keys.first().map(|key| key.kid.clone()).unwrap_or_default()
    }

    /// The current key itself.
    pub fn key(&self) -> Option<SigningKey> {
        self.lock().keys.first().cloned()
    }

    /// Any header and any claims, signed RS256 with the current key.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        self.key().map(|key| key.sign(Algorithm::RS256, header, claims)).unwrap_or_default()
    }
}
