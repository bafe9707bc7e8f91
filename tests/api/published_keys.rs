//! The issuer's keys in the spellings that SAP's and others' servers publish, and how a token chooses among them.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm::{self, ES256, ES384, EdDSA, RS256};
use purchase_order_webhook::sandbox::issuer::{Issuer, SigningKey};
use purchase_order_webhook::sandbox::vms::SandboxVms;
use serde_json::{Value, json};

use crate::forge::{Forge, with};
use crate::log_lines::LogLines;
use crate::raw_server::{RawAnswer, RawServer};
use crate::support::Service;

fn octets(jwk: &Value, name: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap()
}

/// The public key in PEM, as UAA has it in `value`.
fn public_pem(key: &SigningKey) -> String {
    let mut openssl =
        Command::new("openssl").args(["pkey", "-pubout"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    openssl.stdin.take().unwrap().write_all(key.pem.as_bytes()).unwrap();
    String::from_utf8(openssl.wait_with_output().unwrap().stdout).unwrap()
}

/// A key of P-256 whose `x` begins with a zero octet.
fn key_with_a_short_x(kid: &str) -> SigningKey {
    loop {
        let key = SigningKey::generate(ES256, kid).unwrap();
        if octets(&key.jwk, "x")[0] == 0 {
            return key;
        }
    }
}

fn name(algorithm: Algorithm) -> String {
    format!("{algorithm:?}")
}

/// A key, and what is published of it.
type Published = (&'static str, SigningKey, Value);

fn of_rsa() -> Vec<Published> {
    let spelled = |what: &'static str, spell: &dyn Fn(&SigningKey) -> Value| {
        let key = SigningKey::generate(RS256, what).unwrap();
        let jwk = spell(&key);
        (what, key, jwk)
    };
    let zero = |bytes: Vec<u8>| [vec![0], bytes].concat();
    vec![
        spelled("a leading zero octet in n", &|key| {
            key.jwk_with("n", json!(URL_SAFE_NO_PAD.encode(zero(octets(&key.jwk, "n")))))
        }),
        spelled("leading zero octets in e", &|key| key.jwk_with("e", json!("AAABAAE"))),
        spelled("padding", &|key| key.jwk_with("n", json!(format!("{}==", key.jwk["n"].as_str().unwrap())))),
        spelled("the standard alphabet", &|key| key.jwk_with("n", json!(STANDARD.encode(octets(&key.jwk, "n"))))),
        spelled("all of it together", &|key| {
            with(&key.jwk_with("n", json!(STANDARD.encode(zero(octets(&key.jwk, "n"))))), "e", json!("AAEAAQ=="))
        }),
        spelled(
            "RSA in PEM alone",
            &|key| json!({ "kty": "RSA", "kid": key.kid, "use": "sig", "alg": "RS256", "value": public_pem(key) }),
        ),
        spelled("members that are null", &|key| {
            let mut jwk = key.jwk.clone();
            jwk.as_object_mut().unwrap().extend(
                [("alg", Value::Null), ("use", Value::Null), ("x5c", Value::Null)]
                    .map(|(name, value)| (name.to_owned(), value)),
            );
            jwk
        }),
    ]
}

fn of_curves() -> Vec<Published> {
    let in_pem = |what: &'static str, algorithm| {
        let key = SigningKey::generate(algorithm, what).unwrap();
        let jwk = json!({ "kty": "EC", "kid": what, "use": "sig", "alg": name(algorithm), "value": public_pem(&key) });
        (what, key, jwk)
    };
    let short = key_with_a_short_x("x without its zero octet");
    let without = URL_SAFE_NO_PAD.encode(&octets(&short.jwk, "x")[1..]);
    let short_jwk = short.jwk_with("x", json!(without));
    let long = SigningKey::generate(ES256, "y with zero octets more").unwrap();
    let longer = URL_SAFE_NO_PAD.encode([vec![0, 0], octets(&long.jwk, "y")].concat());
    let long_jwk = long.jwk_with("y", json!(longer));
    let padded = SigningKey::generate(EdDSA, "a padded key of Ed25519").unwrap();
    let padded_jwk = padded.jwk_with("x", json!(STANDARD.encode(octets(&padded.jwk, "x"))));
    vec![
        in_pem("P-256 in PEM alone, as UAA publishes it", ES256),
        ("x without its zero octet", short, short_jwk),
        ("y with zero octets more", long, long_jwk),
        ("a padded key of Ed25519", padded, padded_jwk),
    ]
}

#[tokio::test]
async fn keys_are_read_in_every_spelling_and_odd_ones_take_no_other_away() {
    let service = Service::start_with("auth.algorithms = [\"RS256\", \"ES256\", \"EdDSA\"]").await;
    let forge = Forge::of(&service.issuer);
    let odd = [json!(7), json!(null), json!([]), json!({ "kty": "RSA", "n": 1, "e": {} }), json!({ "kid": "x" })];
    for entry in odd {
        service.issuer.publish(entry);
    }
    let table = [of_rsa(), of_curves()].concat();
    for (_, _, jwk) in &table {
        service.issuer.publish(jwk.clone());
    }
    for (what, key, _) in table {
        let header = json!({ "alg": name(key.algorithm), "kid": key.kid });
        let answer = service.send_with(&key.sign(key.algorithm, &header, &forge.claims)).await;
        assert!(matches!(answer.status, 200 | 201), "{what}: {}", answer.text);
    }
    assert_eq!(service.issuer.jwks_requests(), 1);
}

#[tokio::test]
async fn both_names_of_ed25519_are_one_algorithm_in_header_key_and_settings() {
    for setting in ["EdDSA", "Ed25519"] {
        let service = Service::start_with(&format!("auth.algorithms = [{setting:?}]")).await;
        let forge = Forge::of(&service.issuer);
        for of_key in ["EdDSA", "Ed25519"] {
            let key = SigningKey::generate(EdDSA, of_key).unwrap();
            service.issuer.publish(key.jwk_with("alg", json!(of_key)));
        }
        let keys = ["EdDSA", "Ed25519"].map(|of_key| {
            let key = SigningKey::generate(EdDSA, &format!("another-{of_key}")).unwrap();
            service.issuer.publish(key.jwk_with("alg", json!(of_key)));
            key
        });
        for (key, of_header) in keys.iter().flat_map(|key| ["EdDSA", "Ed25519"].map(|of_header| (key, of_header))) {
            let token = key.sign(EdDSA, &json!({ "alg": of_header, "kid": key.kid }), &forge.claims);
            let answer = service.send_with(&token).await;
            assert!(matches!(answer.status, 200 | 201), "{setting} {} {of_header}: {}", key.kid, answer.text);
        }
        let other = keys[0].sign(EdDSA, &json!({ "alg": "Ed448", "kid": keys[0].kid }), &forge.claims);
        service.send_with(&other).await.is_problem(401, "invalid-token");
        service.send_with(&forge.good()).await.is_problem(401, "invalid-token");
    }
}

#[tokio::test]
async fn a_token_that_names_no_key_is_tried_with_all_that_fit() {
    let service = Service::start().await;
    let forge = Forge::of(&service.issuer);
    let keys: Vec<SigningKey> =
        (0..9).map(|number| SigningKey::generate(ES256, &format!("key-of-many-{number}")).unwrap()).collect();
    for key in &keys {
        service.issuer.publish(key.jwk.clone());
        // Of another kind, and for another purpose: they cost no try.
        service.issuer.publish(SigningKey::generate(ES384, "of-another-kind").unwrap().jwk);
        service.issuer.publish(key.jwk_with("use", json!("enc")));
    }
    for key in &keys {
        let answer = service.send_with(&key.sign(ES256, &json!({ "alg": "ES256" }), &forge.claims)).await;
        assert!(matches!(answer.status, 200 | 201), "{}: {}", key.kid, answer.text);
    }
    let stranger = SigningKey::generate(ES256, "stranger").unwrap();
    let answer = service.send_with(&stranger.sign(ES256, &json!({ "alg": "ES256" }), &forge.claims)).await;
    answer.is_problem(401, "invalid-token");
    assert_eq!(answer.body["detail"], "the token's signature is wrong");
}

#[tokio::test]
async fn the_thumbprint_of_a_certificate_chooses_the_key() {
    let service = Service::start().await;
    let forge = Forge::of(&service.issuer);
    let thumbprint = |byte: u8, octets: usize| URL_SAFE_NO_PAD.encode(vec![byte; octets]);
    let keys = [1, 2].map(|byte| {
        let key = SigningKey::generate(ES256, &format!("key-of-certificate-{byte}")).unwrap();
        let jwk = with(&key.jwk_with("x5t", json!(thumbprint(byte, 20))), "x5t#S256", json!(thumbprint(byte, 32)));
        // As AD FS publishes them, beside keys without a name.
        service.issuer.publish(with(&jwk, "kid", Value::Null));
        key
    });
    let signed = |key: &SigningKey, name: &str, value: String| {
        key.sign(ES256, &json!({ "alg": "ES256", name: value }), &forge.claims)
    };
    let table = [
        ("x5t of the first", signed(&keys[0], "x5t", thumbprint(1, 20)), ""),
        ("x5t of the second", signed(&keys[1], "x5t", thumbprint(2, 20)), ""),
        ("x5t#S256 of the second", signed(&keys[1], "x5t#S256", thumbprint(2, 32)), ""),
        ("x5t with padding", signed(&keys[0], "x5t", format!("{}=", thumbprint(1, 20))), ""),
        ("x5t that is none", signed(&keys[1], "x5t", "AQ".to_owned()), ""),
        ("x5t of the other", signed(&keys[0], "x5t", thumbprint(2, 20)), "the token's signature is wrong"),
        ("x5t#S256 of the other", signed(&keys[1], "x5t#S256", thumbprint(1, 32)), "the token's signature is wrong"),
        ("x5t of nobody", signed(&keys[0], "x5t", thumbprint(9, 20)), "the token's key is not one of the issuer's"),
    ];
    for (what, token, problem) in table {
        let answer = service.send_with(&token).await;
        if problem.is_empty() {
            assert!(matches!(answer.status, 200 | 201), "{what}: {}", answer.text);
        } else {
            answer.is_problem(401, "invalid-token");
            assert_eq!(answer.body["detail"], problem, "{what}");
        }
    }
}

#[tokio::test]
async fn each_key_that_is_left_out_is_logged_once_with_its_name_and_the_reason() {
    let lines = LogLines::default();
    let _guard = tracing::subscriber::set_default(lines.subscriber());
    let service = Service::start_with("auth.jwks_refresh = \"1m\"").await;
    let small = json!({ "kty": "RSA", "kid": "small\u{1b}[31m", "n": "AQAB", "e": "AQAB" });
    service.issuer.publish(small);
    service.issuer.publish(json!({ "kty": "oct", "kid": "symmetric", "k": "c2VjcmV0" }));
    service.issuer.publish(json!("nonsense"));
    for _ in 0..3 {
        let claims = service.issuer.claims_at(purchase_order_webhook::clock::Clock::now(&*service.clock));
        let header = json!({ "alg": "RS256", "kid": service.issuer.kid() });
        let answer = service.send_with(&service.issuer.sign(&header, &claims)).await;
        assert!(matches!(answer.status, 200 | 201), "{}", answer.text);
        service.clock.advance(Duration::from_mins(3));
    }
    assert!(service.issuer.jwks_requests() >= 3, "{}", service.issuer.jwks_requests());
    let log = lines.take();
    for (text, count) in [
        ("the issuer's keys can't be fetched", 0),
        ("its modulus has less than 2048 bits", 1),
        ("it is symmetric: whoever can check a token could make one", 1),
        ("it is no JSON object", 1),
        ("jwks.kid=\"small[31m\"", 1),
        ("jwks.kid=\"symmetric\"", 1),
        ("c2VjcmV0", 0),
    ] {
        assert_eq!(log.matches(text).count(), count, "{text}: {log}");
    }
}

#[tokio::test]
async fn a_key_set_without_a_key_that_can_be_used_tells_every_reason_once() {
    let lines = LogLines::default();
    let _guard = tracing::subscriber::set_default(lines.subscriber());
    let defective = |number: usize| json!({ "kty": "RSA", "kid": format!("small-{number}"), "n": "AQAB", "e": "AQAB" });
    let set = json!({ "keys": (0..5).map(defective).collect::<Vec<_>>() }).to_string();
    let endpoint = RawServer::start(move |_| RawAnswer::whole(200, &[], &set)).await;
    let service = Service::start_with(&format!("auth.jwks_url = \"{}/jwks\"", endpoint.url())).await;
    for _ in 0..3 {
        service.send_with(&service.issuer.token()).await.is_problem(503, "issuer-unavailable");
        service.clock.advance(Duration::from_secs(11));
    }
    assert!(endpoint.requests().len() >= 3, "{}", endpoint.requests().len());
    let log = lines.take();
    for number in 0..5 {
        assert_eq!(log.matches(&format!("jwks.kid=\"small-{number}\"")).count(), 1, "{log}");
    }
    assert_eq!(log.matches("its modulus has less than 2048 bits").count(), 5, "{log}");
    assert!(log.contains("/jwks has no key that can verify tokens; left out: 5"), "{log}");
}

#[tokio::test]
async fn a_key_with_a_name_twice_or_a_number_beyond_all_takes_no_other_away() {
    let (issuer, odd) = (Issuer::start().await.unwrap(), r#"{"kty":"RSA","kid":"odd","kid":"odd"},{"kty":1e400}"#);
    let set = format!("{{\"keys\":[{odd},{}],\"a\":{{\"b\":1e400,\"b\":2}}}}", issuer.jwk());
    let endpoint = RawServer::start(move |_| RawAnswer::whole(200, &[], &set)).await;
    let vms = SandboxVms::start(issuer.clone()).await.unwrap();
    let settings = format!("auth.jwks_url = \"{}/jwks\"", endpoint.url());
    let folder = std::sync::Arc::new(tempfile::tempdir().unwrap());
    let service = Service::start_beside(issuer, vms, folder, &settings).await;
    assert_eq!(service.send_with(&service.issuer.token()).await.status, 201);
}
