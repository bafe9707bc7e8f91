//! Whether a token's claims are accepted: issuer, audience, kind of token, times.
//!
//! Judges the claims of JWTs and of introspected tokens alike; `claims.rs` only reads them.

use jiff::Timestamp;
use serde_json::Value;

use super::audience;
use super::claims::Claims;
use super::error::AuthError;
use crate::clock::after;
use crate::config::{AudienceRule, Auth};

/// The claims of scopes, which no ID token has. What `auth.scopes.claim` names may be in both: ID tokens have roles, too.
const SCOPE_CLAIMS: [&str; 2] = ["scope", "scp"];

/// The origin of claims, which decides whether some of them are required.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A signed token: `iss`, `aud` and `exp` are required (RFC 9068 §2.2).
    Jwt,
    /// The introspection endpoint, which has validated the token (RFC 7662 §4): only what it states is checked.
    Introspection,
}

/// Judges the claims. Returns when the token expires, `auth.leeway` included.
///
/// # Errors
/// [`AuthError::Invalid`] for the first thing that is wrong.
pub fn accept(claims: &Claims, origin: Origin, settings: &Auth, now: Timestamp) -> Result<Timestamp, AuthError> {
    check_issuer(claims, origin, settings)?;
    check_audience(claims, origin, settings)?;
    check_kind(claims)?;
    check_times(claims, origin, settings, now)
}

fn check_issuer(claims: &Claims, origin: Origin, settings: &Auth) -> Result<(), AuthError> {
    match (claims.get("iss"), origin) {
        (None, Origin::Introspection) => Ok(()),
        (None, Origin::Jwt) => Err(AuthError::Invalid("the token lacks the claim iss")),
        (Some(Value::String(issuer)), _) if *issuer == settings.issuer => Ok(()),
        (Some(other), _) => Err(AuthError::other_issuer(other, &settings.issuer)),
    }
}

fn check_audience(claims: &Claims, origin: Origin, settings: &Auth) -> Result<(), AuthError> {
    if settings.audience_rule == AudienceRule::Client {
        // Cognito's access tokens have no `aud`: the client has to be a known one, whoever states the claims.
        return if audience::is_of_known_client(claims, settings) {
            Ok(())
        } else {
            Err(AuthError::Invalid("the token's client is not known here"))
        };
    }
    match (claims.get("aud"), origin) {
        (None, Origin::Introspection) => Ok(()),
        _ if audience::matches(claims, settings) => Ok(()),
        (None, Origin::Jwt) => Err(AuthError::Invalid("the token lacks the claim aud")),
        (Some(_), _) => Err(AuthError::Invalid("the token is for another audience")),
    }
}

/// An ID token (OpenID Connect Core §2, §3.3.2.11), a logout token or another event (RFC 8417) describes somebody, and
/// grants no access (RFC 9068 §4, RFC 8725 §2.8).
fn check_kind(claims: &Claims) -> Result<(), AuthError> {
    // An access token may carry the nonce of the login that it came from, but then it has scopes.
    let has_scopes = SCOPE_CLAIMS.iter().any(|name| !claims.scopes(name).is_empty());
    let is_id_token = claims.has("nonce") && !has_scopes;
    // The claims that name the kind: `typ` of Keycloak, `token_use` of Cognito and Hydra, `token_type` of an
    // introspection. Refresh tokens are active, too.
    let access_kinds: [(&str, &[&str]); 3] =
        [("typ", &["bearer"]), ("token_use", &["access", "access_token"]), ("token_type", &["bearer", "access_token"])];
    let is_of_another_kind = access_kinds.iter().any(|(claim, kinds)| {
        claims.text(claim).is_some_and(|kind| !kinds.iter().any(|access| kind.eq_ignore_ascii_case(access)))
    });
    let has_foreign_claim = ["at_hash", "c_hash", "s_hash", "events"].into_iter().any(|name| claims.has(name));
    if is_id_token || is_of_another_kind || has_foreign_claim {
        return Err(AuthError::Invalid("the token is no access token"));
    }
    Ok(())
}

/// Returns when the token expires.
fn check_times(claims: &Claims, origin: Origin, settings: &Auth, now: Timestamp) -> Result<Timestamp, AuthError> {
    let latest = after(now, settings.leeway);
    if claims.numeric_date("nbf")?.is_some_and(|begin| begin > latest) {
        return Err(AuthError::Invalid("the token is not valid yet"));
    }
    if claims.numeric_date("iat")?.is_some_and(|issued| issued > latest) {
        return Err(AuthError::Invalid("the token was issued in the future"));
    }
    let expires_at = match (claims.numeric_date("exp")?, origin) {
        (Some(expiry), _) => after(expiry, settings.leeway),
        (None, Origin::Introspection) => Timestamp::MAX,
        (None, Origin::Jwt) => return Err(AuthError::Invalid("the token lacks the claim exp")),
    };
    if now < expires_at { Ok(expires_at) } else { Err(AuthError::Invalid("the token has expired")) }
}
