//! Whose tokens are taken, and what everybody else is told.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use purchase_order_webhook::sandbox::issuer::{AUDIENCE, Issuer, Mood};
use serde_json::{Value, json};

use crate::support::{Answer, ORDERS, Service, cart, now};

async fn try_token(service: &Service, token: &str) -> Answer {
    let request = service.client.post(service.url(ORDERS)).bearer_auth(token);
    Answer::of(request.header("content-type", "application/json").body(cart(1).to_string()).send().await.unwrap()).await
}

/// The good claims with one of them changed; `null` takes it away.
fn claims_with(issuer: &Issuer, name: &str, value: Value) -> Value {
    let mut claims = issuer.claims();
    if value.is_null() {
        claims.as_object_mut().unwrap().remove(name);
    } else {
        claims[name] = value;
    }
    claims
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
async fn legal_shapes_of_tokens_are_taken() {
    let service = Service::start().await;
    let issuer = &service.issuer;
    let good = header(issuer);
    let table = [
        ("plain", issuer.token()),
        ("audience in a list", issuer.sign(&good, &claims_with(issuer, "aud", json!(["other", AUDIENCE])))),
        (
            "scopes in a list",
            issuer.sign(&good, &claims_with(issuer, "scope", json!(["openid", "purchase-orders.write"]))),
        ),
        ("typ JWT", issuer.sign(&header_with(issuer, "typ", json!("JWT")), &issuer.claims())),
        (
            "typ with its media type",
            issuer.sign(&header_with(issuer, "typ", json!("application/at+jwt")), &issuer.claims()),
        ),
        (
            "jku that nobody follows",
            issuer.sign(&header_with(issuer, "jku", json!("http://127.0.0.1:1/")), &issuer.claims()),
        ),
        ("no kid, one key", issuer.sign(&json!({ "alg": "RS256" }), &issuer.claims())),
        ("nbf now", issuer.sign(&good, &claims_with(issuer, "nbf", json!(now().as_second())))),
        ("exp within the leeway", issuer.sign(&good, &claims_with(issuer, "exp", json!(now().as_second() - 10)))),
        ("no iat", issuer.sign(&good, &claims_with(issuer, "iat", Value::Null))),
    ];
    for (what, token) in table {
        let answer = try_token(&service, &token).await;
        assert!(matches!(answer.status, 200 | 201), "{what}: {}", answer.text);
    }
    assert_eq!(service.issuer.jwks_requests(), 1, "the keys are fetched once");
}

#[tokio::test]
async fn forged_and_stale_tokens_are_refused() {
    let service = Service::start().await;
    let issuer = &service.issuer;
    let stranger = Issuer::start().await.unwrap();
    let good = header(issuer);
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let token = issuer.token();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let second = now().as_second();
    let changed = |name, value| issuer.sign(&good, &claims_with(issuer, name, value));
    let table = [
        ("garbage", "garbage".to_owned()),
        ("two parts", signed.to_owned()),
        ("four parts", format!("{token}.x")),
        ("no signature", format!("{signed}.")),
        ("another signature", format!("{signed}.{}", signature.chars().rev().collect::<String>())),
        ("alg none", format!("{}.{}.", part(&json!({ "alg": "none", "kid": issuer.kid() })), part(&issuer.claims()))),
        ("HS256 with the public key as its secret", issuer.sign_with_public_key(&issuer.claims())),
        ("alg unknown", issuer.sign(&header_with(issuer, "alg", json!("XS1")), &issuer.claims())),
        ("alg of another key type", issuer.sign(&header_with(issuer, "alg", json!("ES256")), &issuer.claims())),
        ("alg not signed with", issuer.sign(&header_with(issuer, "alg", json!("PS256")), &issuer.claims())),
        (
            "alg that the key is not for",
            issuer.sign_with(Algorithm::PS256, &header_with(issuer, "alg", json!("PS256")), &issuer.claims()),
        ),
        ("unknown kid", issuer.sign(&header_with(issuer, "kid", json!("elsewhere")), &issuer.claims())),
        ("signed by a stranger", stranger.sign(&header(issuer), &issuer.claims())),
        (
            "its own key along",
            stranger.sign(&json!({ "alg": "RS256", "kid": issuer.kid(), "jwk": stranger.jwk() }), &issuer.claims()),
        ),
        ("critical header", issuer.sign(&header_with(issuer, "crit", json!(["exp"])), &issuer.claims())),
        ("ID token", issuer.sign(&header_with(issuer, "typ", json!("logout+jwt")), &issuer.claims())),
        ("expired", changed("exp", json!(second - 31))),
        ("no exp", changed("exp", Value::Null)),
        ("exp as text", changed("exp", json!("never"))),
        ("not yet valid", changed("nbf", json!(second + 60))),
        ("issued in the future", changed("iat", json!(second + 3600))),
        ("another issuer", changed("iss", json!("https://elsewhere.example"))),
        ("no issuer", changed("iss", Value::Null)),
        ("issuer in a list", changed("iss", json!([issuer.url(), "https://elsewhere.example"]))),
        ("another audience", changed("aud", json!("other"))),
        ("no audience", changed("aud", Value::Null)),
        ("empty audience", changed("aud", json!([]))),
        ("too long", format!("{token}{}", "x".repeat(20_000))),
    ];
    for (what, token) in table {
        let answer = try_token(&service, &token).await;
        assert_eq!(answer.status, 401, "{what}: {}", answer.text);
        answer.is_problem(401, "invalid-token");
        assert!(answer.header("www-authenticate").starts_with("Bearer realm="), "{what}");
        assert!(answer.header("www-authenticate").contains("error=\"invalid_token\""), "{what}");
    }
    assert!(service.vms.received().is_empty());
}

#[tokio::test]
async fn no_token_is_challenged_without_an_error_code() {
    let service = Service::start().await;
    for authorization in [None, Some("Basic c3JtNzpzZWNyZXQ="), Some("Bearer")] {
        let mut request = service.client.get(service.url(ORDERS));
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        let answer = Answer::of(request.send().await.unwrap()).await;
        answer.is_problem(401, "invalid-token");
        assert!(!answer.header("www-authenticate").contains("error="), "{:?}", answer.headers);
    }
}

#[tokio::test]
async fn a_scope_that_is_missing_is_named() {
    let service = Service::start().await;
    for scope in [json!("purchase-orders.read"), json!([]), json!("purchase-orders.writer"), Value::Null] {
        let token = service.issuer.sign(&header(&service.issuer), &claims_with(&service.issuer, "scope", scope));
        let answer = try_token(&service, &token).await;
        answer.is_problem(403, "insufficient-scope");
        assert!(answer.header("www-authenticate").contains("scope=\"purchase-orders.write\""), "{:?}", answer.headers);
    }
}

#[tokio::test]
async fn unusable_keys_of_the_set_are_dropped_and_hide_no_others() {
    let service = Service::start().await;
    service.issuer.publish(json!({ "kty": "oct", "kid": "symmetric", "k": "c2VjcmV0" }));
    service.issuer.publish(json!({ "kty": "future", "kid": "unheard-of" }));
    service.issuer.publish(json!({ "kty": "RSA", "kid": "short", "n": "sXchDaQebHnPiGvyDOAT4saGEUetSyo9MKLOoWFsueri23bOdgWp4Dy1Wl", "e": "AQAB" }));
    assert_eq!(try_token(&service, &service.issuer.token()).await.status, 201);
    let symmetric =
        service.issuer.sign(&header_with(&service.issuer, "kid", json!("symmetric")), &service.issuer.claims());
    try_token(&service, &symmetric).await.is_problem(401, "invalid-token");
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
    // The manual clock has moved on, the token's own times have not: only the keys are old.
    let mut claims = service.issuer.claims();
    claims["scope"] = json!("purchase-orders.write purchase-orders.read");
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
