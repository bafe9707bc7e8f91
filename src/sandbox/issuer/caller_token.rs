//! Tokens that a caller of the service gets from the token endpoint: JWTs with chosen scopes and lifetime.
//!
//! The lifetime is the sandbox's own: `expires_in` in the form is no parameter of RFC 6749.

use std::ops::RangeInclusive;

use serde_json::{Value, json};

use super::access_token::{SCOPES, claims, signed};
use super::form::Form;
use super::state::{State, TOKEN_LIFETIME};
use crate::clock::{Clock as _, SystemClock};
use crate::sandbox::http::{Answer, json_answer};

/// Seconds that a token may live. Below 0 it has expired before it is issued: nobody has to wait to see it refused.
pub const LIFETIMES: RangeInclusive<i64> = -3600..=86_400;

/// Answers an authenticated caller (RFC 6749 §5).
pub fn answer(state: &State, form: &Form) -> Answer {
    match token(state, form) {
        Ok(body) => json_answer(200, &body),
        Err((error, description)) => json_answer(400, &json!({ "error": error, "error_description": description })),
    }
}

fn token(state: &State, form: &Form) -> Result<Value, (&'static str, String)> {
    let scopes = scopes(&form.get("scope")).map_err(|description| ("invalid_scope", description))?;
    let lifetime = lifetime(&form.get("expires_in")).map_err(|description| ("invalid_request", description))?;
    let key = state.keys.first().ok_or_else(|| ("server_error", "the issuer has no key".to_owned()))?;
    let token = signed(key, &claims(&state.url, &scopes, SystemClock.now().as_second(), lifetime));
    Ok(json!({ "access_token": token, "token_type": "Bearer", "expires_in": lifetime, "scope": scopes }))
}

/// The scopes of a request, all of them without one (RFC 6749 §3.3).
fn scopes(requested: &str) -> Result<String, String> {
    let unknown = requested.split_whitespace().find(|scope| SCOPES.split(' ').all(|known| known != *scope));
    match unknown {
        Some(scope) => Err(format!("scope: {scope} is unknown; expected some of {SCOPES}")),
        None if requested.trim().is_empty() => Ok(SCOPES.to_owned()),
        None => Ok(requested.split_whitespace().collect::<Vec<_>>().join(" ")),
    }
}

fn lifetime(requested: &str) -> Result<i64, String> {
    if requested.is_empty() {
        return Ok(TOKEN_LIFETIME);
    }
    let seconds = requested.parse().ok().filter(|seconds| LIFETIMES.contains(seconds));
    seconds.ok_or_else(|| {
        let (first, last) = (LIFETIMES.start(), LIFETIMES.end());
        format!("expires_in: {requested} is no number of seconds from {first} to {last}")
    })
}
