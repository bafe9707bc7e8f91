//! Traces: one order's way as a collector gets it, and W3C Trace Context in and out.

use std::time::Duration;

use purchase_order_webhook::sandbox::vms::Effect;
use purchase_order_webhook::trace::attributes;

use crate::collector::{Collector, hex, text};
use crate::snapshot_files::assert_snapshot;
use crate::support::{ORDERS, Service, cart};

const CALLER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Waits until the order 1 has had so many attempts and waits for the next.
async fn until_retrying(service: &Service, attempts: usize) {
    loop {
        let order = service.until("1", "retrying").await;
        if order["attempts"].as_array().unwrap().len() == attempts {
            return;
        }
    }
}

#[tokio::test]
async fn a_retried_order_shows_every_stage_and_after_a_restart_a_linked_trace() {
    let collector = Collector::start().await;
    let settings = format!("{}retry.jitter = 0.0", collector.settings());
    let service = Service::start_with(&settings).await;
    service.vms.next(Effect::status(429));
    let request = service.post(cart(1).to_string()).header("prefer", "respond-async");
    let answer = request.header("x-request-id", "from-srm-1").send().await.unwrap();
    assert_eq!(answer.status(), 202);
    until_retrying(&service, 1).await;
    service.vms.next(Effect::HangUpAfter);
    service.clock.advance(Duration::from_secs(31));
    until_retrying(&service, 2).await;
    let mut service = service.restart().await;
    service.clock.advance(Duration::from_mins(3));
    service.until("1", "created").await;
    service.stop().await;
    let text = collector.text();
    println!("{text}");
    assert_snapshot("traces/a-retried-order.snap", &text);
    let resource = collector.resource();
    assert_eq!(resource["service.name"], "purchase-order-webhook");
    assert_eq!(resource["service.version"], env!("CARGO_PKG_VERSION"));
    assert!(!resource["service.instance.id"].is_empty());
    for attribute in collector.spans().iter().flat_map(|span| &span.attributes) {
        assert!(attributes::ALL.contains(&attribute.key.as_str()), "{}", attribute.key);
    }
}

#[tokio::test]
async fn a_batch_and_a_refused_cart_have_their_stages() {
    let collector = Collector::start().await;
    let mut service = Service::start_with(&collector.settings()).await;
    let mut mistaken = cart(2);
    mistaken["HEADER"]["ZZ_SALES_ORG"] = "".into();
    let batch = serde_json::json!([cart(1), mistaken]).to_string();
    let url = service.url(&format!("{ORDERS}/batch"));
    let request = service.client.post(url).bearer_auth(service.issuer.token()).header("x-request-id", "from-batch");
    let answer = request.header("content-type", "application/json").body(batch).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    service.stop().await;
    assert_snapshot("traces/a-batch.snap", &collector.text());
}

#[tokio::test]
async fn a_stage_that_failed_says_why() {
    let collector = Collector::start().await;
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "webhook-secret").unwrap();
    let own = format!("target.oauth2.client_secret_file = {secret:?}\nretry.attempts = 0");
    let mut service = Service::start_with(&format!("{}{own}", collector.settings())).await;
    std::fs::remove_file(&secret).unwrap();
    service.send_with("no-token").await.is_problem(401, "invalid-token");
    let mut mistaken = cart(2);
    mistaken["HEADER"]["ZZ_SALES_ORG"] = "".into();
    assert_eq!(service.send(&mistaken).await.status, 422);
    service.send(&cart(1)).await.is_problem(502, "parked");
    service.stop().await;
    let spans = collector.spans();
    let reason = |name: &str| {
        let failed = spans.iter().filter(|span| span.name == name).flat_map(|span| &span.attributes);
        failed.filter(|attribute| attribute.key == attributes::ERROR).map(text).next()
    };
    for (stage, why) in [
        ("verify token", "invalid"),
        ("read and map cart", "invalid-cart"),
        ("fetch token", "secret"),
        ("attempt", "not-done"),
    ] {
        assert_eq!(reason(stage).as_deref(), Some(why), "{stage}: {}", collector.text());
    }
}

