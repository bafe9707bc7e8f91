//! The access token that a caller gets for the service: its claims, and its form.

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use super::form::CALLER;
use super::key::SigningKey;

/// The audience of tokens for the service.
pub const AUDIENCE: &str = "purchase-order-webhook";

/// Every scope that the service knows.
pub const SCOPES: &str = "purchase-orders.write purchase-orders.read purchase-orders.operate";

/// The claims of a token that the caller gets for the service (RFC 9068 §2.2).
pub fn claims(issuer: &str, scopes: &str, issued_at: i64, lifetime: i64) -> Value {
    let caller = CALLER.0;
    json!({ "iss": issuer, "aud": AUDIENCE, "sub": caller, "client_id": caller, "scope": scopes, "iat": issued_at, "exp": issued_at + lifetime })
}

/// An access token as a JWT (RFC 9068 §2.1).
pub fn signed(key: &SigningKey, claims: &Value) -> String {
    key.sign(Algorithm::RS256, &json!({ "alg": "RS256", "typ": "at+jwt", "kid": key.kid }), claims)
}
