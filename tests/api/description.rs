//! The description is true: each example of a request gets the status that it documents, each example of an answer is what the
//! app answers, and every answer is as its schema says.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use purchase_order_webhook::clock::{Clock as _, ManualClock};
use purchase_order_webhook::sandbox::issuer::Issuer;
use purchase_order_webhook::sandbox::vms::{Effect, SandboxVms};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::json_schema::mistakes;
use crate::support::{Answer, ORDERS, Service};

/// The order of the example.
const ID: &str = "005056a207c81ed1bfc6b69e72f50550";

const PROBLEM: &str = "application/problem+json";

/// What differs from run to run.
const CHANGING: [&str; 7] =
    ["mappingVersion", "mappingSince", "requestId", "fetchedAt", "address", "resource", "resource_documentation"];

static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/openapi.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
});

fn example(name: &str) -> &'static Value {
    &DESCRIPTION["components"]["examples"][name]["value"]
}

/// Follows a reference.
fn resolved(value: &'static Value) -> &'static Value {
    value.get("$ref").map_or(value, |target| {
        DESCRIPTION.pointer(target.as_str().unwrap().trim_start_matches('#')).expect("a reference leads somewhere")
    })
}

fn response(path: &str, method: &str, status: u16) -> &'static Value {
    let responses = &DESCRIPTION["paths"][path][method]["responses"];
    resolved(responses.get(status.to_string()).unwrap_or_else(|| panic!("{method} {path} does not describe {status}")))
}

/// Asserts that an answer is as described: status, headers, media type and schema.
#[track_caller]
fn is_described(path: &str, method: &str, answer: &Answer) {
    let response = response(path, method, answer.status);
    let media_type = answer.header("content-type").split(';').next().unwrap().to_owned();
    let content = response["content"].get(&media_type);
    let schema = &content.unwrap_or_else(|| panic!("{path} does not describe {media_type}"))["schema"];
    assert_eq!(mistakes(&DESCRIPTION, schema, &answer.body), Vec::<String>::new(), "{}", answer.text);
    let described: BTreeSet<String> =
        response["headers"].as_object().unwrap().keys().map(|name| name.to_ascii_lowercase()).collect();
    for name in ["location", "retry-after", "www-authenticate", "preference-applied", "idempotency-replayed", "allow"] {
        let is_there = answer.headers.contains_key(name);
        assert!(!is_there || described.contains(name), "{method} {path} {} does not describe {name}", answer.status);
    }
    assert!(["x-request-id", "api-version", "smart-id"].iter().all(|name| described.contains(*name)));
}

/// Asserts that an answer is as described, and as its example is.
#[track_caller]
fn is_example(path: &str, method: &str, status: u16, name: &str, answer: &Answer) {
    assert_eq!(answer.status, status, "{}", answer.text);
    is_described(path, method, answer);
    let examples = &response(path, method, status)["content"]["application/json"]["examples"];
    assert!(examples.get(name).is_some(), "{method} {path} {status} does not have the example {name}");
    if fixed(example(name)) != fixed(&answer.body) {
        let shown = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/api-examples");
        std::fs::create_dir_all(&shown).unwrap();
        let file = shown.join(format!("{name}.json"));
        std::fs::write(&file, serde_json::to_string_pretty(&answer.body).unwrap() + "\n").unwrap();
        panic!("the app answers otherwise than {name}.json of src/api/description/examples: see {}", file.display());
    }
}

fn fixed(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let member = |(name, inner): (&String, &Value)| {
                let inner = if CHANGING.contains(&name.as_str()) { json!("…") } else { fixed(inner) };
                (name.clone(), inner)
            };
            map.iter().map(member).collect()
        }
        Value::Array(list) => list.iter().map(fixed).collect(),
        // The issuer's port.
        Value::String(text) if text.starts_with("http://127.0.0.1") || text == "https://issuer.example" => json!("…"),
        other => other.clone(),
    }
}

