//! The service as a client of its callers' issuer: introspection with every client authentication, and an issuer that throttles.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use purchase_order_webhook::digest::sha256;
use purchase_order_webhook::sandbox::issuer::{Behaviour, Issuer, SCOPES, SigningKey};
use purchase_order_webhook::sandbox::vms::SandboxVms;
use serde_json::{Value, json};

use crate::certificates::{Ca, Files, Kind};
use crate::log_lines::LogLines;
use crate::raw_server::{RawAnswer, RawServer};
use crate::support::{ORDERS, Service, cart, mistakes};

fn active() -> String {
    json!({ "active": true, "scope": SCOPES, "client_id": "srm7" }).to_string()
}

/// A service that introspects at this endpoint.
async fn introspecting(endpoint: &str, settings: &str) -> Service {
    let issuer = Issuer::start().await.unwrap();
    let vms = SandboxVms::start(issuer.clone()).await.unwrap();
    let settings = format!(
        "target.oauth2.client_secret = \"webhook-secret\"\nauth.introspection.url = \"{endpoint}/introspect\"\n\
         auth.introspection.client_id = \"webhook\"\n{settings}"
    );
    Service::start_beside(issuer, vms, Arc::new(tempfile::tempdir().unwrap()), &settings).await
}

fn form(request: &str) -> Vec<(String, String)> {
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    url::form_urlencoded::parse(body.as_bytes()).into_owned().collect()
}

fn field(request: &str, name: &str) -> String {
    form(request).into_iter().find(|(key, _)| key == name).map(|(_, value)| value).unwrap_or_default()
}

#[tokio::test]
async fn an_introspection_endpoint_that_throttles_is_left_alone_and_callers_are_told_how_long() {
    for status in [429, 503] {
        let answers = std::sync::Mutex::new(vec![RawAnswer::whole(200, &[], active())]);
        answers.lock().unwrap().push(RawAnswer::whole(status, &[("retry-after", "30")], "s3cret"));
        let endpoint =
            RawServer::start(move |_| answers.lock().unwrap().pop().unwrap_or(RawAnswer::whole(200, &[], active())))
                .await;
        let service = introspecting(&endpoint.url(), "auth.introspection.client_secret = \"x\"").await;
        for (token, wait) in [("one", "30"), ("two", "30"), ("one", "30")] {
            let answer = service.send_with(token).await;
            answer.is_problem(503, "issuer-unavailable");
            assert_eq!(answer.header("retry-after"), wait, "{token}");
        }
        service.clock.advance(Duration::from_secs(25));
        assert_eq!(service.send_with("two").await.header("retry-after"), "5");
        assert_eq!(endpoint.requests().len(), 1, "{status}: one request for all tokens");
        service.clock.advance(Duration::from_secs(5));
        assert_eq!(service.send_with("two").await.status, 201);
        assert_eq!(endpoint.requests().len(), 2);
    }
}

#[tokio::test]
async fn a_pause_of_the_introspection_is_logged_once_for_all_that_wait() {
    let lines = LogLines::default();
    let _guard = tracing::subscriber::set_default(lines.subscriber());
    let endpoint = RawServer::start(|_| RawAnswer::whole(429, &[("retry-after", "30")], "s3cret")).await;
    for concurrency in [1, 8] {
        let settings =
            format!("auth.introspection.client_secret = \"x\"\nauth.introspection.max_concurrency = {concurrency}");
        let service = introspecting(&endpoint.url(), &settings).await;
        for pause in ["first", "second"] {
            lines.take();
            let get = |number| service.client.get(service.url(ORDERS)).bearer_auth(format!("{pause}-{number}"));
            let calls: Vec<_> = (0..8).map(|number| tokio::spawn(get(number).send())).collect();
            for call in calls {
                assert_eq!(call.await.unwrap().unwrap().status(), 503);
            }
            let logged = lines.take();
            assert_eq!(logged.matches("the introspection throttles").count(), 1, "{logged}");
            assert!(!logged.contains("the introspection of a token failed"), "{logged}");
            service.clock.advance(Duration::from_secs(31));
        }
    }
}

