//! The issuer's keys: fetched, rotated, withdrawn, out of reach.

use purchase_order_webhook::clock::Clock as _;
use purchase_order_webhook::sandbox::issuer::{Issuer, Mood};
use serde_json::{Value, json};

use crate::support::{Answer, ORDERS, Service, cart};

async fn try_token(service: &Service, token: &str) -> Answer {
    let request = service.client.post(service.url(ORDERS)).bearer_auth(token);
    Answer::of(request.header("content-type", "application/json").body(cart(1).to_string()).send().await.unwrap()).await
}

fn header(issuer: &Issuer) -> Value {
    json!({ "alg": "RS256", "typ": "at+jwt", "kid": issuer.kid() })
}

fn header_with(issuer: &Issuer, name: &str, value: Value) -> Value {
    let mut header = header(issuer);
    header[name] = value;
    header
}

#[tokio::test]
async fn rotated_keys_are_fetched_once_and_a_flood_of_unknown_ones_is_not() {
    let service = Service::start().await;
    assert_eq!(try_token(&service, &service.issuer.token()).await.status, 201);
    service.issuer.rotate().unwrap();
    service.clock.advance(std::time::Duration::from_secs(11));
    assert_eq!(try_token(&service, &service.issuer.token()).await.status, 200);
    let asked = service.issuer.jwks_requests();
    for kid in 0..20 {
        let token = service
            .issuer
            .sign(&header_with(&service.issuer, "kid", json!(format!("flood-{kid}"))), &service.issuer.claims());
        try_token(&service, &token).await.is_problem(401, "invalid-token");
    }
    assert!(service.issuer.jwks_requests() <= asked + 1);
}

#[tokio::test]
async fn a_token_of_a_withdrawn_key_is_forgotten_when_the_keys_change() {
    let service = Service::start().await;
    let of_the_old_key = service.issuer.token();
    assert_eq!(try_token(&service, &of_the_old_key).await.status, 201);
    service.issuer.rotate().unwrap();
    assert_eq!(try_token(&service, &of_the_old_key).await.status, 200, "the change is not known yet");
    service.clock.advance(std::time::Duration::from_secs(11));
    assert_eq!(try_token(&service, &service.issuer.token()).await.status, 200);
    try_token(&service, &of_the_old_key).await.is_problem(401, "invalid-token");
}

#[tokio::test]
async fn keys_that_nobody_needed_for_a_weekend_are_fetched_anew() {
    let service = Service::start().await;
    let token = service.issuer.token();
    assert_eq!(try_token(&service, &token).await.status, 201);
    service.clock.advance(std::time::Duration::from_hours(60));
    let claims = service.issuer.claims_at(service.clock.now());
    let fresh = service.issuer.sign(&header(&service.issuer), &claims);
    assert_eq!(try_token(&service, &fresh).await.status, 200);
    assert_eq!(service.issuer.jwks_requests(), 2);
}

#[tokio::test]
async fn a_caller_that_hangs_up_does_not_spoil_the_fetch_of_the_keys() {
    let service = Service::start().await;
    assert_eq!(try_token(&service, &service.issuer.token()).await.status, 201);
    service.issuer.rotate().unwrap();
    service.issuer.set_latency(std::time::Duration::from_millis(300));
    service.clock.advance(std::time::Duration::from_secs(11));
    let token = service.issuer.token();
    let request = service.client.get(service.url(ORDERS)).bearer_auth(&token);
    assert!(request.timeout(std::time::Duration::from_millis(100)).send().await.is_err());
    assert_eq!(try_token(&service, &token).await.status, 200, "a valid token is not refused for it");
}

#[tokio::test]
async fn an_issuer_that_hangs_is_asked_once_for_all_who_wait() {
    let service = Service::start().await;
    service.issuer.set_latency(std::time::Duration::from_millis(500));
    let calls: Vec<_> = (0..20).map(|_| tokio::spawn(service.post(cart(1).to_string()).send())).collect();
    for call in calls {
        assert!(call.await.unwrap().unwrap().status().is_success());
    }
    assert_eq!(service.issuer.jwks_requests(), 1);
}

#[tokio::test]
async fn an_issuer_that_is_down_is_no_fault_of_the_caller() {
    let issuer_down = Service::start_with("auth.jwks_url = \"http://127.0.0.1:1/jwks\"").await;
    let answer = try_token(&issuer_down, &issuer_down.issuer.token()).await;
    answer.is_problem(503, "issuer-unavailable");
    assert!(!answer.header("retry-after").is_empty());

    let service = Service::start().await;
    let verified = service.issuer.token();
    assert_eq!(try_token(&service, &verified).await.status, 201);
    service.issuer.set_mood(Mood::Down);
    assert_eq!(try_token(&service, &verified).await.status, 200, "a verified token goes on");
    assert_eq!(try_token(&service, &service.issuer.token()).await.status, 200, "known keys go on");
    service.clock.advance(std::time::Duration::from_secs(11));
    let unknown = service.issuer.sign(&header_with(&service.issuer, "kid", json!("new")), &service.issuer.claims());
    try_token(&service, &unknown).await.is_problem(503, "issuer-unavailable");
    service.issuer.set_mood(Mood::Well);
    service.clock.advance(std::time::Duration::from_secs(11));
    try_token(&service, &unknown).await.is_problem(401, "invalid-token");
}
