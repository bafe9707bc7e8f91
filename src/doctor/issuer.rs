//! The issuers of callers' tokens: their metadata and keys, and their introspection endpoints.

use std::sync::Arc;

use super::finding::Finding;
use super::limit::within_limit;
use crate::app::token_verifier;
use crate::auth::TrustedIssuer;
use crate::clock::Clock;
use crate::condition::Conditions;
use crate::config::Settings;

/// Fetches the keys of each, and has each judge a token that nobody has.
pub async fn examine_issuers(settings: &Settings, clock: &Arc<dyn Clock>) -> Vec<Finding> {
    // A file that can't be used is a finding of the certificates.
    let connection_age = settings.target.max_connection_age;
    let Ok(verifier) = token_verifier(&settings.auth, connection_age, clock, &Conditions::default()) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for ((section, _), issuer) in settings.auth.sections().zip(verifier.issuers()) {
        let (keys, introspection) =
            tokio::join!(examine_keys(&section, issuer), examine_introspection(&section, issuer));
        findings.extend([keys].into_iter().chain(introspection));
    }
    findings
}

async fn examine_keys(section: &str, trusted: &TrustedIssuer) -> Finding {
    let issuer = &trusted.settings().issuer;
    let asked = within_limit(trusted.probe_keys()).await;
    match asked {
        Err(problem) => Finding::fail(
            format!("issuer: the keys of {issuer} can't be fetched: {problem}"),
            format!("check {section}.issuer and {section}.jwks_url, the network from here to it, and {section}.ca"),
        ),
        Ok(found) if found.usable == 0 => Finding::fail(
            format!(
                "issuer: of the keys at {} none is for an algorithm of {section}.algorithms; found: {}{}",
                found.url,
                found.keys,
                left_out(&found.left_out)
            ),
            format!("add the algorithm with which the issuer signs to {section}.algorithms"),
        ),
        Ok(found) => {
            let (url, usable, left_out) = (found.url, found.usable, left_out(&found.left_out));
            Finding::ok(format!("issuer: {issuer} has keys at {url}, usable: {usable}{left_out}"))
        }
    }
}

/// The keys that can't verify tokens: the first ones explain the others.
fn left_out(keys: &[String]) -> String {
    const MAX_NAMED: usize = 5;
    if keys.is_empty() {
        return String::new();
    }
    let named = keys.iter().take(MAX_NAMED).map(String::as_str).collect::<Vec<_>>().join("; ");
    format!(", left out: {} ({named})", keys.len())
}

async fn examine_introspection(section: &str, issuer: &TrustedIssuer) -> Option<Finding> {
    let (url, answer) = issuer.introspection()?;
    Some(match within_limit(answer).await {
        Err(problem) => Finding::fail(
            format!("introspection: {url}: {problem}"),
            format!("check url, client_id, client_secret and auth of [{section}.introspection], and the network"),
        ),
        Ok(true) => Finding::fail(
            format!("introspection: {url} calls a token active that it has not issued"),
            format!("check {section}.introspection.url: this endpoint would let everybody in"),
        ),
        Ok(false) => Finding::ok(format!("introspection: {url} answers, and knows the service's client")),
    })
}