#[tokio::test]
async fn an_order_of_a_batch_that_is_retried_stays_in_the_batchs_trace() {
    let collector = Collector::start().await;
    let settings = format!("{}retry.jitter = 0.0", collector.settings());
    let mut service = Service::start_with(&settings).await;
    service.vms.next(Effect::status(429));
    let batch = serde_json::json!([cart(1), cart(2)]).to_string();
    let url = service.url(&format!("{ORDERS}/batch"));
    let request = service.client.post(url).bearer_auth(service.issuer.token()).header("prefer", "respond-async");
    let answer = request.header("content-type", "application/json").body(batch).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    // One is created and one is refused for now, whichever came first.
    let state =
        async |id: &str| service.get(&format!("{ORDERS}/{id}")).await.body["state"].as_str().unwrap().to_owned();
    while [state("1").await, state("2").await]
        .iter()
        .filter(|state| *state == "created" || *state == "retrying")
        .count()
        < 2
    {}
    service.clock.advance(Duration::from_secs(31));
    service.until("1", "created").await;
    service.until("2", "created").await;
    service.stop().await;
    let spans = collector.spans();
    let attempts: Vec<_> = spans.iter().filter(|span| span.name == "attempt").collect();
    assert_eq!(attempts.len(), 3, "{}", collector.text());
    assert!(
        attempts.iter().all(|span| span.trace_id == attempts[0].trace_id && span.links.is_empty()),
        "{}",
        collector.text()
    );
}

#[tokio::test]
async fn the_callers_trace_is_continued_and_11vms_gets_the_attempts_place() {
    let collector = Collector::start().await;
    let mut service = Service::start_with(&collector.settings()).await;
    let request = service.post(cart(1).to_string()).header("traceparent", CALLER).header("tracestate", "a=1,b=2");
    assert_eq!(request.send().await.unwrap().status(), 201);
    service.stop().await;
    let spans = collector.spans();
    let named = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    let (server, attempt) = (named("POST /v2/purchase-orders"), named("attempt"));
    assert_eq!(hex(&server.parent_span_id), "b7ad6b7169203331");
    assert!(spans.iter().all(|span| hex(&span.trace_id) == "0af7651916cd43dd8448eb211c80319c"), "{spans:#?}");
    assert_eq!(attempt.parent_span_id, server.span_id);
    let sent = &service.vms.received()[0];
    let expected = format!("00-0af7651916cd43dd8448eb211c80319c-{}-01", hex(&attempt.span_id));
    assert_eq!(sent.header("traceparent"), Some(expected.as_str()));
    assert_eq!(sent.header("tracestate"), Some("a=1,b=2"));
}

/// What 11VMS gets of a caller's trace, and how many spans are exported.
async fn passed_on(settings: &str, traceparent: Option<&str>) -> (Option<String>, usize) {
    let collector = Collector::start().await;
    let settings = settings.replace("COLLECTOR", &collector.settings());
    let mut service = Service::start_with(&settings).await;
    let mut request = service.post(cart(1).to_string());
    if let Some(traceparent) = traceparent {
        request = request.header("traceparent", traceparent).header("tracestate", "a=1");
    }
    assert_eq!(request.send().await.unwrap().status(), 201);
    service.stop().await;
    let received = service.vms.received();
    (received[0].header("traceparent").map(str::to_owned), collector.spans().len())
}