#[tokio::test]
async fn what_discovery_finds_is_logged_without_secrets_and_in_one_short_line() {
    let lines = LogLines::default();
    let _guard = tracing::subscriber::set_default(lines.subscriber());
    let own = Arc::new(std::sync::OnceLock::<String>::new());
    let shared = Arc::clone(&own);
    let server = RawServer::start(move |request| {
        let url = shared.get().cloned().unwrap_or_default();
        let authority = url.trim_start_matches("http://");
        let metadata = |issuer: &str| {
            let keys = format!("http://user:s3cret-1@{authority}/jwks?key=s3cret-2#s3cret-3");
            RawAnswer::whole(200, &[], json!({ "issuer": issuer, "jwks_uri": keys }).to_string())
        };
        match request {
            keys if keys.starts_with("GET /jwks") => RawAnswer::whole(500, &[], ""),
            right if right.starts_with("GET /right/") => metadata(&format!("{url}/right")),
            _ => metadata(&format!("https://other.example/\n{}", "x".repeat(5_000))),
        }
    })
    .await;
    own.set(server.url()).unwrap();
    for (path, expected) in [("right", "/jwks answered 500"), ("wrong", "is of the issuer https://other.example/xxx")] {
        lines.take();
        let issuer = Issuer::start().await.unwrap();
        let vms = SandboxVms::start(issuer.clone()).await.unwrap();
        let settings = format!("auth.issuer = \"{}/{path}\"", server.url());
        let service = Service::start_beside(issuer, vms, Arc::new(tempfile::tempdir().unwrap()), &settings).await;
        service.send(&cart(1)).await.is_problem(503, "issuer-unavailable");
        let ready = service.client.get(service.url("/readyz")).send().await.unwrap().text().await.unwrap();
        let logged = lines.take();
        assert!(logged.contains(expected), "{logged}");
        for text in [&ready, &logged] {
            assert!(!text.contains("s3cret") && !text.contains(&"x".repeat(300)), "{text}");
        }
    }
}

#[tokio::test]
async fn an_issuer_that_throttles_its_keys_is_left_alone_and_callers_are_told_how_long() {
    let issuer = Issuer::start().await.unwrap();
    issuer.set_behaviour(Behaviour::Throttling);
    let vms = SandboxVms::start(issuer.clone()).await.unwrap();
    let keys = format!("auth.jwks_url = \"{}/jwks\"", issuer.url());
    let service = Service::start_beside(issuer, vms, Arc::new(tempfile::tempdir().unwrap()), &keys).await;
    let answer = service.send(&cart(1)).await;
    answer.is_problem(503, "issuer-unavailable");
    assert_eq!(answer.header("retry-after"), "60");
    service.clock.advance(Duration::from_millis(50_500));
    assert_eq!(service.send(&cart(1)).await.header("retry-after"), "10", "rounded up");
    assert_eq!(service.issuer.jwks_requests(), 1);
    service.issuer.set_behaviour(Behaviour::Normal);
    service.clock.advance(Duration::from_secs(10));
    assert_eq!(service.send(&cart(1)).await.status, 201);
}

#[tokio::test]
async fn discovery_that_is_throttled_is_not_tried_at_the_other_place() {
    let issuer = RawServer::start(|_| RawAnswer::whole(429, &[("retry-after", "20")], "")).await;
    let sandbox = Issuer::start().await.unwrap();
    let vms = SandboxVms::start(sandbox.clone()).await.unwrap();
    let settings = format!("auth.issuer = \"{}\"", issuer.url());
    let service = Service::start_beside(sandbox, vms, Arc::new(tempfile::tempdir().unwrap()), &settings).await;
    for _ in 0..3 {
        let answer = service.send(&cart(1)).await;
        answer.is_problem(503, "issuer-unavailable");
        assert_eq!(answer.header("retry-after"), "20");
    }
    assert_eq!(issuer.requests().len(), 1);
}

