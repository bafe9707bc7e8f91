//! The verifier of callers' tokens, with its client, keys and introspection.

use std::sync::Arc;
use std::time::Duration;

use crate::auth::TokenVerifier;
use crate::auth::introspection::Introspector;
use crate::auth::jwks::KeySet;
use crate::clock::Clock;
use crate::condition::Conditions;
use crate::config::Auth;
use crate::outbound::{CertificateSettings, ClientSettings, Outbound, OutboundError};

/// Builds the verifier; nothing is fetched yet.
///
/// # Errors
/// If `auth.ca` can't be used.
pub fn token_verifier(
    auth: Auth,
    max_connection_age: Duration,
    clock: &Arc<dyn Clock>,
    conditions: &Conditions,
) -> Result<TokenVerifier, OutboundError> {
    let settings = ClientSettings {
        certificates: CertificateSettings { setting_names: "auth.ca", ca: auth.ca.clone(), identity: None },
        connect_timeout: auth.timeout,
        timeout: auth.timeout,
        max_connection_age,
        forward_proxy: auth.forward_proxy.clone(),
    };
    let issuer = Arc::new(Outbound::try_new(settings, Arc::clone(clock))?);
    let keys = KeySet::new(&auth, Arc::clone(&issuer), Arc::clone(clock), conditions.clone());
    let introspector = auth.introspection.clone().map(|introspection| {
        Introspector::new(introspection, auth.clone(), issuer, Arc::clone(clock), conditions.clone())
    });
    Ok(TokenVerifier::new(auth, keys, introspector, Arc::clone(clock)))
}
