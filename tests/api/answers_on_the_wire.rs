//! Answers as networks and gateways deliver them: compressed, in other encodings, too large, broken off. The status counts
//! whatever comes of the body.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use purchase_order_webhook::clock::{Clock as _, between};
use purchase_order_webhook::sandbox::issuer::{AUDIENCE, Issuer};
use purchase_order_webhook::sandbox::vms::SandboxVms;
use serde_json::{Value, json};

use crate::compression::{gzip, raw_deflate, zlib};
use crate::raw_server::{RawAnswer, RawServer, Then};
use crate::support::{ORDERS, Service, cart};

type Header = (&'static str, &'static str);

/// A way in which servers and proxies deliver JSON.
type Delivery = (&'static str, Vec<Header>, fn(&str) -> Vec<u8>);

fn utf16(text: &str) -> Vec<u8> {
    format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn readable_deliveries() -> Vec<Delivery> {
    vec![
        ("plain", vec![], |json| json.as_bytes().to_vec()),
        ("gzip", vec![("content-encoding", "gzip")], |json| gzip(json.as_bytes())),
        ("x-gzip in capitals", vec![("Content-Encoding", "X-GZIP")], |json| gzip(json.as_bytes())),
        ("deflate", vec![("content-encoding", "deflate")], |json| zlib(json.as_bytes())),
        ("deflate without zlib", vec![("content-encoding", "deflate")], |json| raw_deflate(json.as_bytes())),
        ("gzip twice", vec![("content-encoding", "gzip, gzip")], |json| gzip(&gzip(json.as_bytes()))),
        ("in two headers", vec![("content-encoding", "deflate"), ("content-encoding", "gzip")], |json| {
            gzip(&zlib(json.as_bytes()))
        }),
        ("identity", vec![("content-encoding", "identity")], |json| json.as_bytes().to_vec()),
        ("a byte order mark", vec![], |json| format!("\u{feff}{json}").into_bytes()),
        ("a byte order mark in gzip", vec![("content-encoding", "gzip")], |json| {
            gzip(format!("\u{feff}{json}").as_bytes())
        }),
        ("UTF-16", vec![("content-type", "application/json; charset=utf-16")], utf16),
    ]
}

fn unreadable_deliveries() -> Vec<(Delivery, &'static str)> {
    vec![
        (("brotli", vec![("content-encoding", "br")], |_| vec![0x8B, 0x02, 0x80]), "\"br\""),
        (("zstd", vec![("content-encoding", "zstd")], |_| vec![0x28, 0xB5, 0x2F, 0xFD]), "\"zstd\""),
        (
            ("gzip cut off", vec![("content-encoding", "gzip")], |json| gzip(json.as_bytes())[..20].to_vec()),
            "ends early",
        ),
        (("no gzip", vec![("content-encoding", "gzip")], |json| json.as_bytes().to_vec()), "it is not the gzip"),
        (("HTML", vec![], |_| b"<html>sign in</html>".to_vec()), "an HTML page, no JSON"),
        (("half", vec![], |json| json.as_bytes()[..json.len() / 2].to_vec()), "no JSON: EOF"),
    ]
}

/// A service whose 11VMS gives one of these answers to each request, and then 500.
async fn with_vms(answers: Vec<RawAnswer>, settings: &str) -> (Service, RawServer) {
    let answers = Mutex::new(VecDeque::from(answers));
    let next = move || answers.lock().unwrap().pop_front();
    let vms = RawServer::start(move |_| next().unwrap_or_else(|| RawAnswer::whole(500, &[], ""))).await;
    let service = Service::start_with(&format!("target.base_url = {:?}\n{settings}", vms.url())).await;
    (service, vms)
}

async fn first_attempt(service: &Service, number: u32) -> Value {
    service.get(&format!("{ORDERS}/{number}")).await.body["attempts"][0].clone()
}

#[tokio::test]
async fn an_answer_of_11vms_is_read_however_it_is_delivered() {
    let json = "{\"poNumber\":\"4500000001\",\"supplier\":\"Größe\"}";
    let deliveries = readable_deliveries();
    let answers = deliveries.iter().map(|(_, headers, deliver)| RawAnswer::whole(201, headers, deliver(json)));
    let (service, vms) = with_vms(answers.collect(), "").await;
    for (number, (name, _, _)) in (1..).zip(&deliveries) {
        let answer = service.send(&cart(number)).await;
        assert_eq!((answer.status, &answer.body["purchaseOrderNumber"]), (201, &json!("4500000001")), "{name}");
        assert_eq!(answer.body["vms"]["supplier"], "Größe", "{name}");
    }
    assert_eq!(vms.requests().len(), deliveries.len());
}

#[tokio::test]
async fn an_answer_of_11vms_that_can_not_be_read_is_unknown_and_says_why() {
    let json = "{\"poNumber\":\"4500000001\"}";
    let deliveries = unreadable_deliveries();
    let answers = deliveries.iter().map(|((_, headers, deliver), _)| RawAnswer::whole(201, headers, deliver(json)));
    let (service, _vms) = with_vms(answers.collect(), "retry.attempts = 0").await;
    for (number, ((name, _, _), expected)) in (1..).zip(&deliveries) {
        service.send(&cart(number)).await.is_problem(502, "parked");
        let attempt = first_attempt(&service, number).await;
        let detail = attempt["detail"].as_str().unwrap();
        assert_eq!((&attempt["outcome"], &attempt["httpStatus"]), (&json!("unknown"), &json!(201)), "{name}");
        assert!(detail.contains(expected), "{name}: {detail}");
    }
}

#[tokio::test]
async fn a_created_order_is_told_by_no_name_that_occurs_twice() {
    let cases = [
        (201, r#"{"poNumber":"45","poNumber":"46"}"#, "unknown"),
        (201, r#"{"poNumber":"45","poNumber":"45"}"#, "unknown"),
        (200, r#"{"poNumber":null,"poNumber":"46"}"#, "unknown"),
        (201, r#"{"externalId":"other","poNumber":"45","externalId":null}"#, "unknown"),
        (409, r#"{"poNumber":"45","poNumber":"46"}"#, "unknown"),
        (409, r#"{"poNumber":"45","poNumber":null}"#, "unknown"),
        (409, r#"{"poNumber":"45","externalId":null,"externalId":"other"}"#, "unknown"),
        (201, r#"{"poNumber":"45","note":"a","note":"b"}"#, "created"),
        (201, r#"{"poNumber":"45","lines":[{"line":1,"line":2}]}"#, "created"),
        (422, r#"{"message":"no","poNumber":"45","poNumber":"46"}"#, "rejected"),
    ];
    let location = [("location", "/purchase-orders/45")];
    let answers = cases.iter().map(|(status, body, _)| RawAnswer::whole(*status, &location, *body));
    let (service, _vms) = with_vms(answers.collect(), "retry.attempts = 0").await;
    for (number, (status, body, expected)) in (1..).zip(cases) {
        service.send(&cart(number)).await;
        let attempt = first_attempt(&service, number).await;
        assert_eq!(attempt["outcome"], expected, "{status} {body}");
        let detail = attempt["detail"].as_str().unwrap_or_default();
        assert_eq!(detail.contains("\" twice in one object"), expected == "unknown", "{status} {body}: {detail}");
    }
}

#[tokio::test]
async fn of_two_locations_that_differ_neither_has_the_number() {
    let of = |number: &'static str| ("location", number);
    let cases = [
        (vec![of("/purchase-orders/45")], "created"),
        (vec![of("/purchase-orders/45"), of("/purchase-orders/45")], "created"),
        (vec![of("/purchase-orders/45"), of("/purchase-orders/46")], "unknown"),
        (vec![of("/purchase-orders/45"), of("")], "unknown"),
    ];
    let answers = cases.iter().map(|(headers, _)| RawAnswer::whole(201, headers, "{}"));
    let (service, _vms) = with_vms(answers.collect(), "retry.attempts = 0").await;
    for (number, (headers, expected)) in (1..).zip(cases) {
        service.send(&cart(number)).await;
        assert_eq!(first_attempt(&service, number).await["outcome"], expected, "{headers:?}");
    }
}

#[tokio::test]
async fn a_look_up_with_a_name_that_occurs_twice_proves_nothing() {
    let cases = [
        (r#"{"purchaseOrders":[{"externalId":"1","poNumber":"45"}],"purchaseOrders":[]}"#, "purchaseOrders"),
        (r#"{"purchaseOrders":[],"total":1,"total":0}"#, "total"),
        (r#"{"purchaseOrders":[],"page":{"next":"/x","next":null}}"#, "next"),
        (r#"{"purchaseOrders":[{"externalId":"other","externalId":"ID","poNumber":"45"}]}"#, "externalId"),
        (r#"{"purchaseOrders":[{"externalId":"ID","poNumber":"45","lines":[{"a":1,"a":2}]}]}"#, "a"),
    ];
    for (number, (body, name)) in (1..).zip(cases) {
        let body = body.replace("ID", &number.to_string());
        let answers = vec![RawAnswer::whole(503, &[], ""), RawAnswer::whole(200, &[], body.clone())];
        let (service, vms) = with_vms(answers, "retry.attempts = 1").await;
        service.post(cart(number).to_string()).header("prefer", "respond-async").send().await.unwrap();
        service.until(&number.to_string(), "retrying").await;
        while vms.requests().len() < 2 {
            service.clock.advance(Duration::from_secs(40));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        service.until(&number.to_string(), "parked").await;
        let order = service.get(&format!("{ORDERS}/{number}")).await.body;
        let detail = order["attempts"][1]["detail"].as_str().unwrap();
        assert!(detail.contains(&format!("with the name {name:?} twice in one object")), "{body}: {order}");
        assert!(vms.requests()[2..].iter().all(|request| !request.starts_with("POST ")), "{body}");
    }
}

#[tokio::test]
async fn every_request_to_11vms_says_what_can_be_read() {
    let (service, vms) = with_vms(vec![RawAnswer::whole(503, &[], "")], "").await;
    service.post(cart(1).to_string()).header("prefer", "respond-async").send().await.unwrap();
    service.until("1", "retrying").await;
    while vms.requests().len() < 2 {
        service.clock.advance(Duration::from_secs(40));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let requests = vms.requests();
    assert!(requests[0].starts_with("POST ") && requests[1].starts_with("GET "), "{requests:?}");
    for request in requests {
        let head = request.to_ascii_lowercase();
        assert!(head.contains("\r\naccept-encoding: gzip, deflate\r\n"), "{head}");
        assert!(head.contains("\r\naccept: application/json, "), "{head}");
    }
}

/// The issuer's documents, delivered in some way, and the requests for them.
async fn deliver_for_issuer(issuer: &Issuer, headers: Vec<Header>, deliver: fn(&str) -> Vec<u8>) -> RawServer {
    let keys = json!({ "keys": [issuer.jwk()] }).to_string();
    let introspected = json!({
        "active": true, "aud": AUDIENCE, "exp": 4_000_000_000_u64, "client_id": "srm", "scope": "purchase-orders.write",
    });
    let token = json!({ "access_token": "token-of-the-service", "token_type": "Bearer", "expires_in": 3600 });
    RawServer::start(move |request| {
        let host = request.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
        let metadata = json!({ "issuer": format!("http://{host}"), "jwks_uri": format!("http://{host}/jwks") });
        let document = match request.split(' ').nth(1).unwrap() {
            "/jwks" => keys.clone(),
            "/introspect" => introspected.to_string(),
            "/token" => token.to_string(),
            _ => metadata.to_string(),
        };
        RawAnswer::whole(200, &headers, deliver(&document))
    })
    .await
}

/// A service that gets keys, verdicts and its own token from there.
async fn with_issuer(headers: Vec<Header>, deliver: fn(&str) -> Vec<u8>) -> (Service, RawServer) {
    let issuer = Issuer::start().await.unwrap();
    let vms = SandboxVms::start(issuer.clone()).await.unwrap();
    vms.accept_any_token();
    let raw = deliver_for_issuer(&issuer, headers, deliver).await;
    let url = raw.url();
    let settings = format!(
        "auth.issuer = {url:?}\ntarget.oauth2.token_url = \"{url}/token\"\nretry.attempts = 0\n\
         auth.introspection.url = \"{url}/introspect\"\nauth.introspection.client_id = \"service\"\n\
         auth.introspection.client_secret = \"hidden\"\n"
    );
    let service = Service::start_beside(issuer, vms, Arc::new(tempfile::tempdir().unwrap()), &settings).await;
    (service, raw)
}

fn token_of(service: &Service, issuer: &RawServer) -> String {
    let mut claims = service.issuer.claims_at(Timestamp::UNIX_EPOCH);
    claims["iss"] = json!(issuer.url());
    claims["exp"] = json!(4_000_000_000_u64);
    let header = json!({ "alg": "RS256", "typ": "at+jwt", "kid": service.issuer.kid() });
    service.issuer.sign(&header, &claims)
}

#[tokio::test]
async fn metadata_keys_verdicts_and_tokens_are_read_however_they_are_delivered() {
    for (name, headers, deliver) in readable_deliveries() {
        let (service, raw) = with_issuer(headers, deliver).await;
        let answer = service.send_with(&token_of(&service, &raw)).await;
        assert_eq!(answer.status, 201, "{name}: {}", answer.text);
        let answer = service.send_with("an-opaque-token").await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text);
        let requests = raw.requests();
        for path in ["/.well-known/openid-configuration", "/jwks", "/token", "/introspect"] {
            let request = requests.iter().find(|request| request.split(' ').nth(1) == Some(path)).unwrap();
            let head = request.to_ascii_lowercase();
            assert!(
                head.contains("accept-encoding: gzip, deflate") && head.contains("accept: application/json"),
                "{head}"
            );
        }
    }
}

#[tokio::test]
async fn an_issuer_whose_answers_can_not_be_read_is_unavailable_and_no_secret_is_shown() {
    for ((name, headers, deliver), expected) in unreadable_deliveries() {
        let (service, raw) = with_issuer(headers, deliver).await;
        service.send_with(&token_of(&service, &raw)).await.is_problem(503, "issuer-unavailable");
        service.send_with("an-opaque-token").await.is_problem(503, "issuer-unavailable");
        // The caller's token comes from elsewhere: only the service's own token fails.
        let settings = format!("target.oauth2.token_url = \"{}/token\"\nretry.attempts = 0", raw.url());
        let service = Service::start_with(&settings).await;
        service.send(&cart(1)).await.is_problem(502, "parked");
        let attempt = first_attempt(&service, 1).await;
        let detail = attempt["detail"].as_str().unwrap();
        assert_eq!(attempt["outcome"], "not-done", "{name}");
        assert!(detail.contains(expected) && !detail.contains("token-of-the-service"), "{name}: {detail}");
    }
}

#[tokio::test]
async fn of_a_refusal_by_the_token_endpoint_only_known_codes_are_shown() {
    for (body, expected) in [
        (json!({ "error": "invalid_client", "error_description": "webhook-secret" }), "refused: invalid_client"),
        (json!({ "error": "invalid_client_id" }), "refused: invalid_client_id"),
        (json!({ "error": "webhook-secret" }), "refused: with a code of its own"),
        (json!({ "error": "x".repeat(60_000) }), "refused: with a code of its own"),
        (json!({ "error": { "code": "webhook-secret" } }), "answered 400"),
        (json!("webhook-secret"), "answered 400"),
    ] {
        let body = body.to_string();
        let tokens = RawServer::start(move |_| RawAnswer::whole(400, &[], &body)).await;
        let settings = format!("target.oauth2.token_url = {:?}\nretry.attempts = 0", tokens.url());
        let service = Service::start_with(&settings).await;
        service.send(&cart(1)).await.is_problem(502, "parked");
        let order = service.get(&format!("{ORDERS}/1")).await;
        assert!(order.text.contains(expected) && !order.text.contains("webhook-secret"), "{}", order.text);
        assert!(order.text.len() < 3_000);
    }
}

/// Errors of many items, in so many bytes or a little more.
fn errors(bytes: usize) -> String {
    let one = json!({ "code": "E1", "message": "the material is not known in this plant, and no one has it on stock" });
    let count = bytes / one.to_string().len() + 1;
    json!({ "message": "many items are wrong", "errors": vec![one; count] }).to_string()
}

#[tokio::test]
async fn the_status_of_a_refusal_counts_whatever_comes_of_its_body() {
    const MIB: usize = 1024 * 1024;
    let small = errors(1_000);
    let gzipped = [("content-encoding", "gzip")];
    let cases = [
        ("300 KB", RawAnswer::whole(422, &[], errors(300_000))),
        ("6 MiB", RawAnswer::whole(422, &[], errors(6 * MIB))),
        ("broken off", RawAnswer::announcing(100_000, 422, &[], &small)),
        ("no body after all", RawAnswer::announcing(100, 422, &[], "")),
        ("gzip cut off", RawAnswer::whole(422, &gzipped, &gzip(small.as_bytes())[..60])),
        ("gzip bomb", RawAnswer::whole(422, &gzipped, gzip(&vec![b' '; 5 * MIB]))),
        ("brotli", RawAnswer::whole(422, &[("content-encoding", "br")], "x")),
        ("HTML", RawAnswer::whole(422, &[], "<html>no</html>")),
        ("stalled", RawAnswer::announcing(100_000, 422, &[], &small).then(Then::Stall)),
    ];
    let answers = cases.iter().map(|(_, answer)| answer.clone()).collect();
    let (service, vms) = with_vms(answers, "target.timeout = \"3s\"").await;
    for (number, (name, _)) in (1..).zip(&cases) {
        let answer = service.send(&cart(number)).await;
        answer.is_problem(422, "refused-by-11vms");
        assert!(answer.text.len() < MIB, "{name}: {} bytes", answer.text.len());
        if *name == "300 KB" {
            assert!(answer.body["vms"]["errors"].as_array().unwrap().len() > 1_000, "11VMS's own answer, whole");
        }
        let order = service.get(&format!("{ORDERS}/{number}")).await;
        assert_eq!((&order.body["state"], order.text.len() < MIB), (&json!("rejected"), true), "{name}");
    }
    assert_eq!(vms.requests().len(), cases.len(), "each order is sent once");
}

#[tokio::test]
async fn the_number_of_a_created_order_is_found_in_a_large_echo() {
    let item = json!({ "description": "x".repeat(1_500), "quantity": 1 });
    let echo = json!({ "items": vec![item; 500], "poNumber": "4500000001" }).to_string();
    assert!(echo.len() > 700_000);
    let (service, vms) = with_vms(vec![RawAnswer::whole(201, &[], &echo)], "").await;
    let answer = service.send(&cart(1)).await;
    assert_eq!((answer.status, &answer.body["purchaseOrderNumber"]), (201, &json!("4500000001")));
    assert!(answer.body["vms"].as_str().unwrap().contains("more than 512 KiB"), "what is stored is bounded");
    assert_eq!(vms.requests().len(), 1);
}

#[tokio::test]
async fn a_created_order_whose_number_was_not_read_is_unknown_and_says_why() {
    let echo = json!({ "poNumber": "4500000001", "items": "x".repeat(2_000) }).to_string();
    let cases = [
        (RawAnswer::whole(201, &[], format!("{echo}{}", " ".repeat(9_000))), "sent more than 8192 bytes"),
        (RawAnswer::announcing(8_000, 201, &[], &echo), "broke off after 2036 bytes: "),
        (
            RawAnswer::announcing(8_000, 201, &[], &echo).then(Then::Stall),
            "broke off after 2036 bytes: it was not whole within the time-out",
        ),
    ];
    let answers = cases.iter().map(|(answer, _)| answer.clone()).collect();
    let settings = "retry.attempts = 0\ntarget.max_answer = \"8KiB\"\ntarget.timeout = \"3s\"";
    let (service, _vms) = with_vms(answers, settings).await;
    for (number, (_, expected)) in (1..).zip(&cases) {
        service.send(&cart(number)).await.is_problem(502, "parked");
        let attempt = first_attempt(&service, number).await;
        assert_eq!((&attempt["outcome"], &attempt["httpStatus"]), (&json!("unknown"), &json!(201)), "{expected}");
        let detail = attempt["detail"].as_str().unwrap();
        assert!(detail.contains(expected), "{expected}: {detail}");
    }
}

#[tokio::test]
async fn retry_after_counts_though_the_body_breaks_off() {
    let values: [&[&str]; 4] = [&["120.5"], &["+121"], &["60", "121"], &[" 121; "]];
    for (status, outcome) in [(429, "not-done"), (503, "unknown")] {
        let answer = |values: &&[&str]| {
            let headers: Vec<_> = values.iter().map(|value| ("retry-after", *value)).collect();
            RawAnswer::announcing(5_000, status, &headers, "{\"message\":\"slow down")
        };
        let (service, _vms) = with_vms(values.iter().map(answer).collect(), "").await;
        for (number, values) in (1..).zip(values) {
            let id = number.to_string();
            service.post(cart(number).to_string()).header("prefer", "respond-async").send().await.unwrap();
            let order = service.until(&id, "retrying").await;
            let attempt = &order["attempts"][0];
            assert_eq!((&attempt["outcome"], &attempt["httpStatus"]), (&json!(outcome), &json!(status)));
            let next: Timestamp = order["nextAttemptAt"].as_str().unwrap().parse().unwrap();
            assert_eq!(between(service.clock.now(), next), Duration::from_secs(121), "{status} {values:?}");
        }
    }
}
