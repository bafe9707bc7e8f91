//! Tokens of the identity systems that SAP shops run: XSUAA, IAS, and opaque tokens by introspection. The systems are
//! imitated from their documentation; `tests/authorization_server` has a real one.

use std::time::Duration;

use purchase_order_webhook::clock::Clock as _;
use purchase_order_webhook::sandbox::issuer::{AUDIENCE, Behaviour, Issuer, SCOPES};
use purchase_order_webhook::sandbox::vms::SandboxVms;
use serde_json::{Value, json};

use crate::support::{Answer, ORDERS, Service};

fn signed(service: &Service, claims: &Value) -> String {
    service.issuer.sign(&json!({ "alg": "RS256", "typ": "JWT", "kid": service.issuer.kid() }), claims)
}

/// The claims that XSUAA issues to a technical client, as its documentation and libraries show them.
fn xsuaa(service: &Service) -> Value {
    let mut claims = service.issuer.claims();
    let xsuaa = json!({
        "jti": "0b8f7c3d", "ext_attr": { "enhancer": "XSUAA", "subaccountid": "sub", "zdn": "acme" },
        "sub": "sb-srm!t42", "client_id": "sb-srm!t42", "cid": "sb-srm!t42", "azp": "sb-srm!t42",
        "authorities": ["orders!t42.Write"], "scope": ["orders!t42.Write", "uaa.resource"],
        "grant_type": "client_credentials", "rev_sig": "c3a1", "zid": "sub",
        "aud": ["uaa", "sb-srm!t42", "orders!t42"],
    });
    claims.as_object_mut().unwrap().extend(xsuaa.as_object().unwrap().clone());
    claims
}

const OF_XSUAA: &str = "auth.audience = [\"sb-orders!t42\", \"orders!t42\"]\nauth.audience_rule = \"xsuaa\"\n\
    auth.scopes.write = \"orders!t42.Write\"";

