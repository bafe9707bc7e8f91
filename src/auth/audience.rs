//! Whom a token is for: the claim `aud`, as RFC 7519 §4.1.3 and as XSUAA read it.

use super::claims::Claims;
use crate::config::{AudienceRule, Auth};

/// Whether a token is for one of the audiences that are expected.
pub fn fits(claims: &Claims, settings: &Auth) -> bool {
    let ours = &settings.audience;
    match settings.audience_rule {
        AudienceRule::Listed => claims.texts("aud").iter().any(|audience| ours.iter().any(|one| one == audience)),
        AudienceRule::Xsuaa => of_xsuaa(claims).iter().any(|audience| ours.iter().any(|one| covers(one, audience))),
    }
}

/// The audiences of XSUAA's token: where it lists none, its scopes say which applications it is for; and the client that
/// it was issued to may use it for itself.
fn of_xsuaa(claims: &Claims) -> Vec<&str> {
    let listed = claims.texts("aud");
    if listed.is_empty() && !claims.lists_nothing("aud") {
        return Vec::new();
    }
    let mut audiences = if listed.is_empty() { claims.list("scope") } else { listed };
    audiences.extend(claims.text("cid"));
    audiences
}

/// An application's name stands for all that begins with it and a dot. A broker (`!b`) also serves the clones that it
/// made of itself: their names end with its own.
fn covers(one: &str, audience: &str) -> bool {
    let within = audience.strip_prefix(one).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    let application = audience.split_once('.').map_or(audience, |(application, _)| application);
    let clone = || application.strip_suffix(one).is_some_and(|before| before.ends_with('|'));
    within || (one.contains("!b") && clone())
}
