//! Token endpoints as they are: they throttle, answer in their own forms, and repeat what they should not.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use purchase_order_webhook::sandbox::issuer::Issuer;
use purchase_order_webhook::sandbox::vms::SandboxVms;
use serde_json::Value;

use crate::log_lines::LogLines;
use crate::raw_server::{RawAnswer, RawServer};
use crate::support::{ORDERS, Service, cart};

const TOKEN: &str = r#"{"access_token":"s3cret-token","token_type":"Bearer","expires_in":3600}"#;

/// A service whose token endpoint is this one, beside an 11VMS that takes any token.
async fn beside(endpoint: &RawServer, settings: &str) -> Service {
    let issuer = Issuer::start().await.unwrap();
    let vms = SandboxVms::start(issuer.clone()).await.unwrap();
    vms.accept_any_token();
    let settings = format!("target.oauth2.token_url = \"{}/token\"\n{settings}", endpoint.url());
    Service::start_beside(issuer, vms, Arc::new(tempfile::tempdir().unwrap()), &settings).await
}

/// An endpoint that gives these answers one after the other, and tokens from then on.
async fn scripted(answers: Vec<RawAnswer>) -> RawServer {
    let answers = Mutex::new(answers.into_iter());
    RawServer::start(move |_| answers.lock().unwrap().next().unwrap_or_else(|| RawAnswer::whole(200, &[], TOKEN))).await
}

async fn send_later(service: &Service, number: u32) {
    let request = service.post(cart(number).to_string()).header("prefer", "respond-async");
    assert_eq!(request.send().await.unwrap().status(), 202);
}