#[tokio::test]
async fn tokens_of_xsuaa_are_accepted_by_its_rules() {
    let service = Service::start_with(OF_XSUAA).await;
    let with = |changes: Value| {
        let mut claims = xsuaa(&service);
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        claims
    };
    let cases = [
        ("the application among the audiences", with(json!({})), 201),
        ("within the application", with(json!({ "aud": ["orders!t42.sub.more"] })), 200),
        ("no audience, and scopes of the application", with(json!({ "aud": [] })), 200),
        ("the service's own client", with(json!({ "aud": ["uaa"], "cid": "sb-orders!t42" })), 200),
        ("another application", with(json!({ "aud": ["other!t7"], "cid": "other!t7" })), 401),
        ("one that begins alike", with(json!({ "aud": ["orders!t421"], "cid": "x" })), 401),
        ("audiences come before scopes", with(json!({ "aud": ["other!t7"], "cid": "x" })), 401),
        (
            "scopes in one text name no application",
            with(json!({ "aud": [], "cid": "x", "scope": "orders!t42.Write" })),
            401,
        ),
        ("an audience that is a number", with(json!({ "aud": 5 })), 401),
        ("a clone of no broker", with(json!({ "aud": ["sb-clone!b5|orders!t42"], "cid": "x" })), 401),
        ("client_id alone is no audience", with(json!({ "aud": ["x"], "cid": "x", "client_id": "orders!t42" })), 401),
        ("a scope of another application", with(json!({ "scope": ["other!t42.Write"] })), 403),
    ];
    for (what, claims, status) in cases {
        let answer = service.send_with(&signed(&service, &claims)).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_broker_of_xsuaa_accepts_tokens_of_its_clones() {
    let settings = "auth.audience = [\"sb-orders!b1\", \"orders!b1\", \"other!t42\"]\nauth.audience_rule = \"xsuaa\"";
    let service = Service::start_with(settings).await;
    for (audience, status) in [
        ("sb-clone!b5|orders!b1", 201),
        ("sb-clone!b5|orders!b1.Write", 200),
        ("sb-clone!b5|orders!b12", 401),
        ("sb-clone!b5|other!t42", 401),
    ] {
        let mut claims = service.issuer.claims();
        claims["aud"] = json!([audience]);
        let answer = service.send_with(&signed(&service, &claims)).await;
        assert_eq!(answer.status, status, "{audience}: {}", answer.text);
    }
}

/// The claims that IAS issues: no scope; the client is `azp`, its permissions are APIs.
fn ias(service: &Service) -> Value {
    let mut claims = service.issuer.claims();
    let members = claims.as_object_mut().unwrap();
    members.remove("scope");
    members.remove("client_id");
    members.insert("azp".to_owned(), json!("6f0c7a1e-srm"));
    members.insert("app_tid".to_owned(), json!("tenant"));
    members.insert("ias_apis".to_owned(), json!(["purchase-orders.write"]));
    claims
}

#[tokio::test]
async fn tokens_of_ias_get_their_permissions_by_client_or_by_api() {
    let plain = Service::start().await;
    plain.send_with(&signed(&plain, &ias(&plain))).await.is_problem(403, "insufficient-scope");

    let by_client = Service::start_with("auth.clients.write = [\"6f0c7a1e-srm\"]").await;
    assert_eq!(by_client.send_with(&signed(&by_client, &ias(&by_client))).await.status, 201);
    let mut another = ias(&by_client);
    another["azp"] = json!("another");
    // A user could be called like a client (RFC 9068 §5).
    another["sub"] = json!("6f0c7a1e-srm");
    by_client.send_with(&signed(&by_client, &another)).await.is_problem(403, "insufficient-scope");
    let list = by_client.client.get(by_client.url(ORDERS)).bearer_auth(signed(&by_client, &ias(&by_client)));
    assert_eq!(list.send().await.unwrap().status(), 403, "the write permission does not include reading");

    let by_api = Service::start_with("auth.scopes.claim = \"ias_apis\"").await;
    assert_eq!(by_api.send_with(&signed(&by_api, &ias(&by_api))).await.status, 201);
    by_api.send_with(&by_api.issuer.token()).await.is_problem(403, "insufficient-scope");
}

/// A service that introspects opaque tokens.
async fn introspecting(more: &str) -> Service {
    let issuer = Issuer::start().await.unwrap();
    let vms = SandboxVms::start(issuer.clone()).await.unwrap();
    let secret =
        if more.contains("client_secret") { "" } else { "auth.introspection.client_secret = \"webhook-secret\"\n" };
    let settings = format!(
        "auth.introspection.url = {:?}\nauth.introspection.client_id = \"purchase-order-webhook\"\n{secret}{more}",
        issuer.introspection_url().as_str()
    );
    Service::start_beside(issuer, vms, std::sync::Arc::new(tempfile::tempdir().unwrap()), &settings).await
}

fn active(service: &Service) -> Value {
    json!({ "scope": SCOPES, "client_id": "srm7", "exp": service.clock.now().as_second() + 600 })
}

#[tokio::test]
async fn an_opaque_token_is_judged_by_the_issuers_answer() {
    let service = introspecting("").await;
    let said = |changes: Value| {
        let mut said = active(&service);
        said.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        said
    };
    let cases = [
        ("active", said(json!({})), 201),
        ("for us", said(json!({ "aud": ["other", AUDIENCE], "iss": service.issuer.url() })), 200),
        ("without an end", json!({ "scope": SCOPES, "client_id": "srm7" }), 200),
        ("not active", said(json!({ "active": false })), 401),
        ("expired all the same", said(json!({ "exp": 1_000_000_000 })), 401),
        ("not valid yet", said(json!({ "nbf": service.clock.now().as_second() + 600 })), 401),
        ("for another audience", said(json!({ "aud": "other" })), 401),
        ("of another issuer", said(json!({ "iss": "https://elsewhere.example" })), 401),
        ("bound to a certificate", said(json!({ "cnf": { "x5t#S256": "x" } })), 401),
        ("without the scope", said(json!({ "scope": "purchase-orders.read" })), 403),
        ("an answer that says nothing of it", said(json!({ "active": "yes" })), 503),
    ];
    for (at, (what, said, status)) in cases.into_iter().enumerate() {
        let token = format!("opaque-{at}");
        service.issuer.set_introspection(&token, said);
        let answer = service.send_with(&token).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.text);
        assert_eq!(answer.header("www-authenticate").is_empty(), status < 400 || status == 503, "{what}");
    }
    service.send_with("nobody-knows-it").await.is_problem(401, "invalid-token");
    assert_eq!(service.send_with(&service.issuer.token()).await.status, 200, "JWTs are verified as ever");
    assert_eq!(service.issuer.introspection_requests(), 12);
    let forged = service.issuer.token().replace('.', "..");
    service.send_with(&forged).await.is_problem(401, "invalid-token");
    service.send_with("no b64token").await.is_problem(401, "invalid-token");
    assert_eq!(service.issuer.introspection_requests(), 13, "no introspection for a text that can't be a token");
}

#[tokio::test]
async fn an_introspection_is_remembered_for_a_minute_and_no_longer_than_the_token_lives() {
    let service = introspecting("").await;
    let mut short = active(&service);
    short["exp"] = json!(service.clock.now().as_second() + 10);
    service.issuer.set_introspection("long", active(&service));
    service.issuer.set_introspection("short", short);
    for token in ["long", "long", "short", "short"] {
        assert!(service.send_with(token).await.status < 300);
    }
    assert_eq!(service.issuer.introspection_requests(), 2);
    service.clock.advance(Duration::from_secs(11));
    assert_eq!(service.send_with("short").await.status, 200, "within the leeway, if the issuer says so");
    assert_eq!(service.issuer.introspection_requests(), 3, "from exp on, it is asked again");
    service.clock.advance(Duration::from_secs(30));
    service.send_with("short").await.is_problem(401, "invalid-token");
    assert_eq!(service.send_with("long").await.status, 200);
    assert_eq!(service.issuer.introspection_requests(), 4);
    service.issuer.set_introspection("long", json!({ "active": false }));
    assert_eq!(service.send_with("long").await.status, 200, "it is not known yet that it was revoked");
    service.clock.advance(Duration::from_secs(20));
    service.send_with("long").await.is_problem(401, "invalid-token");
}

#[tokio::test]
async fn a_refusal_is_remembered_briefly() {
    let service = introspecting("").await;
    for _ in 0..5 {
        service.send_with("unknown").await.is_problem(401, "invalid-token");
    }
    assert_eq!(service.issuer.introspection_requests(), 1);
    service.issuer.set_introspection("unknown", active(&service));
    service.clock.advance(Duration::from_secs(11));
    assert_eq!(service.send_with("unknown").await.status, 201);
}

#[tokio::test]
async fn many_callers_with_one_token_share_one_introspection() {
    let service = introspecting("").await;
    service.issuer.set_introspection("one", active(&service));
    service.issuer.set_latency(Duration::from_millis(200));
    let ask = || service.client.get(service.url(ORDERS)).bearer_auth("one").send();
    let calls: Vec<_> = (0..20).map(|_| tokio::spawn(ask())).collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().status(), 200);
    }
    assert_eq!(service.issuer.introspection_requests(), 1);
}

