//! The service works with a real authorization server, npm's oidc-provider, over TLS with a private CA: as the issuer of
//! callers' tokens, and as the token endpoint for 11VMS with every client authentication. It says NOT RUN where the server is
//! not installed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![allow(clippy::disallowed_methods, reason = "a test plays the caller")]

#[path = "../support/certificates.rs"]
mod certificates;
#[path = "../support/mod.rs"]
mod support;

mod forward_proxy;
mod front;
mod provider;

use std::sync::Arc;

use jsonwebtoken::Algorithm;
use purchase_order_webhook::sandbox::issuer::{Issuer, SigningKey};
use purchase_order_webhook::sandbox::vms::SandboxVms;
use reqwest::Client;
use serde_json::Value;

use certificates::{Ca, Kind, Pair};
use provider::Provider;
use support::{Answer, ORDERS, Service, cart};

/// A service that takes tokens of the provider; its 11VMS takes any token.
async fn service_beside(provider: &Provider, more: &str) -> Service {
    let issuer = Issuer::start().await.unwrap();
    let vms = SandboxVms::start(issuer.clone()).await.unwrap();
    vms.accept_any_token();
    let settings =
        format!("auth.issuer = {:?}\nauth.ca = \"{}\"\n{more}", provider.issuer, provider.ca.certificate().display());
    Service::start_beside(issuer, vms, Arc::new(tempfile::tempdir().unwrap()), &settings).await
}

async fn list(service: &Service, token: &str) -> Answer {
    Answer::of(service.client.get(service.url(ORDERS)).bearer_auth(token).send().await.unwrap()).await
}

#[tokio::test]
async fn access_tokens_of_both_algorithms_are_accepted() {
    let Some(provider) = Provider::start(None) else { return };
    let service = service_beside(&provider, "").await;
    for kind in ["rs256", "es256"] {
        let token = provider.token(kind).await;
        let answer = list(&service, &token).await;
        assert_eq!(answer.status, 200, "{kind}: {}", answer.text);
    }
    // For 11VMS, not for us.
    let other = provider.ask(&provider.client(), "srm7", None).await;
    list(&service, &other).await.is_problem(401, "invalid-token");
}

#[tokio::test]
async fn the_rotated_keys_of_the_provider_are_found() {
    let Some(provider) = Provider::start(None) else { return };
    let service = service_beside(&provider, "").await;
    assert_eq!(list(&service, &provider.token("rs256").await).await.status, 200);
    provider.rotate().await;
    assert_eq!(list(&service, &provider.token("es256").await).await.status, 200);
    assert_eq!(provider.counts().await["jwks"], 2);
}

#[tokio::test]
async fn opaque_tokens_are_introspected_at_the_provider() {
    let Some(provider) = Provider::start(None) else { return };
    let introspection = format!(
        "auth.introspection.url = \"{}/token/introspection\"\nauth.introspection.client_id = \"introspector\"\n\
         auth.introspection.client_secret = \"introspector-secret\"",
        provider.issuer
    );
    let service = service_beside(&provider, &introspection).await;
    let token = provider.token("opaque").await;
    for _ in 0..3 {
        assert_eq!(list(&service, &token).await.status, 200);
    }
    assert_eq!(provider.counts().await["introspection"], 1);
    list(&service, "unknown-token").await.is_problem(401, "invalid-token");
    // For 11VMS, not for us.
    let other = provider.ask(&provider.client(), "srm7", None).await;
    list(&service, &other).await.is_problem(401, "invalid-token");
}

