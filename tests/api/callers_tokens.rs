//! Claims as identity systems write them: null members, times that are far, clients by other names; JWTs that are asked about;
//! and where challenges point.

use std::sync::Arc;
use std::time::Duration;

use purchase_order_webhook::sandbox::issuer::{AUDIENCE, Behaviour, Issuer, SCOPES};
use purchase_order_webhook::sandbox::vms::SandboxVms;
use serde_json::{Value, json};

use crate::forge::Forge;
use crate::support::{Answer, ORDERS, Service};

/// A token whose claims differ from a good one's, also by members that are null.
fn token(service: &Service, changes: &Value) -> String {
    let mut claims = service.issuer.claims();
    claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    service.issuer.sign(&json!({ "alg": "RS256", "kid": service.issuer.kid() }), &claims)
}

async fn introspecting(more: &str) -> Service {
    let issuer = Issuer::start().await.unwrap();
    let vms = SandboxVms::start(issuer.clone()).await.unwrap();
    let settings = format!(
        "auth.introspection.url = {:?}\nauth.introspection.client_id = \"srm7\"\n\
         auth.introspection.client_secret = \"srm7-secret\"\n{more}",
        issuer.introspection_url().as_str()
    );
    Service::start_beside(issuer, vms, Arc::new(tempfile::tempdir().unwrap()), &settings).await
}

#[tokio::test]
async fn a_claim_that_is_null_is_absent_from_a_jwt() {
    let service = Service::start_with("auth.clients.read = [\"by-cid\"]").await;
    let table = [
        ("nbf", json!({ "nbf": null }), 201, ""),
        ("iat", json!({ "iat": null }), 200, ""),
        ("cnf", json!({ "cnf": null }), 200, ""),
        ("sub and jti", json!({ "sub": null, "jti": null }), 200, ""),
        ("what ID tokens have", json!({ "nonce": null, "at_hash": null, "events": null }), 200, ""),
        ("what names the kind", json!({ "typ": null, "token_use": null, "token_type": null }), 200, ""),
        ("client_id, and there is an azp", json!({ "client_id": null, "azp": "by-cid" }), 200, ""),
        ("exp", json!({ "exp": null }), 401, "the token lacks the claim exp"),
        ("iss", json!({ "iss": null }), 401, "the token lacks the claim iss"),
        ("aud", json!({ "aud": null }), 401, "the token lacks the claim aud"),
        ("an audience in a list", json!({ "aud": [null] }), 401, "the token is for another audience"),
        ("scope", json!({ "scope": null }), 403, "the token lacks the scope purchase-orders.write"),
    ];
    for (what, changes, status, detail) in table {
        let answer = service.send_with(&token(&service, &changes)).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.text);
        assert_eq!(answer.body["detail"].as_str().unwrap_or_default(), detail, "{what}");
    }
}

#[tokio::test]
async fn a_claim_that_is_null_is_absent_from_an_introspection() {
    let service = introspecting("").await;
    let nulls = json!({
        "scope": SCOPES, "client_id": "srm7", "aud": null, "iss": null, "exp": null, "nbf": null, "iat": null, "sub": null,
        "jti": null, "cnf": null, "token_type": null, "username": null,
    });
    service.issuer.set_introspection("hydra", nulls.clone());
    assert_eq!(service.send_with("hydra").await.status, 201);

    let strict = introspecting("auth.introspection.audience = \"required\"").await;
    strict.issuer.set_introspection("hydra", nulls);
    let answer = strict.send_with("hydra").await;
    answer.is_problem(401, "invalid-token");
    assert_eq!(answer.body["detail"], "the issuer does not say for whom the token is");
}

#[tokio::test]
async fn an_end_that_is_far_is_far_and_a_beginning_is_not_yet() {
    let service = introspecting("").await;
    let far = [
        json!(253_402_300_799_i64),
        json!(253_402_300_799.0),
        json!(253_402_300_799_999_i64),
        json!(i64::MAX),
        json!(9_223_372_036_854_775_807_u64),
        json!(9.223_372_036_854_775e18),
    ];
    for (number, time) in far.iter().enumerate() {
        let answer = service.send_with(&token(&service, &json!({ "exp": time, "jti": number }))).await;
        assert!(matches!(answer.status, 200 | 201), "exp {time}: {}", answer.text);
        let opaque = format!("opaque-{number}");
        service.issuer.set_introspection(&opaque, json!({ "scope": SCOPES, "client_id": "srm7", "exp": time }));
        assert_eq!(service.send_with(&opaque).await.status, 200, "exp {time}, introspected");
        for (name, why) in [("nbf", "the token is not valid yet"), ("iat", "the token was issued in the future")] {
            let answer = service.send_with(&token(&service, &json!({ name: time, "jti": number }))).await;
            answer.is_problem(401, "invalid-token");
            assert_eq!(answer.body["detail"], why, "{name} {time}");
        }
    }
    service.clock.advance(Duration::from_hours(24 * 365));
    for time in [json!(i64::MIN), json!(-1e18), json!(0)] {
        let answer = service.send_with(&token(&service, &json!({ "exp": time }))).await;
        assert_eq!(answer.body["detail"], "the token has expired", "{time}");
    }
}