#[tokio::test]
async fn a_new_token_gets_503_while_introspection_is_down() {
    let service = introspecting("").await;
    service.issuer.set_introspection("known", active(&service));
    service.issuer.set_introspection("new", active(&service));
    assert_eq!(service.send_with("known").await.status, 201);
    service.issuer.set_behaviour(Behaviour::Unavailable);
    assert_eq!(service.send_with("known").await.status, 200, "a remembered token stays valid");
    let answer = service.send_with("new").await;
    answer.is_problem(503, "issuer-unavailable");
    assert!(!answer.header("retry-after").is_empty());
    service.issuer.set_behaviour(Behaviour::Normal);
    assert_eq!(service.send_with("new").await.status, 200, "without a restart, and at once");
}

#[tokio::test]
async fn the_introspection_request_uses_the_configured_client_authentication() {
    for auth in ["basic", "post"] {
        let service = introspecting(&format!("auth.introspection.auth = {auth:?}")).await;
        service.issuer.set_introspection("known", active(&service));
        assert_eq!(service.send_with("known").await.status, 201);
        service.clock.advance(Duration::from_secs(61));
        assert_eq!(service.client.get(service.url(ORDERS)).bearer_auth("known").send().await.unwrap().status(), 200);
        let form = service.issuer.last_form().unwrap();
        assert_eq!(form.get("token"), "known");
        assert_eq!((form.basic.is_some(), form.get("client_id").is_empty()), (auth == "basic", auth == "basic"));
    }
    let wrong = "auth.introspection.client_secret = \"wrong\"";
    let service = introspecting(wrong).await;
    service.issuer.set_introspection("known", active(&service));
    service.send_with("known").await.is_problem(503, "issuer-unavailable");
}