#[tokio::test]
async fn the_introspection_client_proves_itself_by_an_assertion() {
    let files = Files::new();
    for (algorithm, chosen) in [
        (Algorithm::ES256, ""),
        (Algorithm::EdDSA, "auth.introspection.assertion_algorithm = \"Ed25519\"\nauth.introspection.key_id = \"k1\""),
        (Algorithm::EdDSA, "auth.introspection.assertion_algorithm = \"EdDSA\"\nauth.introspection.key_id = \"k1\""),
        (Algorithm::PS256, "auth.introspection.assertion_algorithm = \"PS256\"\nauth.introspection.key_id = \"k1\""),
    ] {
        let key = SigningKey::generate(algorithm, "k1").unwrap();
        let file = files.put("key.pem", &key.pem);
        let endpoint = RawServer::start(|_| RawAnswer::whole(200, &[], active())).await;
        let settings = format!(
            "auth.introspection.auth = \"private_key_jwt\"\nauth.introspection.private_key_file = {file:?}\n\
             auth.introspection.assertion_audience = \"https://issuer.example\"\n{chosen}"
        );
        let service = introspecting(&endpoint.url(), &settings).await;
        assert_eq!(service.send_with("opaque").await.status, 201);
        let request = endpoint.requests().remove(0);
        assert_eq!(field(&request, "client_assertion_type"), "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        assert!(!request.contains("authorization: ") && !request.contains("client_secret"), "{request}");
        let jwk: Jwk = serde_json::from_value(key.jwk.clone()).unwrap();
        let mut validation = Validation::new(algorithm);
        validation.set_audience(&["https://issuer.example"]);
        validation.validate_exp = false;
        let assertion = field(&request, "client_assertion");
        let signed =
            jsonwebtoken::decode::<Value>(&assertion, &DecodingKey::from_jwk(&jwk).unwrap(), &validation).unwrap();
        assert_eq!((&signed.claims["iss"], &signed.claims["sub"]), (&json!("webhook"), &json!("webhook")));
        assert_eq!(signed.header.kid.as_deref(), (!chosen.is_empty()).then_some("k1"));
    }
}

#[tokio::test]
async fn assertions_name_the_key_by_the_thumbprint_of_its_certificate() {
    let ca = Ca::new();
    let pair = ca.server("entra", Kind::Rsa);
    for (kind, header) in [("x5t", "x5t"), ("x5t#S256", "x5t#S256")] {
        let endpoint = RawServer::start(|_| RawAnswer::whole(200, &[], active())).await;
        let settings = format!(
            "auth.introspection.auth = \"private_key_jwt\"\nauth.introspection.private_key_file = {:?}\n\
             auth.introspection.certificate_file = {:?}\nauth.introspection.assertion_key = {kind:?}\n\
             auth.introspection.assertion_algorithm = \"PS256\"",
            pair.key, pair.certificate
        );
        let service = introspecting(&endpoint.url(), &settings).await;
        assert_eq!(service.send_with("opaque").await.status, 201);
        let assertion = field(&endpoint.requests()[0], "client_assertion");
        let decoded = URL_SAFE_NO_PAD.decode(assertion.split('.').next().unwrap()).unwrap();
        let found: Value = serde_json::from_slice(&decoded).unwrap();
        let sha1 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &pair.der());
        let expected = match kind {
            "x5t" => URL_SAFE_NO_PAD.encode(sha1.as_ref()),
            _ => URL_SAFE_NO_PAD.encode(sha256(&pair.der())),
        };
        assert_eq!((&found[header], &found["alg"]), (&json!(expected), &json!("PS256")), "{found}");
    }
}

#[test]
fn an_assertion_that_can_not_be_made_is_a_mistake_of_the_settings() {
    let (ca, files) = (Ca::new(), Files::new());
    let (pair, other) = (ca.server("one", Kind::Rsa), ca.server("other", Kind::Rsa));
    let ec = files.put("ec.pem", SigningKey::generate(Algorithm::ES256, "k").unwrap().pem);
    for section in ["target.oauth2", "auth.introspection"] {
        let client = match section {
            "target.oauth2" => String::new(),
            _ => "auth.introspection.url = \"https://issuer.example\"\nauth.introspection.client_id = \"x\"\ntarget.oauth2.client_secret = \"x\"\n".to_owned(),
        };
        for (key, more, expected) in [
            (
                &pair.key,
                "assertion_algorithm = \"ES256\"",
                "assertion_algorithm: the private key can't sign ES256; expected an algorithm of its kind, such as RS256",
            ),
            (
                &ec,
                "assertion_algorithm = \"PS256\"",
                "assertion_algorithm: the private key can't sign PS256; expected an algorithm of its kind, such as ES256",
            ),
            (&pair.key, "assertion_algorithm = \"HS256\"", "assertion_algorithm: expected RS256"),
            (&pair.key, "assertion_key = \"x5c\"", "assertion_key: expected kid or x5t or x5t#S256"),
            (
                &pair.key,
                "assertion_key = \"x5t\"",
                "private_key_file: expected a private key in PEM, with its certificate",
            ),
            (
                &pair.key,
                &format!("assertion_key = \"x5t\"\n{section}.certificate_file = {:?}", other.certificate),
                "the private key is not that of the certificate",
            ),
            (&pair.key, &format!("certificate_file = {:?}", pair.certificate), "certificate_file: not used with this"),
        ] {
            let settings = format!(
                "{client}{section}.auth = \"private_key_jwt\"\n{section}.private_key_file = {key:?}\n{section}.{more}\n"
            );
            let found = mistakes(&settings);
            assert!(found.len() == 1 && found[0].contains(expected), "{section} {more}: {found:?}");
        }
    }
    let both = "auth.introspection.url = \"https://issuer.example\"\nauth.introspection.client_id = \"x\"\n\
        auth.introspection.client_secret = \"x\"\nauth.introspection.key_id = \"x\"";
    let found = mistakes(both);
    assert!(found.len() == 1 && found[0].contains("key_id: not used with this auth.introspection.auth"), "{found:?}");
}