#[tokio::test]
async fn a_jwt_is_asked_about_where_revocation_counts() {
    let local = introspecting("").await;
    assert_eq!(local.send_with(&local.issuer.token()).await.status, 201);
    assert_eq!(local.issuer.introspection_requests(), 0, "local is the default");

    let service = introspecting("auth.introspection.jwt = \"introspect\"").await;
    let jwt = service.issuer.token();
    service.send_with(&jwt).await.is_problem(401, "invalid-token");
    service.clock.advance(Duration::from_secs(11));
    let said = |changes: Value| {
        let mut said = json!({ "scope": SCOPES, "client_id": "srm7", "iss": service.issuer.url(), "aud": AUDIENCE });
        said.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        said
    };
    service.issuer.set_introspection(&jwt, said(json!({})));
    for _ in 0..3 {
        assert!(service.send_with(&jwt).await.status < 300);
    }
    assert_eq!(service.issuer.introspection_requests(), 2, "an answer is remembered");

    let forged = format!("{}AAAA", &jwt[..jwt.len() - 4]);
    service.send_with(&forged).await.is_problem(401, "invalid-token");
    assert_eq!(service.issuer.introspection_requests(), 2, "nobody is asked about a forged one");

    service.issuer.set_introspection(&jwt, json!({ "active": false }));
    assert_eq!(service.send_with(&jwt).await.status, 200, "for a minute, it is not known that it was revoked");
    service.clock.advance(Duration::from_secs(61));
    service.send_with(&jwt).await.is_problem(401, "invalid-token");

    for (what, changes) in [
        ("for another audience", json!({ "aud": "other" })),
        ("of another issuer", json!({ "iss": "https://elsewhere.example" })),
        ("bound to a certificate", json!({ "cnf": { "x5t#S256": "x" } })),
        ("expired", json!({ "exp": 1_000_000_000 })),
    ] {
        let jwt = token(&service, &json!({ "jti": what }));
        service.issuer.set_introspection(&jwt, said(changes));
        let answer = service.send_with(&jwt).await;
        assert_eq!(answer.status, 401, "{what}: {}", answer.text);
    }
    let unknown = token(&service, &json!({ "jti": "while the issuer is down" }));
    service.issuer.set_behaviour(Behaviour::Unavailable);
    service.send_with(&unknown).await.is_problem(503, "issuer-unavailable");
}

#[tokio::test]
async fn challenges_name_the_metadata_of_the_resource() {
    let service = Service::start_with("auth.resource = \"https://orders.example/srm\"").await;
    let forge = Forge::of(&service.issuer);
    let url = "resource_metadata=\"https://orders.example/.well-known/oauth-protected-resource/srm\"";
    let anonymous = Answer::of(service.client.get(service.url(ORDERS)).send().await.unwrap()).await;
    let without_scope = service.send_with(&forge.claim("scope", json!("other"))).await;
    let forged = service.send_with("x.y.z").await;
    for (answer, status, start) in [
        (anonymous, 401, "Bearer realm=\"purchase-order-webhook\", "),
        (without_scope, 403, "Bearer realm=\"purchase-order-webhook\", error=\"insufficient_scope\", scope="),
        (forged, 401, "Bearer realm=\"purchase-order-webhook\", error=\"invalid_token\", "),
    ] {
        assert_eq!(answer.status, status, "{}", answer.text);
        let challenge = answer.header("www-authenticate");
        assert!(challenge.starts_with(start) && challenge.ends_with(&format!(", {url}")), "{challenge}");
    }
    let page = |path: &str| service.client.get(service.url(path)).send();
    let found = Answer::of(page("/.well-known/oauth-protected-resource/srm").await.unwrap()).await;
    let expected = json!({
        "resource": "https://orders.example/srm",
        "authorization_servers": [service.issuer.url()],
        "scopes_supported": ["purchase-orders.write", "purchase-orders.read", "purchase-orders.operate"],
        "bearer_methods_supported": ["header"],
        "resource_name": "Purchase orders from SAP SRM carts to 11VMS",
        "resource_documentation": "https://orders.example/srm/docs",
    });
    assert_eq!((found.status, &found.body), (200, &expected));
    for other in ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/other"] {
        assert_eq!(page(other).await.unwrap().status(), 404, "{other}");
    }
}

#[tokio::test]
async fn without_an_address_the_resource_is_what_was_asked_and_challenges_name_none() {
    let service = Service::start_with(
        "auth.scopes.read = \"my-app!t1.Read\"\n[[auth.issuers]]\nissuer = \"urn:no-url\"\naudience = \"x\"\n\
         jwks_url = \"https://x.example/jwks\"",
    )
    .await;
    let url = service.url("/.well-known/oauth-protected-resource");
    let found = Answer::of(service.client.get(&url).send().await.unwrap()).await;
    assert_eq!(found.status, 200, "{}", found.text);
    assert_eq!(found.body["resource"], url.trim_end_matches("/.well-known/oauth-protected-resource"));
    assert_eq!(found.body["scopes_supported"][1], "my-app!t1.Read");
    let issuers: Vec<&str> =
        found.body["authorization_servers"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(issuers, [service.issuer.url().as_str()], "what is no URL has no metadata");
    let answer = service.send_with("x.y.z").await;
    assert!(!answer.header("www-authenticate").contains("resource_metadata"), "{}", answer.header("www-authenticate"));
}