#[tokio::test]
async fn the_introspection_takes_an_assertion_or_a_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let key = SigningKey::generate(Algorithm::ES256, "webhook-1").unwrap();
    let Some(provider) = Provider::start(Some(&key)) else { return };
    let url = format!("auth.introspection.url = \"{}/token/introspection\"", provider.issuer);
    let assertion = format!(
        "auth.introspection.client_id = \"webhook-key\"\nauth.introspection.auth = \"private_key_jwt\"\n\
         auth.introspection.private_key_file = {:?}\nauth.introspection.key_id = \"webhook-1\"\n\
         auth.introspection.assertion_audience = {:?}",
        key_file(&folder, &key.pem),
        provider.issuer
    );
    let certificate = format!(
        "auth.introspection.client_id = \"webhook-mtls\"\nauth.introspection.auth = \"mtls\"\n\
         auth.introspection.private_key_file = {:?}\nauth.introspection.certificate_file = {:?}",
        provider.webhook.key, provider.webhook.certificate
    );
    let token = provider.token("opaque").await;
    for client in [assertion, certificate] {
        let settings = format!("target.oauth2.client_secret = \"webhook-secret\"\n{url}\n{client}");
        let service = service_beside(&provider, &settings).await;
        let answer = list(&service, &token).await;
        assert_eq!(answer.status, 200, "{client}: {}", answer.text);
        list(&service, "unknown-token").await.is_problem(401, "invalid-token");
    }
}

#[tokio::test]
async fn a_certificate_bound_token_is_accepted_with_its_certificate_alone() {
    let Some(provider) = Provider::start(None) else { return };
    let server = provider.ca.server("service", Kind::Rsa);
    let tls = format!(
        "server.tls.certificate = \"{}\"\nserver.tls.key = \"{}\"\nserver.tls.client_ca = \"{}\"",
        server.certificate.display(),
        server.key.display(),
        provider.alone.certificate.display()
    );
    let service = service_beside(&provider, &tls).await;
    let bound = provider.client_with(&provider.alone);
    let token = provider.ask(&bound, "srm7-bound", Some("rs256")).await;
    let url = format!("https://{}{ORDERS}", service.address);
    let ask = |client: Client| client.get(&url).bearer_auth(&token).send();
    assert_eq!(ask(bound).await.unwrap().status(), 200);
    assert_eq!(ask(provider.client()).await.unwrap().status(), 401, "a stolen token");
}

/// What the service sends to 11VMS with, `settings` of `[target.oauth2]`.
async fn order_with(provider: &Provider, settings: &str) -> Answer {
    let ca = provider.ca.certificate().display();
    let url = format!("{}/token", provider.issuer);
    let target = format!("target.ca = \"{ca}\"\ntarget.oauth2.token_url = {url:?}\nretry.attempts = 0\n{settings}");
    let service = Box::pin(service_beside(provider, &target)).await;
    let token = provider.token("rs256").await;
    let request = service.client.post(service.url(ORDERS)).bearer_auth(token);
    let answer = request.header("content-type", "application/json").body(cart(1).to_string()).send().await.unwrap();
    Answer::of(answer).await
}

fn key_file(folder: &tempfile::TempDir, pem: &str) -> String {
    let file = folder.path().join("key.pem");
    std::fs::write(&file, pem).unwrap();
    file.display().to_string()
}

#[tokio::test]
async fn every_client_authentication_gets_a_token() {
    let folder = tempfile::tempdir().unwrap();
    for algorithm in [Algorithm::RS256, Algorithm::ES256] {
        let key = SigningKey::generate(algorithm, "webhook-1").unwrap();
        let Some(provider) = Provider::start(Some(&key)) else { return };
        let settings = format!(
            "target.oauth2.client_id = \"webhook-key\"\ntarget.oauth2.auth = \"private_key_jwt\"\n\
             target.oauth2.private_key_file = {:?}\ntarget.oauth2.key_id = \"webhook-1\"",
            key_file(&folder, &key.pem)
        );
        let answer = order_with(&provider, &settings).await;
        assert_eq!(answer.status, 201, "{algorithm:?}: {}", answer.text);
        // The answer about another key says no more than that the client is unknown.
        let stranger = SigningKey::generate(algorithm, "webhook-1").unwrap();
        key_file(&folder, &stranger.pem);
        let answer = order_with(&provider, &settings).await;
        answer.is_problem(502, "parked");
        assert!(answer.text.contains("invalid_client") && !answer.text.contains("eyJ"), "{}", answer.text);
    }
    let Some(provider) = Provider::start(None) else { return };
    for (client, auth) in [("webhook-basic", "basic"), ("webhook-post", "post")] {
        let settings = format!(
            "target.oauth2.client_id = {client:?}\ntarget.oauth2.auth = {auth:?}\n\
             target.oauth2.client_secret = \"webhook-secret\"\ntarget.oauth2.scopes = [\"orders\"]"
        );
        let answer = order_with(&provider, &settings).await;
        assert_eq!(answer.status, 201, "{auth}: {}", answer.text);
    }
}

