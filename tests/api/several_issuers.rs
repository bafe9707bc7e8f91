//! Several issuers: a token's `iss` chooses, each has keys and rules of its own, and their clients are told apart.

use purchase_order_webhook::sandbox::issuer::{AUDIENCE, Behaviour, Issuer, SCOPES};
use purchase_order_webhook::sandbox::vms::SandboxVms;
use serde_json::{Value, json};

use crate::log_lines::LogLines;
use crate::support::{Answer, ORDERS, Service, cart, mistakes};

fn token(issuer: &Issuer, changes: &Value) -> String {
    let mut claims = issuer.claims();
    claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    issuer.sign(&json!({ "alg": "RS256", "kid": issuer.kid() }), &claims)
}

/// A service with a second issuer, whose section ends with `more`, and settings before it.
async fn with_second(settings: &str, more: &str) -> (Service, Issuer) {
    let second = Issuer::start().await.unwrap();
    let settings =
        format!("{settings}\n[[auth.issuers]]\nissuer = {:?}\naudience = \"orders-of-second\"\n{more}", second.url());
    (Service::start_with(&settings).await, second)
}

#[tokio::test]
async fn a_tokens_issuer_chooses_keys_audience_and_scopes() {
    let (service, second) = with_second("", "scopes.write = \"second.write\"\nscopes.claim = \"scp\"").await;
    let of_second = |changes: Value| {
        let mut all = json!({ "aud": "orders-of-second", "scp": ["second.write"], "scope": null });
        all.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        token(&second, &all)
    };
    let first_claims = service.issuer.claims();
    let table = [
        ("the first", service.issuer.token(), 201, ""),
        ("the second", of_second(json!({})), 200, ""),
        ("the first's audience at the second", of_second(json!({ "aud": AUDIENCE })), 401, "another audience"),
        ("the second's audience at the first", token(&service.issuer, &json!({ "aud": "orders-of-second" })), 401, {
            "another audience"
        }),
        ("the first's scopes at the second", of_second(json!({ "scp": null, "scope": SCOPES })), 403, "second.write"),
        (
            "the second's key in the first's name",
            { second.sign(&json!({ "alg": "RS256", "kid": second.kid() }), &first_claims) },
            401,
            "signature is wrong",
        ),
        (
            "the first's key in the second's name",
            {
                token(
                    &service.issuer,
                    &json!({ "iss": second.url(), "aud": "orders-of-second", "scp": ["second.write"] }),
                )
            },
            401,
            "signature is wrong",
        ),
        ("a third", token(&service.issuer, &json!({ "iss": "https://third.example" })), 401, "from another issuer"),
        ("both in a list", token(&service.issuer, &json!({ "iss": [second.url()] })), 401, "from another issuer"),
        ("none", token(&service.issuer, &json!({ "iss": null })), 401, "lacks the claim iss"),
    ];
    for (what, token, status, detail) in table {
        let answer = service.send_with(&token).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.text);
        assert!(detail.is_empty() || answer.text.contains(detail), "{what}: {}", answer.text);
    }
    assert_eq!((service.issuer.jwks_requests() > 0, second.jwks_requests() > 0), (true, true));
}

#[tokio::test]
async fn an_issuer_that_is_down_keeps_no_other_ones_callers_out() {
    let (service, second) = with_second("", "").await;
    second.set_behaviour(Behaviour::Unavailable);
    assert_eq!(service.send_with(&service.issuer.token()).await.status, 201);
    let of_second = token(&second, &json!({ "aud": "orders-of-second" }));
    service.send_with(&of_second).await.is_problem(503, "issuer-unavailable");
    let ready = Answer::of(service.client.get(service.url("/readyz")).send().await.unwrap()).await;
    assert_eq!(ready.body["failing"][0]["condition"], "issuer-unavailable", "{}", ready.text);
    assert!(ready.body["issuerKeys"]["fetchedAt"].is_null(), "not of every issuer: {}", ready.text);
    second.set_behaviour(Behaviour::Normal);
    service.clock.advance(std::time::Duration::from_secs(11));
    assert_eq!(service.send_with(&of_second).await.status, 200);
    let ready = Answer::of(service.client.get(service.url("/readyz")).send().await.unwrap()).await;
    assert_eq!(ready.body["failing"], json!([]), "{}", ready.text);
    assert!(ready.body["issuerKeys"]["fetchedAt"].is_string(), "{}", ready.text);
}

#[tokio::test]
async fn clients_of_one_name_are_told_apart_by_their_issuer() {
    let (service, second) = with_second("server.rate_limit_per_client = 1", "").await;
    let of_second = token(&second, &json!({ "aud": "orders-of-second", "sub": "a-user" }));
    let get = |token: String| service.client.get(service.url(ORDERS)).bearer_auth(token).send();
    assert_eq!(service.send_with(&service.issuer.token()).await.status, 201);
    service.send_with(&service.issuer.token()).await.is_problem(429, "rate-limited");
    assert_eq!(get(of_second.clone()).await.unwrap().status(), 200, "a rate of its own");
    service.clock.advance(std::time::Duration::from_secs(2));
    let audit = Answer::of(
        service.client.get(service.url("/v2/audit")).bearer_auth(service.issuer.token()).send().await.unwrap(),
    )
    .await;
    let client = format!("srm7 @ {}", service.issuer.url());
    assert!(audit.text.contains(&client), "{}", audit.text);
    let posted = service.client.post(service.url(ORDERS)).bearer_auth(of_second).json(&cart(2)).send().await.unwrap();
    assert_eq!(posted.status(), 201);
    service.clock.advance(std::time::Duration::from_secs(2));
    let audit = Answer::of(
        service.client.get(service.url("/v2/audit")).bearer_auth(service.issuer.token()).send().await.unwrap(),
    )
    .await;
    assert!(audit.text.contains(&format!("a-user (srm7) @ {}", second.url())), "{}", audit.text);
}