async fn start(settings: &str) -> Service {
    let clock = ManualClock::at("2026-03-02T09:30:00Z".parse().unwrap());
    let issuer = Issuer::start().await.unwrap();
    let vms = SandboxVms::start(issuer.clone()).await.unwrap();
    let settings = format!("retry.jitter = 0\n{settings}");
    Service::start_at(clock, issuer, vms, Arc::new(tempfile::tempdir().unwrap()), &settings).await
}

/// A service whose first attempt at the example's cart failed, and that tries no other by itself.
async fn with_a_parked_order(effect: Effect) -> Service {
    let service = start("retry.attempts = 0\ntarget.unknown_grace = \"0s\"").await;
    service.vms.next(effect);
    let answer = of(service.post(example("cart").to_string())).await;
    assert_eq!(answer.status, 502, "{}", answer.text);
    is_described(ORDERS, "post", &answer);
    service.clock.advance(Duration::from_mins(1));
    service
}

/// A request of a person who signed in at a client of its own.
fn request(service: &Service, method: Method, path: &str) -> RequestBuilder {
    let mut claims = service.issuer.claims_at(service.clock.now());
    claims["sub"] = json!("m.mueller");
    claims["client_id"] = json!("operations-desk");
    let token = service.issuer.sign(&json!({ "alg": "RS256", "typ": "at+jwt", "kid": service.issuer.kid() }), &claims);
    let request = service.client.request(method, service.url(&format!("{ORDERS}{path}"))).bearer_auth(token);
    request.header("content-type", "application/json")
}