#[tokio::test]
async fn the_client_certificate_is_used_for_11vms_too_and_a_renewed_one_is_used_soon() {
    let Some(provider) = Provider::start(None) else { return };
    let issuer = Issuer::start().await.unwrap();
    let vms = SandboxVms::start(issuer.clone()).await.unwrap();
    vms.accept_any_token();
    let behind = format!("127.0.0.1:{}", vms.url().port().unwrap()).parse().unwrap();
    let front = front::start(&provider.ca, &provider.ca.server("11vms", Kind::Rsa), behind).await;
    let folder = tempfile::tempdir().unwrap();
    let (key, certificate) = (folder.path().join("key.pem"), folder.path().join("certificate.pem"));
    let place = |pair: &Pair| {
        std::fs::copy(&pair.key, &key).unwrap();
        std::fs::copy(&pair.certificate, &certificate).unwrap();
    };
    // A certificate of an unknown CA is refused as an expired one is.
    place(&Ca::new().client("webhook"));
    let settings = format!(
        "auth.issuer = {:?}\nauth.ca = \"{ca}\"\ntarget.base_url = \"https://{front}\"\ntarget.ca = \"{ca}\"\n\
         target.oauth2.token_url = \"{}/token\"\ntarget.oauth2.client_id = \"webhook-mtls\"\ntarget.oauth2.auth = \"mtls\"\n\
         target.oauth2.private_key_file = {key:?}\ntarget.oauth2.certificate_file = {certificate:?}\nretry.attempts = 100\nretry.max_delay = \"30s\"",
        provider.issuer,
        provider.issuer,
        ca = provider.ca.certificate().display(),
    );
    let service = Service::start_beside(issuer, vms, Arc::new(tempfile::tempdir().unwrap()), &settings).await;
    let token = provider.token("rs256").await;
    let url = service.url(ORDERS);
    let request = service.client.post(&url).bearer_auth(&token).header("content-type", "application/json");
    let request = request.header("prefer", "respond-async").body(cart(1).to_string());
    assert_eq!(request.send().await.unwrap().status(), 202);
    // Each round moves the clock far enough for the files to be read again and the next attempt to be due.
    let until = async |holds: fn(&Value) -> bool| {
        for _ in 0..500 {
            let order = service.client.get(format!("{url}/1")).bearer_auth(&token).send().await.unwrap();
            let order = Answer::of(order).await.body;
            if holds(&order) {
                return;
            }
            service.clock.advance(std::time::Duration::from_secs(20));
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("the order never became so");
    };
    until(|order| order["attempts"].as_array().is_some_and(|attempts| attempts.len() >= 2)).await;
    assert_eq!(service.vms.received().len(), 0);
    // Between two writes, key and certificate do not match: the earlier ones stay in use.
    std::fs::copy(&provider.webhook.key, &key).unwrap();
    until(|order| order["attempts"].as_array().is_some_and(|attempts| attempts.len() >= 4)).await;
    assert_eq!(service.vms.received().len(), 0);
    place(&provider.webhook);
    until(|order| order["state"] == "created").await;
    assert_eq!(service.vms.orders().len(), 1);
}

#[tokio::test]
async fn an_issuer_of_an_untrusted_ca_gets_no_request() {
    let Some(provider) = Provider::start(None) else { return };
    let stranger = Ca::new();
    let issuer = Issuer::start().await.unwrap();
    let vms = SandboxVms::start(issuer.clone()).await.unwrap();
    let settings = format!("auth.issuer = {:?}\nauth.ca = \"{}\"", provider.issuer, stranger.certificate().display());
    let service = Service::start_beside(issuer, vms, Arc::new(tempfile::tempdir().unwrap()), &settings).await;
    list(&service, &provider.token("rs256").await).await.is_problem(503, "issuer-unavailable");
    assert_eq!(provider.counts().await["jwks"], 0);
}
