//! The verifier of callers' tokens, with its client, keys and introspection.

use std::sync::Arc;

use crate::auth::TokenVerifier;
use crate::auth::introspection::Introspector;
use crate::auth::jwks::KeySet;
use crate::clock::Clock;
use crate::config::Auth;
use crate::outbound::{ClientSettings, Outbound, OutboundError};

/// Builds the verifier; nothing is fetched yet.
///
/// # Errors
/// If `auth.ca` can't be used.
pub fn token_verifier(auth: Auth, clock: &Arc<dyn Clock>) -> Result<TokenVerifier, OutboundError> {
    let settings = ClientSettings {
        setting_names: "auth.ca",
        connect_timeout: auth.timeout,
        timeout: auth.timeout,
        ca: auth.ca.clone(),
        identity: None,
    };
    let issuer = Arc::new(Outbound::try_new(settings, Arc::clone(clock))?);
    let keys = KeySet::new(&auth, Arc::clone(&issuer), Arc::clone(clock));
    let introspector = auth
        .introspection
        .clone()
        .map(|introspection| Introspector::new(introspection, auth.clone(), issuer, Arc::clone(clock)));
    Ok(TokenVerifier::new(auth, keys, introspector, Arc::clone(clock)))
}
