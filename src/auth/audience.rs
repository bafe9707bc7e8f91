//! The rules for the claim `aud`: RFC 7519 §4.1.3, XSUAA's, and the one for issuers that have none.

use super::claims::Claims;
use crate::config::{AudienceRule, Auth, Clients};

/// Whether a token is for one of the expected audiences.
pub fn matches(claims: &Claims, settings: &Auth) -> bool {
    let expected = &settings.audience;
    match settings.audience_rule {
        AudienceRule::Listed => claims.texts("aud").iter().any(|audience| expected.iter().any(|one| one == audience)),
        AudienceRule::Xsuaa => {
            xsuaa_audiences(claims).iter().any(|audience| expected.iter().any(|one| xsuaa_matches(one, audience)))
        }
        AudienceRule::Client => is_of_known_client(claims, settings),
    }
}

/// Whether a token was issued to a client that has a permission by its name.
pub fn is_of_known_client(claims: &Claims, settings: &Auth) -> bool {
    let Clients { write, read, operate } = &settings.clients;
    claims.client_id().is_some_and(|id| [write, read, operate].into_iter().flatten().any(|known| known == id))
}

/// The audiences of XSUAA's token. If it lists none, its scopes name the applications that it is for. The client that
/// it was issued to is always one: it may use the token for itself.
fn xsuaa_audiences(claims: &Claims) -> Vec<&str> {
    let listed = claims.texts("aud");
    if listed.is_empty() && !claims.is_absent_or_empty("aud") {
        return Vec::new();
    }
    let mut audiences = if listed.is_empty() { claims.list("scope") } else { listed };
    audiences.extend(claims.text("cid"));
    audiences
}

/// An application's name matches everything that begins with it and a dot. A broker (`!b`) also matches the clones that
/// it made of itself: their names end with its own.
fn xsuaa_matches(expected: &str, audience: &str) -> bool {
    let is_within = audience.strip_prefix(expected).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    let application = audience.split_once('.').map_or(audience, |(application, _)| application);
    let is_clone = || application.strip_suffix(expected).is_some_and(|before| before.ends_with('|'));
    is_within || (expected.contains("!b") && is_clone())
}
