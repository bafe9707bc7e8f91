//! The service's own tokens for 11VMS: fetched, cached, renewed, and got by every grant and client authentication.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::Algorithm;
use purchase_order_webhook::sandbox::issuer::{Behaviour, Issuer, SigningKey};
use purchase_order_webhook::sandbox::vms::{Effect, SandboxVms};
use serde_json::json;

use crate::support::{ORDERS, Service, cart};

#[tokio::test]
async fn a_token_is_fetched_once_for_all_orders_and_renewed_before_it_expires() {
    let service = Service::start().await;
    let carts: Vec<_> = (1..=10).map(cart).collect();
    let calls: Vec<_> = carts.iter().map(|cart| tokio::spawn(service.post(cart.to_string()).send())).collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().status(), 201);
    }
    assert_eq!(service.issuer.token_requests(), 1);
    service.clock.advance(Duration::from_secs(3600 - 59));
    assert_eq!(service.send(&cart(11)).await.status, 201);
    assert_eq!(service.issuer.token_requests(), 2);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_within_the_attempt() {
    let service = Service::start().await;
    assert_eq!(service.send(&cart(1)).await.status, 201);
    service.issuer.revoke_all();
    let answer = service.send(&cart(2)).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(answer.body["attempts"].as_array().unwrap().len(), 1);
    assert_eq!(service.issuer.token_requests(), 2);
}

#[tokio::test]
async fn a_token_refused_after_its_renewal_counts_as_not_done() {
    let service = Service::start_with("retry.attempts = 0").await;
    service.vms.next(Effect::status(401));
    service.vms.next(Effect::status(401));
    service.send(&cart(1)).await.is_problem(502, "parked");
    assert_eq!(service.issuer.token_requests(), 2, "one renewal, no more");
    assert_eq!(service.get(&format!("{ORDERS}/1")).await.body["attempts"][0]["outcome"], json!("not-done"));
}

#[tokio::test]
async fn a_refused_token_that_can_not_be_renewed_shows_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "webhook-secret").unwrap();
    let settings = format!("target.oauth2.client_secret_file = {file:?}\nretry.attempts = 0");
    let service = Service::start_with(&settings).await;
    assert_eq!(service.send(&cart(1)).await.status, 201);
    service.issuer.revoke_all();
    std::fs::remove_file(&file).unwrap();
    let answer = service.send(&cart(2)).await;
    answer.is_problem(502, "parked");
    assert!(answer.text.contains("answered 401") && answer.text.contains("the secret file"), "{}", answer.text);
}

#[tokio::test]
async fn a_token_that_can_not_be_renewed_is_used_until_it_expires() {
    let service = Service::start().await;
    assert_eq!(service.send(&cart(1)).await.status, 201);
    service.issuer.set_behaviour(Behaviour::Unavailable);
    service.clock.advance(Duration::from_secs(3600 - 30));
    assert_eq!(service.send(&cart(2)).await.status, 201);
}

#[tokio::test]
async fn client_authentication_by_header_and_by_form_keeps_odd_characters() {
    for auth in ["basic", "post"] {
        let odd = "target.oauth2.client_id = \"odd:b%+ä\"\ntarget.oauth2.client_secret = \"s&cret=%ü+\"\n\
            target.oauth2.audience = \"https://vms.example\"\ntarget.oauth2.scopes = [\"a\", \"b\"]";
        let service = Service::start_with(&format!("{odd}\ntarget.oauth2.auth = {auth:?}")).await;
        assert_eq!(service.send(&cart(1)).await.status, 201, "{auth}");
        let form = service.issuer.last_form().unwrap();
        let of_the_body = (form.get("client_id"), form.get("client_secret"));
        let client = ("odd:b%+ä".to_owned(), "s&cret=%ü+".to_owned());
        match auth {
            "basic" => assert_eq!((form.basic.clone(), of_the_body), (Some(client), Default::default())),
            _ => assert_eq!((form.basic.clone(), of_the_body), (None, client)),
        }
        assert_eq!((form.get("audience"), form.get("scope")), ("https://vms.example".to_owned(), "a b".to_owned()));
    }
}

#[tokio::test]
async fn an_order_without_a_token_is_not_sent_and_no_secret_is_shown() {
    let service = Service::start_with("target.oauth2.client_secret = \"wrong-secret\"\nretry.attempts = 0").await;
    let answer = service.send(&cart(1)).await;
    answer.is_problem(502, "parked");
    let order = service.get(&format!("{ORDERS}/1")).await;
    assert_eq!(order.body["attempts"][0]["outcome"], json!("not-done"));
    assert!(order.text.contains("invalid_client") && !order.text.contains("wrong-secret"), "{}", order.text);
    assert!(service.vms.received().is_empty());
}

#[tokio::test]
async fn a_token_endpoint_that_is_down_delays_the_order() {
    let service = Service::start().await;
    // The caller's token has to be verified while the issuer is well.
    assert_eq!(service.get(ORDERS).await.status, 200);
    service.issuer.set_behaviour(Behaviour::Unavailable);
    service.post(cart(1).to_string()).header("prefer", "respond-async").send().await.unwrap();
    let order = service.until("1", "retrying").await;
    assert_eq!(order["attempts"][0]["outcome"], "not-done");
    service.issuer.set_behaviour(Behaviour::Normal);
    service.clock.advance(Duration::from_secs(40));
    service.until("1", "created").await;
}