async fn of(request: RequestBuilder) -> Answer {
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn a_cart_its_order_its_lists_and_its_preview_are_as_in_the_examples() {
    let service = start("").await;
    let cart = example("cart");
    let preview = of(request(&service, Method::POST, "/preview").body(cart.to_string())).await;
    is_example("/v2/purchase-orders/preview", "post", 200, "preview", &preview);
    is_example(ORDERS, "post", 201, "order-created", &of(service.post(cart.to_string())).await);
    is_example(ORDERS, "post", 200, "order-created", &of(service.post(cart.to_string())).await);
    is_example(ORDERS, "get", 200, "order-list", &service.get(&format!("{ORDERS}?cartNumber=1000004711")).await);
    is_example("/v2/purchase-orders/{id}", "get", 200, "order-detail", &service.get(&format!("{ORDERS}/{ID}")).await);
    is_example("/v2/audit", "get", 200, "audit-list", &service.get("/v2/audit").await);
    let replayed = of(request(&service, Method::POST, &format!("/{ID}/replay"))).await;
    is_example("/v2/purchase-orders/{id}/replay", "post", 200, "order-created", &replayed);
    let split = of(service.post(example("cart-split").to_string())).await;
    assert_eq!(split.status, 201, "{}", split.text);
    is_described(ORDERS, "post", &split);
}

#[tokio::test]
async fn a_caller_that_does_not_wait_gets_what_the_example_shows() {
    let service = start("").await;
    let answer = of(service.post(example("cart").to_string()).header("prefer", "respond-async")).await;
    is_example(ORDERS, "post", 202, "order-accepted", &answer);
}

#[tokio::test]
async fn an_open_order_says_when_there_is_news() {
    let service = start("").await;
    service.vms.next(Effect::status(503));
    let sent = of(service.post(example("cart").to_string()).header("prefer", "wait=10"));
    let (answer, ()) = tokio::join!(sent, async {
        service.until(ID, "retrying").await;
        service.clock.advance(Duration::from_secs(10));
    });
    is_example(ORDERS, "post", 202, "order-retrying", &answer);
    assert_eq!(answer.header("retry-after"), "20");
    let shown = service.get(&format!("{ORDERS}/{ID}")).await;
    is_described("/v2/purchase-orders/{id}", "get", &shown);
    assert_eq!(shown.header("retry-after"), "20");
}

#[tokio::test]
async fn a_batch_is_answered_as_in_the_example() {
    let service = start("").await;
    let batch = of(request(&service, Method::POST, "/batch").body(example("batch").to_string())).await;
    is_example("/v2/purchase-orders/batch", "post", 200, "batch-results", &batch);
    let lines = service.client.post(service.url(&format!("{ORDERS}/batch"))).bearer_auth(service.token());
    let lines = lines.header("content-type", "application/x-ndjson").body(example("batch-lines").as_str().unwrap());
    let answer = of(lines).await;
    assert_eq!((answer.status, answer.body["results"][0]["status"].as_u64()), (200, Some(200)), "{}", answer.text);
    is_described("/v2/purchase-orders/batch", "post", &answer);
}

#[tokio::test]
async fn a_parked_order_is_tried_again_or_settled_as_in_the_examples() {
    let service = with_a_parked_order(Effect::status(429)).await;
    let answer = of(request(&service, Method::POST, &format!("/{ID}/replay"))).await;
    is_example("/v2/purchase-orders/{id}/replay", "post", 201, "order-replayed", &answer);

    let path = format!("/{ID}/resolve");
    let service = with_a_parked_order(Effect::HangUpAfter).await;
    let body = example("resolve-with-number").to_string();
    let answer = of(request(&service, Method::POST, &path).body(body.clone())).await;
    is_example("/v2/purchase-orders/{id}/resolve", "post", 200, "order-resolved", &answer);

    let service = with_a_parked_order(Effect::status(429)).await;
    let cancelled = of(request(&service, Method::POST, &path).body(example("resolve-as-cancelled").to_string())).await;
    assert_eq!((cancelled.status, &cancelled.body["state"]), (200, &json!("cancelled")), "{}", cancelled.text);
    is_described("/v2/purchase-orders/{id}/resolve", "post", &cancelled);
    let answer = of(request(&service, Method::POST, &path).body(body)).await;
    answer.is_problem(409, "already-settled");
    is_described("/v2/purchase-orders/{id}/resolve", "post", &answer);
}

#[tokio::test]
async fn what_needs_no_token_is_answered_as_in_the_examples() {
    let service = start("").await;
    // The first token has the issuer's keys fetched, of which the readiness tells.
    service.get(ORDERS).await;
    let public = |path: &'static str| of(service.client.get(service.url(path)));
    is_example("/livez", "get", 200, "alive", &public("/livez").await);
    is_example("/readyz", "get", 200, "ready", &public("/readyz").await);
    let metadata = "/.well-known/oauth-protected-resource";
    is_example(metadata, "get", 200, "protected-resource", &public(metadata).await);
    for path in ["/openapi.json", "/openapi-3.0.json"] {
        is_described(path, "get", &public(path).await);
    }
    let metrics = of(service.client.get(format!("http://{}/metrics", service.management))).await;
    assert_eq!(metrics.status, 200);
    assert!(response("/metrics", "get", 200)["content"].get("text/plain").is_some());
    assert!(metrics.header("content-type").starts_with("text/plain"), "{}", metrics.header("content-type"));
}

#[tokio::test]
async fn an_id_that_leads_nowhere_points_to_the_search_by_cart_number() {
    let service = start("").await;
    of(service.post(example("cart").to_string())).await;
    let answer = service.get(&format!("{ORDERS}/1000004711")).await;
    answer.is_problem(404, "not-found");
    assert!(answer.body["detail"].as_str().unwrap().contains("?cartNumber="), "{}", answer.text);
    is_described("/v2/purchase-orders/{id}", "get", &answer);
}

#[tokio::test]
async fn a_caller_is_told_to_come_back_when_the_breaker_lets_attempts_begin() {
    let service = start("target.breaker_failures = 1\ntarget.breaker_pause = \"60s\"").await;
    service.vms.next(Effect::status(503));
    let sent = of(service.post(example("cart").to_string()).header("prefer", "respond-async")).await;
    assert_eq!(sent.status, 202);
    service.until(ID, "retrying").await;
    let answer = of(service.post(example("cart-split").to_string()).header("prefer", "respond-async")).await;
    assert_eq!((answer.status, answer.header("retry-after")), (202, "60"), "{}", answer.text);
    let other = answer.body["id"].as_str().unwrap();
    assert_eq!(service.get(&format!("{ORDERS}/{other}")).await.header("retry-after"), "60");
    // The first order's own next attempt would be in 30 s; the breaker lets none begin before.
    assert_eq!(service.get(&format!("{ORDERS}/{ID}")).await.header("retry-after"), "60");
}

/// What SAP API Management refuses, at any depth.
fn refused(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                if matches!(name.as_str(), "links" | "externalDocs") {
                    found.push(format!("{at}/{name}"));
                }
                if name == "$ref" && !inner.as_str().unwrap().starts_with("#/components/") {
                    found.push(format!("{at}: {inner}"));
                }
                refused(inner, &format!("{at}/{name}"), found);
            }
        }
        Value::Array(list) => list.iter().for_each(|inner| refused(inner, at, found)),
        Value::String(text) if at.ends_with("/description") => {
            let is_address = |rest: &str| rest.starts_with(|c: char| c.is_alphanumeric());
            if ["](", "<img", "<a "].iter().any(|part| text.contains(part)) || text.split("://").skip(1).any(is_address)
            {
                found.push(format!("{at}: {text}"));
            }
        }
        _ => {}
    }
}

