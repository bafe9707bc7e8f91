//! The verifier of callers' tokens, with the client, the keys and the introspection of each issuer.

use std::sync::Arc;
use std::time::Duration;

use crate::auth::introspection::Introspector;
use crate::auth::jwks::KeySet;
use crate::auth::{IssuerNames, TokenVerifier, TrustedIssuer};
use crate::clock::Clock;
use crate::condition::Conditions;
use crate::config::Auth;
use crate::outbound::{CallDurations, CertificateSettings, ClientSettings, Outbound, OutboundError};

/// Builds the verifier; nothing is fetched yet.
///
/// # Errors
/// If the `ca` of an issuer can't be used.
pub fn token_verifier(
    auth: &Auth,
    max_connection_age: Duration,
    clock: &Arc<dyn Clock>,
    conditions: &Conditions,
) -> Result<TokenVerifier, OutboundError> {
    let calls = Arc::<CallDurations>::default();
    let has_several = !auth.further.is_empty();
    let issuers: Result<Vec<TrustedIssuer>, OutboundError> = auth
        .issuers()
        .cloned()
        .map(|issuer| {
            let http = Arc::new(client(&issuer, max_connection_age, clock)?.counting_into(Arc::clone(&calls)));
            let name = has_several.then(|| issuer.issuer.clone());
            Ok(trusted(issuer, name, &http, clock, conditions))
        })
        .collect();
    Ok(TokenVerifier::new(issuers?, calls, Arc::clone(clock)))
}

fn client(issuer: &Auth, max_connection_age: Duration, clock: &Arc<dyn Clock>) -> Result<Outbound, OutboundError> {
    let settings = ClientSettings {
        certificates: CertificateSettings { setting_names: "auth.ca", ca: issuer.ca.clone(), identity: None },
        connect_timeout: issuer.timeout,
        timeout: issuer.timeout,
        max_connection_age,
    };
    Outbound::try_new(settings, Arc::clone(clock))
}

fn trusted(
    issuer: Auth,
    name: Option<String>,
    http: &Arc<Outbound>,
    clock: &Arc<dyn Clock>,
    conditions: &Conditions,
) -> TrustedIssuer {
    let names = Arc::new(IssuerNames { scopes: issuer.scopes.clone(), issuer: name });
    let keys = KeySet::new(&issuer, Arc::clone(http), Arc::clone(clock), conditions.clone());
    let introspector = issuer.introspection.clone().map(|introspection| {
        let (issuer, names) = (issuer.clone(), Arc::clone(&names));
        Introspector::new(introspection, issuer, names, Arc::clone(http), Arc::clone(clock), conditions.clone())
    });
    TrustedIssuer::new(issuer, names, keys, introspector, Arc::clone(clock))
}
