//! The verifier of callers' tokens, with its client, keys and introspection.

use std::sync::Arc;
use std::time::Duration;

use crate::auth::TokenVerifier;
use crate::auth::introspection::Introspector;
use crate::auth::jwks::KeySet;
use crate::clock::Clock;
use crate::condition::Conditions;
use crate::config::{Auth, Identity};
use crate::outbound::{CertificateSettings, ClientSettings, Outbound, OutboundError};

/// Builds the verifier; nothing is fetched yet.
///
/// # Errors
/// If `auth.ca`, or the certificate of `auth.introspection`, can't be used.
pub fn token_verifier(
    auth: Auth,
    max_connection_age: Duration,
    clock: &Arc<dyn Clock>,
    conditions: &Conditions,
) -> Result<TokenVerifier, OutboundError> {
    let client = |setting_names, identity: Option<Identity>| {
        let settings = ClientSettings {
            certificates: CertificateSettings { setting_names, ca: auth.ca.clone(), identity },
            connect_timeout: auth.timeout,
            timeout: auth.timeout,
            max_connection_age,
            forward_proxy: auth.forward_proxy.clone(),
        };
        Outbound::try_new(settings, Arc::clone(clock))
    };
    let issuer = Arc::new(client("auth.ca", None)?);
    let keys = KeySet::new(&auth, Arc::clone(&issuer), Arc::clone(clock), conditions.clone());
    // A certificate for the introspection is shown nowhere else.
    let introspection_client = match auth.introspection.as_ref().and_then(|settings| settings.credentials.identity()) {
        Some(identity) => {
            let client = client("auth.introspection.private_key, or auth.ca", Some(identity.clone()))?;
            Arc::new(client.counting_with(&issuer))
        }
        None => issuer,
    };
    let introspector = auth.introspection.clone().map(|introspection| {
        Introspector::new(introspection, auth.clone(), introspection_client, Arc::clone(clock), conditions.clone())
    });
    Ok(TokenVerifier::new(auth, keys, introspector, Arc::clone(clock)))
}
