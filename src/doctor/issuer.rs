//! The issuer of callers' tokens: its metadata and keys, and its introspection endpoint.

use std::sync::Arc;

use super::finding::Finding;
use super::limit::within_limit;
use crate::app::token_verifier;
use crate::auth::TokenVerifier;
use crate::clock::Clock;
use crate::condition::Conditions;
use crate::config::Settings;

/// Fetches the keys, and has the issuer judge a token that nobody has.
pub async fn examine_issuer(settings: &Settings, clock: &Arc<dyn Clock>) -> Vec<Finding> {
    // A file that can't be used is a finding of the certificates.
    let connection_age = settings.target.max_connection_age;
    let Ok(verifier) = token_verifier(settings.auth.clone(), connection_age, clock, &Conditions::default()) else {
        return Vec::new();
    };
    let (keys, introspection) = tokio::join!(examine_keys(settings, &verifier), examine_introspection(&verifier));
    [keys].into_iter().chain(introspection).collect()
}

async fn examine_keys(settings: &Settings, verifier: &TokenVerifier) -> Finding {
    let issuer = &settings.auth.issuer;
    let asked = within_limit(verifier.probe_keys()).await;
    match asked {
        Err(problem) => Finding::fail(
            format!("issuer: the keys of {issuer} can't be fetched: {problem}"),
            "check auth.issuer and auth.jwks_url, the network from here to it, and auth.ca",
        ),
        Ok(found) if found.usable == 0 => Finding::fail(
            format!(
                "issuer: of the keys at {} none is for an algorithm of auth.algorithms; found: {}",
                found.url, found.keys
            ),
            "add the algorithm with which the issuer signs to auth.algorithms",
        ),
        Ok(found) => Finding::ok(format!("issuer: {issuer} has keys at {}, usable: {}", found.url, found.usable)),
    }
}

async fn examine_introspection(verifier: &TokenVerifier) -> Option<Finding> {
    let (url, answer) = verifier.introspection()?;
    Some(match within_limit(answer).await {
        Err(problem) => Finding::fail(
            format!("introspection: {url}: {problem}"),
            "check url, client_id, client_secret and auth of [auth.introspection], and the network",
        ),
        Ok(true) => Finding::fail(
            format!("introspection: {url} calls a token active that it has not issued"),
            "check auth.introspection.url: this endpoint would let everybody in",
        ),
        Ok(false) => Finding::ok(format!("introspection: {url} answers, and knows the service's client")),
    })
}
