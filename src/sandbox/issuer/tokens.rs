//! Tokens of the issuer: valid ones, and ones with any header and claims.

use jiff::Timestamp;
use jsonwebtoken::Algorithm;
use serde_json::Value;

use super::access_token::{SCOPES, claims, signed};
use super::handle::Issuer;
use super::key::SigningKey;
use super::state::TOKEN_LIFETIME;
use crate::clock::{Clock as _, SystemClock};

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
