//! The issuer's keys are fetched once, refreshed, rotated and withdrawn, and serve through an outage of the issuer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jsonwebtoken::Algorithm;
use purchase_order_webhook::clock::Clock as _;
use purchase_order_webhook::sandbox::issuer::{Behaviour, Issuer, SigningKey};
use serde_json::{Value, json};

use crate::support::{Answer, ORDERS, Service, cart};

fn header(issuer: &Issuer) -> Value {
    json!({ "alg": "RS256", "typ": "at+jwt", "kid": issuer.kid() })
}

fn header_with(issuer: &Issuer, name: &str, value: Value) -> Value {
    let mut header = header(issuer);
    header[name] = value;
    header
}

#[tokio::test]
async fn a_rotated_key_is_fetched_at_once() {
    let service = Service::start().await;
    assert_eq!(service.send_with(&service.issuer.token()).await.status, 201);
    service.issuer.rotate().unwrap();
    assert_eq!(service.send_with(&service.issuer.token()).await.status, 200);
    assert_eq!(service.issuer.jwks_requests(), 2);
}

#[tokio::test]
async fn a_key_replaced_under_its_kid_or_without_a_kid_is_found() {
    for kid in [true, false] {
        let service = Service::start().await;
        let token = || {
            let header = if kid { header(&service.issuer) } else { json!({ "alg": "RS256" }) };
            service.issuer.sign(&header, &service.issuer.claims())
        };
        assert_eq!(service.send_with(&token()).await.status, 201);
        service.issuer.replace_key().unwrap();
        assert_eq!(service.send_with(&token()).await.status, 200, "kid: {kid}");
        assert_eq!(service.issuer.jwks_requests(), 2);
        // Forged ones cost the issuer no more than unknown keys do.
        for number in 0..20 {
            let stranger = format!("{}{number}AA", &token()[..400]);
            service.send_with(&stranger).await.is_problem(401, "invalid-token");
        }
        assert!(service.issuer.jwks_requests() <= 3);
    }
}

#[tokio::test]
async fn keys_that_can_not_be_refreshed_are_trusted_until_jwks_max_age() {
    let service = Service::start_with("auth.jwks_refresh = \"1m\"\nauth.jwks_max_age = \"1h\"").await;
    assert_eq!(service.send(&cart(1)).await.status, 201);
    service.issuer.set_behaviour(Behaviour::Unavailable);
    service.clock.advance(Duration::from_mins(59));
    assert_eq!(service.get(ORDERS).await.status, 200, "the known ones serve through an outage");
    service.clock.advance(Duration::from_mins(2));
    service.get(ORDERS).await.is_problem(503, "issuer-unavailable");
    service.issuer.set_behaviour(Behaviour::Normal);
    service.clock.advance(Duration::from_secs(11));
    assert_eq!(service.get(ORDERS).await.status, 200, "without a restart");
}

#[tokio::test]
async fn a_key_withdrawn_in_a_quiet_time_is_not_trusted_again() {
    let service = Service::start_with("auth.jwks_refresh = \"1m\"").await;
    let remembered = service.issuer.token();
    assert_eq!(service.send_with(&remembered).await.status, 201);
    let mut claims = service.issuer.claims();
    claims["jti"] = json!("new");
    let new = service.issuer.sign(&header(&service.issuer), &claims);
    service.issuer.rotate().unwrap();
    service.clock.advance(Duration::from_mins(3));
    for token in [new, remembered] {
        service.send_with(&token).await.is_problem(401, "invalid-token");
    }
    assert_eq!(service.issuer.jwks_requests(), 3, "and one more, for a key that is unknown");
}