#[tokio::test]
async fn a_failed_introspection_fails_once_for_all_waiting_callers() {
    let service = introspecting("auth.timeout = \"300ms\"").await;
    service.issuer.set_latency(Duration::from_secs(10));
    let ask = || service.client.get(service.url(ORDERS)).bearer_auth("one").send();
    let hung_up = ask();
    assert!(tokio::time::timeout(Duration::from_millis(50), hung_up).await.is_err());
    let calls: Vec<_> = (0..20).map(|_| tokio::spawn(ask())).collect();
    for call in calls {
        Answer::of(call.await.unwrap().unwrap()).await.is_problem(503, "issuer-unavailable");
    }
    service.issuer.set_latency(Duration::ZERO);
    service.issuer.set_introspection("one", active(&service));
    assert_eq!(ask().await.unwrap().status(), 200);
    // The sandbox counts a request after its latency: none of the failed ones has been counted.
    assert_eq!(service.issuer.introspection_requests(), 1);
}

#[tokio::test]
async fn the_number_of_remembered_tokens_is_limited() {
    let service = introspecting("auth.remembered_tokens = 2").await;
    for number in 0..50 {
        let token = format!("token-{number}");
        service.issuer.set_introspection(&token, active(&service));
        assert!(service.send_with(&token).await.status < 300);
    }
    for number in 0..50 {
        assert_eq!(service.send_with(&format!("token-{number}")).await.status, 200);
    }
    let asked = service.issuer.introspection_requests();
    assert!((90..=100).contains(&asked), "nearly all were forgotten: {asked}");
}

#[tokio::test]
async fn cache_times_and_the_required_audience_follow_the_settings() {
    let settings = "auth.introspection.cache = \"1h\"\nauth.introspection.negative_cache = \"0s\"\nauth.introspection.audience = \"required\"";
    let service = introspecting(settings).await;
    let answer = |audience: Value| json!({ "scope": SCOPES, "client_id": "srm7", "aud": audience });
    service.issuer.set_introspection("for-us", answer(json!(AUDIENCE)));
    service.issuer.set_introspection("for-nobody", active(&service));
    service
        .issuer
        .set_introspection("refresh", json!({ "scope": SCOPES, "aud": AUDIENCE, "token_type": "refresh_token" }));
    service.issuer.set_introspection("hydra", json!({ "scope": SCOPES, "aud": AUDIENCE, "token_use": "access_token" }));
    assert_eq!(service.send_with("for-us").await.status, 201);
    assert_eq!(service.send_with("hydra").await.status, 200);
    for refused in ["for-nobody", "for-nobody", "refresh"] {
        service.send_with(refused).await.is_problem(401, "invalid-token");
    }
    assert_eq!(service.issuer.introspection_requests(), 5, "a refusal is not remembered");
    service.clock.advance(Duration::from_mins(59));
    assert_eq!(service.send_with("for-us").await.status, 200);
    assert_eq!(service.issuer.introspection_requests(), 5, "for an hour");
}

#[tokio::test]
async fn concurrent_introspections_are_limited() {
    let service = introspecting("auth.introspection.max_concurrency = 1\nauth.timeout = \"1s\"").await;
    service.issuer.set_latency(Duration::from_millis(300));
    let ask = |number: usize| service.client.get(service.url(ORDERS)).bearer_auth(format!("token-{number}")).send();
    let calls: Vec<_> = (0..30).map(|number| tokio::spawn(ask(number))).collect();
    let mut statuses = Vec::new();
    for call in calls {
        statuses.push(call.await.unwrap().unwrap().status().as_u16());
    }
    assert!(statuses.contains(&401) && statuses.contains(&503), "some were asked about, others waited: {statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 401 | 503)), "{statuses:?}");
}