#[test]
fn the_3_0_description_has_nothing_that_api_management_refuses() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/openapi-3.0.json");
    let document: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let mut found = Vec::new();
    refused(&document, "", &mut found);
    assert_eq!(found, Vec::<String>::new());
    assert!(document["info"]["title"].as_str().unwrap().len() <= 80);
    assert!(document["x-sap-shortText"].as_str().unwrap().len() <= 180);
    for operation in document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values())
    {
        assert!(operation.get("summary").is_none_or(|summary| summary.as_str().unwrap().len() <= 80), "{operation}");
    }
}

#[test]
fn every_problem_has_a_sample_that_is_one() {
    let schema = &DESCRIPTION["components"]["schemas"]["Problem"];
    for kind in purchase_order_webhook::problem::ProblemKind::ALL {
        let sample = example(kind.name);
        assert_eq!(sample["status"], kind.status.as_u16(), "{}", kind.name);
        assert_eq!(mistakes(&DESCRIPTION, schema, sample), Vec::<String>::new(), "{}", kind.name);
    }
    // Those that callers really got.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/problems");
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let Some((_, body)) = text.rsplit_once("\n\n{") else { continue };
        let body: Value = serde_json::from_str(&format!("{{{body}")).unwrap();
        assert_eq!(mistakes(&DESCRIPTION, schema, &body), Vec::<String>::new(), "{body}");
    }
}

#[test]
fn every_example_of_a_response_is_as_its_schema_says() {
    let mut looked_at = 0;
    for (path, item) in DESCRIPTION["paths"].as_object().unwrap() {
        for (method, operation) in
            item.as_object().unwrap().iter().filter(|(name, _)| *name == "get" || *name == "post")
        {
            let responses = operation["responses"].as_object().unwrap().values().map(resolved);
            let bodies = responses.chain(operation.get("requestBody"));
            let contents = bodies.filter_map(|body| body.get("content").and_then(Value::as_object));
            for content in contents.flat_map(|content| content.values()) {
                for example in
                    content.get("examples").and_then(Value::as_object).into_iter().flat_map(|all| all.values())
                {
                    let value = &resolved(example)["value"];
                    let found = mistakes(&DESCRIPTION, &content["schema"], value);
                    assert_eq!(found, Vec::<String>::new(), "{method} {path}");
                    looked_at += 1;
                }
            }
        }
    }
    assert!(looked_at > 200, "{looked_at}");
    assert!(DESCRIPTION["components"]["responses"]["invalid-token"]["content"].get(PROBLEM).is_some());
}