#[tokio::test]
async fn the_refresh_alone_notices_a_withdrawn_key() {
    let service = Service::start_with("auth.jwks_refresh = \"1m\"").await;
    assert_eq!(service.send(&cart(1)).await.status, 201);
    service.issuer.rotate().unwrap();
    service.clock.advance(Duration::from_secs(61));
    for _ in 0..200 {
        // The first request starts the refresh in the background.
        if service.get(ORDERS).await.status == 401 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the withdrawn key is still trusted");
}

#[tokio::test]
async fn the_settings_for_algorithms_and_leeway_apply() {
    let service = Service::start_with("auth.algorithms = [\"PS256\"]\nauth.leeway = \"0s\"").await;
    service.send_with(&service.issuer.token()).await.is_problem(401, "invalid-token");
    let key = SigningKey::generate(Algorithm::PS256, "ps").unwrap();
    service.issuer.publish(key.jwk_with("alg", Value::Null));
    service.clock.advance(Duration::from_secs(11));
    let signed = |claims: &Value| key.sign(Algorithm::PS256, &json!({ "alg": "PS256", "kid": "ps" }), claims);
    let mut claims = service.issuer.claims_at(service.clock.now());
    assert_eq!(service.send_with(&signed(&claims)).await.status, 201);
    claims["exp"] = json!(service.clock.now().as_second() - 1);
    service.send_with(&signed(&claims)).await.is_problem(401, "invalid-token");
}

#[tokio::test]
async fn a_flood_of_unknown_keys_costs_the_issuer_one_request_per_cool_down() {
    let service = Service::start().await;
    assert_eq!(service.send_with(&service.issuer.token()).await.status, 201);
    let unknown = |number: usize| {
        let header = header_with(&service.issuer, "kid", json!(format!("flood-{number}")));
        service.issuer.sign(&header, &service.issuer.claims())
    };
    for round in 1..=3 {
        let ask = |number| service.client.get(service.url(ORDERS)).bearer_auth(unknown(round * 100 + number)).send();
        let calls: Vec<_> = (0..50).map(|number| tokio::spawn(ask(number))).collect();
        for call in calls {
            Answer::of(call.await.unwrap().unwrap()).await.is_problem(401, "invalid-token");
        }
        assert_eq!(service.issuer.jwks_requests(), 1 + round, "round {round}");
        service.clock.advance(Duration::from_secs(11));
    }
    // A token that names a known key is not the issuer's business.
    let other = header_with(&service.issuer, "alg", json!("ES256"));
    let other = service.issuer.sign(&other, &service.issuer.claims());
    service.send_with(&other).await.is_problem(401, "invalid-token");
    assert_eq!(service.issuer.jwks_requests(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_rotation_under_load_refuses_no_valid_caller() {
    const CALLERS: u32 = 20;
    const ROTATIONS: usize = 5;
    let service = Arc::new(Service::start().await);
    assert_eq!(service.send_with(&service.issuer.token()).await.status, 201);
    let over = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (service, over) = (Arc::clone(&service), Arc::clone(&over));
            tokio::spawn(async move {
                let mut calls = 0;
                while !over.load(Ordering::Relaxed) {
                    // As a client does: a token is got, and used some times.
                    let token = service.issuer.token();
                    for _ in 0..3 {
                        let answer = service.client.get(service.url(ORDERS)).bearer_auth(&token).send().await.unwrap();
                        assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
                        calls += 1;
                    }
                }
                calls
            })
        })
        .collect();
    for rotation in 1..=ROTATIONS {
        service.issuer.rotate_with_overlap().unwrap();
        while service.issuer.jwks_requests() <= rotation {
            assert!(callers.iter().all(|caller| !caller.is_finished()), "a caller was refused");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // The keys have arrived before the next rotation, and other callers meet the new one, too.
        let answer = service.client.get(service.url(ORDERS)).bearer_auth(service.issuer.token()).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        tokio::time::sleep(Duration::from_millis(50)).await;
        service.clock.advance(Duration::from_secs(11));
    }
    over.store(true, Ordering::Relaxed);
    let mut calls = 0;
    for caller in callers {
        calls += caller.await.unwrap();
    }
    assert!(calls > CALLERS, "{calls}");
    assert_eq!(service.issuer.jwks_requests(), 1 + ROTATIONS, "one request for each new key");
}

#[tokio::test]
async fn an_issuer_that_throttles_is_not_asked_before_its_retry_after() {
    let service = Service::start().await;
    service.issuer.set_behaviour(Behaviour::Throttling);
    let token = service.issuer.token();
    service.send_with(&token).await.is_problem(503, "issuer-unavailable");
    let asked = service.issuer.jwks_requests();
    service.issuer.set_behaviour(Behaviour::Normal);
    service.clock.advance(Duration::from_secs(50));
    service.send_with(&token).await.is_problem(503, "issuer-unavailable");
    assert_eq!(service.issuer.jwks_requests(), asked, "a minute was asked for");
    service.clock.advance(Duration::from_secs(11));
    assert_eq!(service.send_with(&token).await.status, 201);
}

#[tokio::test]
async fn a_key_set_that_is_too_large_or_too_late_gets_503() {
    let large = Service::start().await;
    let token = large.issuer.token();
    large.issuer.publish(json!({ "kty": "RSA", "padding": "x".repeat(600 * 1024) }));
    large.send_with(&token).await.is_problem(503, "issuer-unavailable");
    let late = Service::start_with("auth.timeout = \"100ms\"").await;
    late.issuer.set_latency(Duration::from_secs(10));
    late.send_with(&late.issuer.token()).await.is_problem(503, "issuer-unavailable");
}

#[tokio::test]
async fn a_token_of_a_withdrawn_key_is_forgotten_when_the_keys_change() {
    let service = Service::start().await;
    let of_the_old_key = service.issuer.token();
    assert_eq!(service.send_with(&of_the_old_key).await.status, 201);
    service.issuer.rotate().unwrap();
    assert_eq!(service.send_with(&of_the_old_key).await.status, 200, "the change is not known yet");
    service.clock.advance(Duration::from_secs(11));
    assert_eq!(service.send_with(&service.issuer.token()).await.status, 200);
    service.send_with(&of_the_old_key).await.is_problem(401, "invalid-token");
}

#[tokio::test]
async fn keys_unused_for_a_weekend_are_fetched_again() {
    let service = Service::start().await;
    let token = service.issuer.token();
    assert_eq!(service.send_with(&token).await.status, 201);
    service.clock.advance(Duration::from_hours(60));
    let claims = service.issuer.claims_at(service.clock.now());
    let fresh = service.issuer.sign(&header(&service.issuer), &claims);
    assert_eq!(service.send_with(&fresh).await.status, 200);
    assert_eq!(service.issuer.jwks_requests(), 2);
}

#[tokio::test]
async fn a_caller_that_hangs_up_does_not_cancel_the_fetch_of_the_keys() {
    let service = Service::start().await;
    assert_eq!(service.send_with(&service.issuer.token()).await.status, 201);
    service.issuer.rotate().unwrap();
    service.issuer.set_latency(Duration::from_millis(300));
    service.clock.advance(Duration::from_secs(11));
    let token = service.issuer.token();
    let request = service.client.get(service.url(ORDERS)).bearer_auth(&token);
    assert!(request.timeout(Duration::from_millis(100)).send().await.is_err());
    assert_eq!(service.send_with(&token).await.status, 200, "a valid token is not refused for it");
}

#[tokio::test]
async fn a_slow_issuer_is_asked_once_for_all_waiting_callers() {
    let service = Service::start().await;
    service.issuer.set_latency(Duration::from_millis(500));
    let calls: Vec<_> = (0..20).map(|_| tokio::spawn(service.post(cart(1).to_string()).send())).collect();
    for call in calls {
        assert!(call.await.unwrap().unwrap().status().is_success());
    }
    assert_eq!(service.issuer.jwks_requests(), 1);
}

#[tokio::test]
async fn an_unknown_key_gets_503_while_the_issuer_is_down_and_known_ones_stay_valid() {
    let issuer_down = Service::start_with("auth.jwks_url = \"http://127.0.0.1:1/jwks\"").await;
    issuer_down.send_with(&issuer_down.issuer.token()).await.is_problem(503, "issuer-unavailable");

    let service = Service::start().await;
    let verified = service.issuer.token();
    assert_eq!(service.send_with(&verified).await.status, 201);
    service.issuer.set_behaviour(Behaviour::Unavailable);
    assert_eq!(service.send_with(&verified).await.status, 200, "a verified token stays valid");
    assert_eq!(service.send_with(&service.issuer.token()).await.status, 200, "known keys stay valid");
    service.clock.advance(Duration::from_secs(11));
    let unknown = service.issuer.sign(&header_with(&service.issuer, "kid", json!("new")), &service.issuer.claims());
    service.send_with(&unknown).await.is_problem(503, "issuer-unavailable");
    service.issuer.set_behaviour(Behaviour::Normal);
    service.clock.advance(Duration::from_secs(11));
    service.send_with(&unknown).await.is_problem(401, "invalid-token");
}
