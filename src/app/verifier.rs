//! The verifier of callers' tokens, with the client, the keys and the introspection of each issuer.

use std::sync::Arc;
use std::time::Duration;

use crate::auth::introspection::Introspector;
use crate::auth::jwks::KeySet;
use crate::auth::{IssuerNames, TokenVerifier, TrustedIssuer};
use crate::clock::Clock;
use crate::condition::Conditions;
use crate::config::{Auth, Identity};
use crate::outbound::{CallDurations, CertificateSettings, ClientSettings, Outbound, OutboundError};

/// Builds the verifier; nothing is fetched yet.
///
/// # Errors
/// If the `ca` of an issuer, or the certificate of its introspection, can't be used.
pub fn token_verifier(
    auth: &Auth,
    max_connection_age: Duration,
    clock: &Arc<dyn Clock>,
    conditions: &Conditions,
) -> Result<TokenVerifier, OutboundError> {
    let calls = Arc::<CallDurations>::default();
    let has_several = !auth.further.is_empty();
    let trusted = |(section, issuer): (String, &Auth)| {
        let client = |setting_names: String, identity: Option<Identity>| {
            let client = client(issuer, setting_names, identity, max_connection_age, clock)?;
            Ok(Arc::new(client.counting_into(Arc::clone(&calls))))
        };
        let http = client(format!("{section}.ca"), None)?;
        // A certificate for the introspection is shown nowhere else.
        let identity = issuer.introspection.as_ref().and_then(|settings| settings.credentials.identity());
        let asking = match identity {
            Some(identity) => {
                let setting_names = format!("{section}.introspection.private_key, or {section}.ca");
                client(setting_names, Some(identity.clone()))?
            }
            None => Arc::clone(&http),
        };
        let name = has_several.then(|| issuer.issuer.clone());
        Ok(trusted(issuer, name, http, asking, clock, conditions))
    };
    let issuers: Result<Vec<TrustedIssuer>, OutboundError> = auth.sections().map(trusted).collect();
    Ok(TokenVerifier::new(issuers?, calls, Arc::clone(clock)))
}

fn client(
    issuer: &Auth,
    setting_names: String,
    identity: Option<Identity>,
    max_connection_age: Duration,
    clock: &Arc<dyn Clock>,
) -> Result<Outbound, OutboundError> {
    let settings = ClientSettings {
        certificates: CertificateSettings { setting_names: setting_names.into(), ca: issuer.ca.clone(), identity },
        connect_timeout: issuer.timeout,
        timeout: issuer.timeout,
        max_connection_age,
        forward_proxy: issuer.forward_proxy.clone(),
    };
    Outbound::try_new(settings, Arc::clone(clock))
}

/// An issuer whose keys are fetched by one client, and who is asked about tokens by another.
fn trusted(
    issuer: &Auth,
    name: Option<String>,
    http: Arc<Outbound>,
    asking: Arc<Outbound>,
    clock: &Arc<dyn Clock>,
    conditions: &Conditions,
) -> TrustedIssuer {
    let names = Arc::new(IssuerNames { scopes: issuer.scopes.clone(), issuer: name });
    let keys = KeySet::new(issuer, http, Arc::clone(clock), conditions.clone());
    let introspector = issuer.introspection.clone().map(|introspection| {
        let (issuer, names) = (issuer.clone(), Arc::clone(&names));
        Introspector::new(introspection, issuer, names, asking, Arc::clone(clock), conditions.clone())
    });
    TrustedIssuer::new(issuer.clone(), names, keys, introspector, Arc::clone(clock))
}