/// Waits until an endpoint has had so many requests.
async fn until_asked(endpoint: &RawServer, count: usize) {
    for _ in 0..2_000 {
        if endpoint.requests().len() >= count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the endpoint was asked {} times", endpoint.requests().len());
}

/// Waits until one of these orders waits for a time that has not come: the pause has begun. Those that came after its begin are accepted,
/// and begin no attempt before its end.
async fn until_paused(service: &Service, ids: &[&str]) {
    for _ in 0..2_000 {
        for id in ids {
            let order = service.get(&format!("{ORDERS}/{id}")).await.body;
            let next = order["nextAttemptAt"].as_str().filter(|_| order["state"] == "retrying");
            let next: Option<jiff::Timestamp> = next.map(|next| next.parse().unwrap());
            if next.is_some_and(|next| next > purchase_order_webhook::clock::Clock::now(&*service.clock)) {
                return;
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("no order waits for the end of the pause");
}

#[tokio::test]
async fn a_token_endpoint_that_throttles_is_left_alone_by_all_orders_and_no_attempt_is_used_up() {
    for (status, form) in [(429, "seconds"), (503, "seconds"), (429, "date")] {
        let now = purchase_order_webhook::clock::ManualClock::default();
        let asked = purchase_order_webhook::clock::Clock::now(&now);
        let value = match form {
            "seconds" => "6".to_owned(),
            _ => httpdate::fmt_http_date((asked + Duration::from_secs(6)).into()),
        };
        let busy = RawAnswer::whole(status, &[("retry-after", &value)], "s3cret-token");
        let endpoint = scripted(vec![busy.clone(), RawAnswer::whole(429, &[("retry-after", "6")], "")]).await;
        let service = beside(&endpoint, "retry.attempts = 0").await;
        for number in 1..=3 {
            send_later(&service, number).await;
        }
        until_paused(&service, &["1", "2", "3"]).await;
        let waiting = service.until("1", "retrying").await;
        assert!(
            waiting["nextAttemptAt"].is_string() && waiting["attempts"].as_array().unwrap().is_empty(),
            "{waiting}"
        );
        for number in 4..=5 {
            send_later(&service, number).await;
        }
        service.clock.advance(Duration::from_millis(5_900));
        assert_eq!(endpoint.requests().len(), 1, "{status} by {form}: before the end of the pause");
        let ready = service.client.get(service.url("/readyz")).send().await.unwrap().text().await.unwrap();
        assert!(ready.contains("target-token-unavailable"), "{ready}");
        service.clock.advance(Duration::from_millis(200));
        until_asked(&endpoint, 2).await;
        until_paused(&service, &["1", "2", "3", "4", "5"]).await;
        service.clock.advance(Duration::from_millis(5_900));
        assert_eq!(endpoint.requests().len(), 2, "{status} by {form}: before the end of the second pause");
        service.clock.advance(Duration::from_millis(200));
        for number in 1..=5 {
            let order = service.until(&number.to_string(), "created").await;
            assert_eq!(order["attempts"].as_array().unwrap().len(), 1, "{order}");
        }
        assert_eq!(endpoint.requests().len(), 3, "one token for all");
        let ready = service.client.get(service.url("/readyz")).send().await.unwrap().text().await.unwrap();
        assert!(!ready.contains("target-token-unavailable"), "{ready}");
        let metrics = service.client.get(format!("http://{}/metrics", service.management)).send().await.unwrap();
        let metrics = metrics.text().await.unwrap();
        assert!(metrics.contains("operation=\"token\",http_response_status_code=\"429\""), "{metrics}");
        assert!(!metrics.contains("purchase_order_attempts_total{outcome=\"not-done\"} 1"), "{metrics}");
    }
}

#[tokio::test]
async fn a_caller_that_waits_is_told_when_its_order_is_sent() {
    let endpoint = scripted(vec![RawAnswer::whole(429, &[("retry-after", "60")], "")]).await;
    let service = beside(&endpoint, "retry.attempts = 0\nserver.deadline = \"1s\"").await;
    let request = service.post(cart(1).to_string());
    let call = tokio::spawn(request.send());
    service.until("1", "retrying").await;
    service.clock.advance(Duration::from_secs(2));
    let answer = call.await.unwrap().unwrap();
    assert_eq!(answer.status(), 202);
    let wait: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((50..=60).contains(&wait), "{wait}");
}

#[tokio::test]
async fn throttling_after_a_refused_token_uses_up_no_attempt() {
    let token = || RawAnswer::whole(200, &[], TOKEN);
    let endpoint = scripted(vec![token(), RawAnswer::whole(429, &[("retry-after", "6")], "")]).await;
    let service = beside(&endpoint, "retry.attempts = 0").await;
    assert_eq!(service.send(&cart(1)).await.status, 201);
    service.vms.next(purchase_order_webhook::sandbox::vms::Effect::status(401));
    send_later(&service, 2).await;
    service.until("2", "retrying").await;
    service.clock.advance(Duration::from_secs(7));
    let order = service.until("2", "created").await;
    assert_eq!(order["attempts"].as_array().unwrap().len(), 1, "{order}");
    assert_eq!(endpoint.requests().len(), 3);
}

#[tokio::test]
async fn an_answer_that_breaks_the_standard_in_small_ways_has_a_token() {
    for body in [
        r#"{"access_token":"t","expires_in":"3599"}"#,
        r#"{"access_token":"t","expires_in":3599.0,"token_type":"BearerToken","scope":["a"]}"#,
        r#"{"access_token":"t","expires_in":-1,"token_type":null,"refresh_token":{"a":1}}"#,
        "\u{feff}{\"access_token\":\"t\",\"expires_in\":9223372036854775807,\"id_token\":7}",
    ] {
        let endpoint = RawServer::start(move |_| RawAnswer::whole(200, &[], body)).await;
        let service = beside(&endpoint, "retry.attempts = 0").await;
        assert_eq!(service.send(&cart(1)).await.status, 201, "{body}");
        // Where the lifetime is in doubt, a token is renewed soon.
        service.clock.advance(Duration::from_mins(6));
        assert_eq!(service.send(&cart(2)).await.status, 201, "{body}");
        let is_in_doubt = !body.contains("3599");
        assert_eq!(endpoint.requests().len(), 1 + usize::from(is_in_doubt), "{body}");
    }
}

#[tokio::test]
async fn no_value_of_a_token_answer_reaches_a_caller_the_order_or_the_log() {
    const SECRET: &str = "s3cret-token";
    let lines = LogLines::default();
    let _guard = tracing::subscriber::set_default(lines.subscriber());
    let asked = Arc::new(AtomicUsize::new(0));
    let bodies = [
        (200, format!("\"{SECRET}\"")),
        (200, format!("\u{feff}\"{SECRET}\"")),
        (200, SECRET.to_owned()),
        (200, format!("<html>{SECRET}")),
        (200, format!("{{\"access_token\":[\"{SECRET}\"]}}")),
        (200, format!("{{\"access_token\":\"{SECRET}\"")),
        (200, format!("{{\"error\":{{\"message\":\"{SECRET}\"}}}}")),
        (401, format!("{{\"error\":\"{SECRET}{SECRET}{SECRET}{SECRET}{SECRET}{SECRET}\"}}")),
        (401, format!("{{\"error\":\"wrong secret: webhook-secret\",\"error_description\":\"{SECRET}\"}}")),
        (429, format!("{{\"error\":\"a\\n{SECRET}\"}}")),
    ];
    for (at, (status, body)) in bodies.into_iter().enumerate() {
        let (asked, sent) = (Arc::clone(&asked), body.clone());
        let endpoint = RawServer::start(move |_| {
            asked.fetch_add(1, Ordering::SeqCst);
            let header = format!("text/html; charset={SECRET}");
            let coding = if sent.starts_with("<html>") { SECRET } else { "identity" };
            RawAnswer::whole(
                status,
                &[("content-type", &header), ("content-encoding", coding), ("x-token", SECRET)],
                &sent,
            )
        })
        .await;
        let service = beside(&endpoint, "retry.attempts = 0\nserver.deadline = \"200ms\"").await;
        send_later(&service, 1).await;
        let order = service.until("1", if status == 429 { "retrying" } else { "parked" }).await.to_string();
        let listed = service.get(ORDERS).await.text;
        let problem = if status == 429 { String::new() } else { service.send(&cart(1)).await.text };
        for text in [&order, &listed, &problem] {
            assert!(!text.contains("s3cret") && !text.contains("webhook-secret"), "{at} {body}: {text}");
        }
        assert!(status == 429 || order.contains("the token endpoint"), "{order}");
    }
    assert!(asked.load(Ordering::SeqCst) >= 10);
    let logged = lines.take();
    assert!(logged.contains("the token endpoint throttles"), "{logged}");
    assert!(!logged.contains("s3cret") && !logged.contains("webhook-secret"), "{logged}");
}

/// What an endpoint repeats of a request.
type Repetition = Box<dyn Fn(&str) -> String + Send + Sync>;

#[tokio::test]
async fn an_error_code_that_repeats_what_was_sent_in_any_form_is_not_told() {
    let settings = "target.oauth2.client_secret = \"s3cret=42/+\"\n\
        target.oauth2.parameters = { api_key = \"k3y-of-ours\" }\ntarget.oauth2.client_id = \"x\"";
    // Of the header and of the body, as they were sent.
    let form = |request: &str, name: &str| {
        let (_, body) = request.split_once("\r\n\r\n").unwrap();
        body.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}="))).unwrap_or_default().to_owned()
    };
    let basic = |request: &str| {
        let header = request.lines().find_map(|line| line.strip_prefix("authorization: Basic "));
        header.unwrap_or_default().trim_end().to_owned()
    };
    let table: [(&str, &str, Repetition); 6] = [
        ("the pair of Basic", "basic", Box::new(basic)),
        ("the secret of the pair", "basic", Box::new(|_: &str| "x:s3cret%3D42%2F%2B".to_owned())),
        ("the secret", "basic", Box::new(|_: &str| "s3cret=42/+".to_owned())),
        ("the secret of the form", "post", Box::new(move |request: &str| form(request, "client_secret"))),
        ("a parameter", "basic", Box::new(move |request: &str| form(request, "api_key"))),
        ("a parameter, percent-encoded", "basic", Box::new(|_: &str| "k%33y%2Dof%2Dours".to_owned())),
    ];
    for (what, auth, repeated) in table {
        let seen = Arc::new(Mutex::new(String::new()));
        let told = Arc::clone(&seen);
        let endpoint = RawServer::start(move |request| {
            let text = repeated(request);
            *told.lock().unwrap() = text.clone();
            RawAnswer::whole(401, &[], serde_json::json!({ "error": format!("wrong: {text}") }).to_string())
        })
        .await;
        let service =
            beside(&endpoint, &format!("{settings}\ntarget.oauth2.auth = {auth:?}\nretry.attempts = 0")).await;
        let refused = service.send(&cart(1)).await;
        refused.is_problem(502, "parked");
        let text = seen.lock().unwrap().clone();
        assert!(text.len() >= 8 && !refused.text.contains(&text), "{what}: {}", refused.text);
        assert!(refused.text.contains("with a code of its own, which is not shown"), "{what}: {}", refused.text);
    }
}

#[tokio::test]
async fn a_secret_that_was_rotated_during_the_call_is_not_told_either() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "s3cret-before").unwrap();
    let path = file.clone();
    let endpoint = RawServer::start(move |_| {
        std::fs::write(&path, "another-one").unwrap();
        RawAnswer::whole(401, &[], r#"{"error":"wrong: s3cret-before"}"#)
    })
    .await;
    let service = beside(&endpoint, &format!("target.oauth2.client_secret_file = {file:?}\nretry.attempts = 0")).await;
    let refused = service.send(&cart(1)).await;
    refused.is_problem(502, "parked");
    assert!(!refused.text.contains("s3cret-before"), "{}", refused.text);
}

#[tokio::test]
async fn an_encoded_secret_in_the_header_says_that_it_is_encoded() {
    let settings = "target.oauth2.client_id = \"sb-app!b12|srm!t3\"\ntarget.oauth2.client_secret = \"x$y=+/z\"";
    for (auth, is_said) in [("basic", true), ("post", false)] {
        let endpoint = scripted(Vec::new()).await;
        let service = beside(&endpoint, &format!("{settings}\ntarget.oauth2.auth = {auth:?}")).await;
        assert_eq!(service.send(&cart(1)).await.status, 201);
        let request = endpoint.requests().remove(0);
        assert_eq!(request.contains("x-cf-encoded-credentials: true"), is_said, "{request}");
        let encoded = STANDARD.encode("sb-app%21b12%7Csrm%21t3:x%24y%3D%2B%2Fz");
        assert_eq!(request.contains(&format!("authorization: Basic {encoded}")), is_said, "{request}");
    }
}

#[tokio::test]
async fn further_parameters_are_sent_as_they_are() {
    let endpoint = scripted(Vec::new()).await;
    let service = beside(
        &endpoint,
        "target.oauth2.parameters = { resource = \"https://vms.example/a?b=c d\", token_format = \"jwt\" }",
    )
    .await;
    assert_eq!(service.send(&cart(1)).await.status, 201);
    let request = endpoint.requests().remove(0);
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    let form: Vec<(String, String)> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    for (name, value) in
        [("grant_type", "client_credentials"), ("resource", "https://vms.example/a?b=c d"), ("token_format", "jwt")]
    {
        assert!(form.contains(&(name.to_owned(), value.to_owned())), "{name}: {form:?}");
    }
    assert_eq!(form.len(), 3, "{form:?}");
}

#[test]
fn a_parameter_that_the_service_sends_itself_is_refused_by_name() {
    for (name, setting) in [
        ("grant_type", "target.oauth2.grant"),
        ("client_id", "target.oauth2.client_id"),
        ("client_secret", "target.oauth2.client_secret"),
        ("Client_Secret", "target.oauth2.client_secret"),
        ("client_assertion", "target.oauth2.private_key"),
        ("client_assertion_type", "target.oauth2.auth"),
        ("assertion", "target.oauth2.private_key"),
        ("scope", "target.oauth2.scopes"),
        ("audience", "target.oauth2.audience"),
    ] {
        let found = crate::support::mistakes(&format!("target.oauth2.parameters = {{ {name} = \"s3cret\" }}"));
        let expected =
            format!("target.oauth2.parameters.{name}: the service sends the parameter {name} itself; use {setting}");
        assert!(found.len() == 1 && found[0].ends_with(&expected) && !found[0].contains("s3cret"), "{found:?}");
    }
    let found = crate::support::mistakes("target.oauth2.parameters = { resource = [\"a\"] }");
    assert!(found.len() == 1 && found[0].contains("a parameter's name and a text"), "{found:?}");
    assert_eq!(crate::support::mistakes("target.oauth2.parameters = {}"), Vec::<String>::new());
}

#[tokio::test]
async fn a_refusal_is_told_with_its_code_whatever_its_status() {
    for (status, code) in [(200, "invalid_client"), (400, "acme.locked"), (401, "unauthorized")] {
        let body = format!("{{\"error\":{code:?},\"error_description\":\"not told\"}}");
        let endpoint = RawServer::start(move |_| RawAnswer::whole(status, &[], &body)).await;
        let service = beside(&endpoint, "retry.attempts = 0").await;
        let refused = service.send(&cart(1)).await;
        refused.is_problem(502, "parked");
        let status = if status == 200 { " (status 200)" } else { "" };
        let expected = format!("the token endpoint refused: {code}{status}");
        assert!(refused.text.contains(&expected) && !refused.text.contains("not told"), "{}", refused.text);
        let order: Value = service.get(&format!("{ORDERS}/1")).await.body;
        assert!(order["attempts"][0]["detail"].as_str().unwrap().contains(&expected), "{order}");
    }
}