#[tokio::test]
async fn the_log_names_both_issuers_and_the_caller_learns_neither() {
    let lines = LogLines::default();
    let _guard = tracing::subscriber::set_default(lines.subscriber());
    let (several, second) = with_second("", "").await;
    let single = Service::start().await;
    for (service, accepted) in
        [(&single, single.issuer.url()), (&several, format!("{}, {}", several.issuer.url(), second.url()))]
    {
        lines.take();
        let other = "https://sts.windows.net/tenant/";
        let answer = service.send_with(&token(&service.issuer, &json!({ "iss": other }))).await;
        answer.is_problem(401, "invalid-token");
        let told = format!("{}{}", answer.text, answer.header("www-authenticate"));
        assert!(!told.contains(other) && !told.contains(&service.issuer.url()), "{told}");
        let log = lines.take();
        let line = log.lines().find(|line| line.contains("a token of another issuer was refused")).unwrap();
        assert!(line.contains(other) && line.contains(&accepted), "{line}");
        assert!(line.contains(answer.header("x-request-id")), "{line}");
    }
}

#[tokio::test]
async fn an_opaque_token_is_asked_about_until_an_issuer_knows_it() {
    let (first, second) = (Issuer::start().await.unwrap(), Issuer::start().await.unwrap());
    let introspection = |section: &str, issuer: &Issuer| {
        format!(
            "{section}url = {:?}\n{section}client_id = \"srm7\"\n{section}client_secret = \"srm7-secret\"\n",
            issuer.introspection_url().as_str()
        )
    };
    let settings = format!(
        "{}[[auth.issuers]]\nissuer = {:?}\naudience = \"orders-of-second\"\n{}",
        introspection("auth.introspection.", &first),
        second.url(),
        introspection("introspection.", &second)
    );
    let vms = SandboxVms::start(first.clone()).await.unwrap();
    let folder = std::sync::Arc::new(tempfile::tempdir().unwrap());
    let service = Service::start_beside(first.clone(), vms, folder, &settings).await;
    second.set_introspection("of-second", json!({ "scope": SCOPES, "client_id": "srm7", "aud": "orders-of-second" }));
    assert_eq!(service.send_with("of-second").await.status, 201);
    service.send_with("of-nobody").await.is_problem(401, "invalid-token");
    assert_eq!((first.introspection_requests(), second.introspection_requests()), (2, 2));
    // Whoever knows the token says why it is refused, whatever the others say.
    first.set_introspection("for-another", json!({ "scope": SCOPES, "client_id": "srm7", "aud": "another" }));
    let refused = service.send_with("for-another").await;
    refused.is_problem(401, "invalid-token");
    assert_eq!(refused.body["detail"], "the token is for another audience");
    first.set_behaviour(Behaviour::Unavailable);
    service.send_with("of-nobody-2").await.is_problem(503, "issuer-unavailable");
    assert_eq!(service.send_with("of-second").await.status, 200);
}

#[tokio::test]
async fn each_issuer_is_checked_with_its_place_in_the_settings() {
    let section = |text: &str| format!("[[auth.issuers]]\n{text}\n");
    let good = "issuer = \"https://second.example\"\naudience = \"x\"";
    for (settings, expected) in [
        (section("issuer = \"https://second.example\""), "auth.issuers.1.audience is missing"),
        (section("audience = \"x\""), "auth.issuers.1.issuer is missing"),
        (section(&format!("{good}\nleeway = \"soon\"")), "auth.issuers.1.leeway: expected a duration"),
        (section(&format!("{good}\nunheard_of = 1")), "auth.issuers.1.unheard_of: unknown key"),
        (section(&format!("{good}\nresource = \"https://x.example\"")), "auth.issuers.1.resource: unknown key"),
        (
            format!("{}{}", section(good), section("issuer = \"https://third.example\"")),
            "auth.issuers.2.audience is missing",
        ),
        (
            format!("{}{}", section(good), section(good)),
            "auth.issuers.2.issuer: expected an issuer that no other section has",
        ),
        (
            section("issuer = \"https://issuer.example\"\naudience = \"x\""),
            "auth.issuers.1.issuer: expected an issuer that no",
        ),
        ("auth.issuers = \"https://second.example\"".to_owned(), "auth.issuers: expected further issuers"),
        (
            "[auth.issuers.2]\nissuer = \"https://second.example\"\naudience = \"x\"".to_owned(),
            "with the numbers from 1 on",
        ),
        (section(&format!("{good}\naudience_rule = \"client\"")), "auth.issuers.1.clients.write: expected the clients"),
        (
            section(&format!("{good}\nscopes.claim = [\"a\", \"\"]")),
            "auth.issuers.1.scopes.claim: expected a list of names",
        ),
        (section(&format!("{good}\nscopes.claim = \"/a~2\"")), "auth.issuers.1.scopes.claim: expected a list of names"),
        (
            section(&format!("{good}\nintrospection.jwt = \"never\"")),
            "auth.issuers.1.introspection.jwt: expected local or",
        ),
    ] {
        let found = mistakes(&settings);
        assert!(found.iter().any(|mistake| mistake.contains(expected)), "{expected}: {found:#?}");
    }
    assert_eq!(mistakes(&section(good)), Vec::<String>::new());
    assert_eq!(mistakes("auth.issuers = []"), Vec::<String>::new());
    assert_eq!(
        mistakes(&section(&format!("{good}\nscopes.claim = [\"scope\", \"/realm_access/roles\"]"))),
        Vec::<String>::new()
    );
}