#[tokio::test]
async fn a_secret_file_is_read_again_when_it_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "old-secret\n").unwrap();
    let service = Service::start_with(&format!("target.oauth2.client_secret_file = {file:?}")).await;
    service.post(cart(1).to_string()).header("prefer", "respond-async").send().await.unwrap();
    service.until("1", "retrying").await;
    std::fs::write(&file, "webhook-secret\n").unwrap();
    service.clock.advance(Duration::from_secs(40));
    service.until("1", "created").await;
}

/// A service that asks with assertions about a user, as Salesforce wants it.
async fn with_assertions(key: &SigningKey, more: &str) -> Service {
    let issuer = Issuer::start().await.unwrap();
    let vms = SandboxVms::start(issuer.clone()).await.unwrap();
    issuer.trust_assertion_key(key.jwk.clone());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.pem");
    std::fs::write(&file, &key.pem).unwrap();
    let settings = format!(
        "target.oauth2.grant = \"jwt_bearer\"\ntarget.oauth2.subject = \"integration@acme.example\"\n\
         target.oauth2.private_key_file = \"{}\"\nretry.attempts = 0\n{more}",
        file.display()
    );
    Service::start_beside(issuer, vms, Arc::new(folder), &settings).await
}

#[tokio::test]
async fn a_jwt_bearer_assertion_gets_a_token_and_a_strangers_does_not() {
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA] {
        let key = SigningKey::generate(algorithm, "key").unwrap();
        let service = with_assertions(&key, "").await;
        assert_eq!(service.send(&cart(1)).await.status, 201, "{algorithm:?}");
        let stranger = SigningKey::generate(algorithm, "key").unwrap();
        service.issuer.trust_assertion_key(stranger.jwk);
        service.clock.advance(Duration::from_hours(2));
        let refused = service.send(&cart(2)).await;
        refused.is_problem(502, "parked");
        // The server's answer repeats the assertion; the service's answer does not.
        assert!(refused.text.contains("invalid_grant") && !refused.text.contains("eyJ"), "{}", refused.text);
    }
}

#[tokio::test]
async fn an_assertion_has_the_claims_of_the_settings() {
    let key = SigningKey::generate(Algorithm::ES256, "key").unwrap();
    let plain = with_assertions(&key, "").await;
    assert_eq!(plain.send(&cart(1)).await.status, 201);
    let form = plain.issuer.last_form().unwrap();
    let claims = form.claims("assertion");
    assert_eq!(
        (&claims["iss"], &claims["sub"]),
        (&json!("purchase-order-webhook"), &json!("integration@acme.example"))
    );
    assert_eq!(claims["aud"], plain.issuer.token_url().as_str());
    assert!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap() <= 180, "{claims}");
    assert_eq!((form.get("client_id"), form.basic.clone()), (String::new(), None), "nothing else proves it");
    let settings = "target.oauth2.assertion_audience = \"https://login.example\"\ntarget.oauth2.key_id = \"2026-01\"\n\
        target.oauth2.auth = \"private_key_jwt\"\ntarget.oauth2.scopes = [\"api\"]\ntarget.oauth2.audience = \"x\"";
    let configured = with_assertions(&key, settings).await;
    assert_eq!(configured.send(&cart(1)).await.status, 201);
    let form = configured.issuer.last_form().unwrap();
    for field in ["assertion", "client_assertion"] {
        assert_eq!(
            (&form.claims(field)["aud"], &form.header(field)["kid"]),
            (&json!("https://login.example"), &json!("2026-01"))
        );
    }
    assert_eq!(form.claims("client_assertion")["sub"], "purchase-order-webhook");
    assert_ne!(form.claims("assertion")["jti"], form.claims("client_assertion")["jti"], "each is used once");
    assert_eq!((form.get("scope"), form.get("audience")), ("api".to_owned(), "x".to_owned()));
}

#[tokio::test]
async fn the_instance_url_of_a_token_is_used_if_its_host_is_allowed() {
    let key = SigningKey::generate(Algorithm::RS256, "key").unwrap();
    let elsewhere = "target.base_url = \"http://127.0.0.1:1/\"\ntarget.oauth2.instance_hosts = [\"127.0.0.1\"]";
    let service = with_assertions(&key, elsewhere).await;
    service.issuer.set_instance_url(service.vms.url().as_str());
    assert_eq!(service.send(&cart(1)).await.status, 201);
    assert_eq!(service.vms.orders().len(), 1);
    // A token without expires_in is renewed soon.
    service.clock.advance(Duration::from_mins(5));
    assert_eq!(service.send(&cart(2)).await.status, 201);
    assert_eq!(service.issuer.token_requests(), 2);

    for (hosts, instance) in [
        ("[\"acme.example\"]", "http://127.0.0.1:1/"),
        ("[\".my.salesforce.com\"]", "https://my.salesforce.com.attacker.example/"),
        ("[\".my.salesforce.com\"]", "https://evilmy.salesforce.com/"),
        ("[\"127.0.0.1\"]", "ftp://127.0.0.1/"),
        ("[\"127.0.0.1\"]", "nonsense"),
    ] {
        let service = with_assertions(&key, &format!("target.oauth2.instance_hosts = {hosts}")).await;
        service.issuer.set_instance_url(instance);
        let refused = service.send(&cart(1)).await;
        refused.is_problem(502, "parked");
        assert!(refused.text.contains("instance_hosts"), "{instance}: {}", refused.text);
        assert!(service.vms.received().is_empty(), "the token stays here");
    }
    let ignoring = with_assertions(&key, "").await;
    ignoring.issuer.set_instance_url("https://elsewhere.example/");
    assert_eq!(ignoring.send(&cart(1)).await.status, 201, "base_url counts, as nothing else was allowed");
}