#[tokio::test]
async fn a_callers_flag_decides_and_without_a_caller_the_ratio() {
    let unsampled = CALLER.replace("-01", "-00");
    let (passed, exported) = passed_on("COLLECTOR", Some(&unsampled)).await;
    let passed = passed.unwrap();
    assert!(passed.starts_with("00-0af7651916cd43dd8448eb211c80319c-") && passed.ends_with("-00"), "{passed}");
    assert!(passed != unsampled && exported == 0, "the place is the service's own: {passed}");
    let (passed, exported) = passed_on("COLLECTORtelemetry.trace_sampling = 0", Some(CALLER)).await;
    assert!(passed.unwrap().ends_with("-01") && exported > 5);
    let (passed, exported) = passed_on("COLLECTORtelemetry.trace_sampling = 0", None).await;
    assert!(passed.unwrap().ends_with("-00") && exported == 0);
    let (passed, exported) = passed_on("COLLECTOR", None).await;
    assert!(passed.unwrap().ends_with("-01") && exported > 5);
    // A traceparent that is none begins a trace.
    let (passed, exported) = passed_on("COLLECTOR", Some("00-xyz-01")).await;
    assert!(passed.unwrap().ends_with("-01") && exported > 5);
}

#[tokio::test]
async fn a_method_that_no_specification_has_does_not_name_a_span() {
    let collector = Collector::start().await;
    let mut service = Service::start_with(&collector.settings()).await;
    let method = reqwest::Method::from_bytes(b"SEARCHALL").unwrap();
    let answer = service.client.request(method, service.url(ORDERS)).send().await.unwrap();
    assert_eq!(answer.status(), 405);
    service.stop().await;
    let text = collector.text();
    assert!(text.contains("HTTP /v2/purchase-orders (server)"), "{text}");
    for attribute in ["http.request.method: _OTHER", "http.request.method_original: SEARCHALL"] {
        assert!(text.contains(attribute), "{text}");
    }
}

#[tokio::test]
async fn without_a_collector_the_look_up_has_the_callers_place_too() {
    let service = Service::start_with("retry.jitter = 0.0").await;
    service.vms.next(Effect::HangUpAfter);
    let request = service.post(cart(1).to_string()).header("prefer", "respond-async").header("traceparent", CALLER);
    assert_eq!(request.send().await.unwrap().status(), 202);
    until_retrying(&service, 1).await;
    service.clock.advance(Duration::from_mins(3));
    service.until("1", "created").await;
    let received = service.vms.received();
    assert_eq!(received.len(), 2);
    assert!(received.iter().all(|call| call.header("traceparent") == Some(CALLER)), "{received:?}");
}

#[tokio::test]
async fn without_a_collector_the_callers_place_is_passed_on_unchanged() {
    for traceparent in [CALLER, "00-whatever"] {
        assert_eq!(passed_on("", Some(traceparent)).await, (Some(traceparent.to_owned()), 0));
    }
    assert_eq!(passed_on("", None).await, (None, 0));
}

#[tokio::test]
async fn headers_of_the_settings_reach_the_collector() {
    let collector = Collector::start().await;
    let settings = format!("{}telemetry.otlp_headers = \"api-key=k%201\"", collector.settings());
    let mut service = Service::start_with(&settings).await;
    service.send(&cart(1)).await;
    service.stop().await;
    assert_eq!(collector.headers()[0]["api-key"], "k 1");
}

/// Spans that were dropped, as Prometheus reads it.
async fn dropped_spans(service: &Service) -> u64 {
    let url = format!("http://{}/metrics", service.management);
    let text = service.client.get(url).send().await.unwrap().text().await.unwrap();
    let value = text.lines().find_map(|line| line.strip_prefix("telemetry_dropped_total{signal=\"traces\"} "));
    value.unwrap_or_else(|| panic!("{text}")).parse().unwrap()
}

#[tokio::test]
async fn what_a_collector_refuses_is_dropped_and_counted() {
    let collector = Collector::start().await;
    // There, it answers 404.
    let settings = format!("telemetry.otlp_endpoint = \"{}/nowhere\"", collector.url);
    let mut service = Service::start_with(&settings).await;
    assert_eq!(dropped_spans(&service).await, 0);
    assert_eq!(service.send(&cart(1)).await.status, 201);
    while dropped_spans(&service).await < 5 {
        service.clock.advance(Duration::from_secs(1));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    service.stop().await;
    assert_eq!(collector.spans().len(), 0);
}
