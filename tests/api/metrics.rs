//! The metrics, as Prometheus reads them from the management listener: what each cart and each request counts, that nothing
//! grows without bound, and that the numbers are those of the ledger.

mod names;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use purchase_order_webhook::problem::ProblemKind;
use purchase_order_webhook::sandbox::vms::Effect;
use reqwest::Method;
use serde_json::{Value, json};

use crate::certificates::Ca;
use crate::exchange::Exchange;
use crate::support::{Answer, ORDERS, Service, cart};

/// A scrape: each sample by its name and labels, as the text has them.
#[derive(Debug)]
struct Scrape {
    text: String,
    samples: BTreeMap<String, f64>,
}

impl Scrape {
    async fn of(service: &Service) -> Self {
        let url = format!("http://{}/metrics", service.management);
        let answer = Answer::of(service.client.get(url).send().await.unwrap()).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
        let lines = answer.text.lines().filter(|line| !line.starts_with('#'));
        let sample = |line: &str| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap_or_else(|_| panic!("{line}")))
        };
        Self { samples: lines.map(sample).collect(), text: answer.text }
    }

    /// A sample; 0 if there is none.
    fn get(&self, name: &str) -> f64 {
        self.samples.get(name).copied().unwrap_or_default()
    }

    #[track_caller]
    fn assert(&self, expected: &[(&str, f64)]) {
        let found: Vec<(&str, f64)> = expected.iter().map(|(name, _)| (*name, self.get(name))).collect();
        assert_eq!(found, expected, "{}", self.text);
    }

    /// The values of a label, of all samples of a metric.
    fn labels(&self, metric: &str, label: &str) -> BTreeSet<&str> {
        let start = format!("{label}=\"");
        let of_metric = self.samples.keys().filter(|name| name.split('{').next() == Some(metric));
        of_metric.filter_map(|name| name.split(&start).nth(1)?.split('"').next()).collect()
    }
}

/// The count of a histogram of requests.
fn requests(method: &str, route: &str, status: u16) -> String {
    format!(
        "http_server_request_duration_seconds_count{{http_request_method=\"{method}\",http_route=\"{route}\",http_response_status_code=\"{status}\"}}"
    )
}

async fn post_to(service: &Service, path: &str, body: &Value) -> Answer {
    let request = service.client.post(service.url(&format!("{ORDERS}/{path}"))).bearer_auth(service.issuer.token());
    Answer::of(request.header("content-type", "application/json").body(body.to_string()).send().await.unwrap()).await
}

/// Waits, without moving the clock, until a scrape is as wanted.
async fn until(service: &Service, wanted: impl Fn(&Scrape) -> bool) -> Scrape {
    for _ in 0..2_000 {
        let scrape = Scrape::of(service).await;
        if wanted(&scrape) {
            return scrape;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it never was: {}", Scrape::of(service).await.text);
}

/// A service that has seen a cart of every fate: 1 created and sent again, 2 refused by 11VMS, 3 parked and settled by hand,
/// 4 parked, 5 and 6 in a batch with a mistake, and another cart under the id 1.
async fn with_carts_of_every_fate() -> Service {
    let service = Service::start_with("retry.attempts = 0\ntarget.unknown_grace = \"0s\"").await;
    assert_eq!(service.send(&cart(1)).await.status, 201);
    assert_eq!(service.send(&cart(1)).await.status, 200);
    let mut other = cart(1);
    other["HEADER"]["TOTAL_VALUE"] = json!(100);
    assert_eq!(service.send(&other).await.status, 409);
    service.vms.next(Effect::status(422));
    assert_eq!(service.send(&cart(2)).await.status, 422);
    service.vms.next(Effect::HangUpAfter);
    assert_eq!(service.send(&cart(3)).await.status, 502);
    let resolution = json!({ "purchaseOrderNumber": "4500000001" });
    assert_eq!(post_to(&service, "3/resolve", &resolution).await.status, 200);
    service.vms.next(Effect::status(503));
    assert_eq!(service.send(&cart(4)).await.status, 502);
    let mut mistaken = cart(7);
    mistaken["HEADER"]["ZZ_SALES_ORG"] = json!("");
    assert_eq!(post_to(&service, "batch", &json!([cart(5), cart(6), mistaken])).await.status, 200);
    assert_eq!(service.send(&json!({ "HEADER": {} })).await.status, 422);
    service
}

#[tokio::test]
async fn every_cart_is_counted_by_what_became_of_it() {
    let service = with_carts_of_every_fate().await;
    let scrape = Scrape::of(&service).await;
    scrape.assert(&[
        ("purchase_orders_admitted_total{admission=\"started\"}", 6.0),
        ("purchase_orders_admitted_total{admission=\"replayed\"}", 1.0),
        ("purchase_orders_admitted_total{admission=\"conflicting\"}", 1.0),
        ("purchase_orders_settled_total{state=\"created\"}", 4.0),
        ("purchase_orders_settled_total{state=\"rejected\"}", 1.0),
        ("purchase_orders_settled_total{state=\"parked\"}", 2.0),
        ("purchase_orders_settled_total{state=\"cancelled\"}", 0.0),
        ("purchase_order_attempts_total{outcome=\"created\"}", 3.0),
        ("purchase_order_attempts_total{outcome=\"rejected\"}", 1.0),
        ("purchase_order_attempts_total{outcome=\"unknown\"}", 2.0),
        ("purchase_order_interventions_total{action=\"resolved\"}", 1.0),
        ("purchase_order_duration_seconds_count", 6.0),
        ("purchase_orders_parked", 1.0),
        ("purchase_orders_open{state=\"accepted\"}", 0.0),
        ("purchase_orders_open{state=\"forwarding\"}", 0.0),
        ("purchase_orders_open{state=\"retrying\"}", 0.0),
        ("purchase_orders_oldest_open_age_seconds", 0.0),
        ("circuit_breaker_open", 0.0),
    ]);
    // A parked order that is replayed is open again, and created.
    assert_eq!(post_to(&service, "4/replay", &Value::Null).await.status, 201);
    Scrape::of(&service).await.assert(&[
        ("purchase_orders_parked", 0.0),
        ("purchase_orders_settled_total{state=\"created\"}", 5.0),
        ("purchase_order_interventions_total{action=\"replayed\"}", 1.0),
        ("purchase_order_duration_seconds_count", 7.0),
    ]);
}

#[tokio::test]
async fn the_calls_and_commits_behind_the_carts_are_counted() {
    let service = with_carts_of_every_fate().await;
    let scrape = Scrape::of(&service).await;
    let calls = |operation: &str, status: &str| {
        format!(
            "http_client_request_duration_seconds_count{{operation=\"{operation}\",http_response_status_code=\"{status}\"}}"
        )
    };
    for (operation, status, count) in [
        ("create", "201", 3.0),
        ("create", "422", 1.0),
        ("create", "503", 1.0),
        // No answer came.
        ("create", "", 1.0),
        ("token", "200", 1.0),
    ] {
        assert!((scrape.get(&calls(operation, status)) - count).abs() < 0.5, "{operation} {status}: {}", scrape.text);
    }
    assert!(scrape.get(&calls("jwks", "200")) >= 1.0, "{}", scrape.text);
    assert!(scrape.get("ledger_commit_duration_seconds_count") >= 7.0, "{}", scrape.text);
    // Two writes for each of six orders, and one for the resolution.
    assert!(scrape.get("ledger_commit_writes_sum") >= 13.0, "{}", scrape.text);
    scrape.assert(&[
        ("jwks_refreshes_total{result=\"success\"}", 1.0),
        ("jwks_refreshes_total{result=\"failure\"}", 0.0),
        ("ledger_commits_failed_total", 0.0),
    ]);
}

#[tokio::test]
async fn requests_are_counted_by_route_and_refusals_by_reason() {
    let service = Service::start_with("server.rate_limit_per_client = 1000").await;
    service.send(&cart(1)).await;
    service.send_with("no-token").await.is_problem(401, "invalid-token");
    service.post("{").send().await.unwrap();
    for path in ["/nowhere", "/a/b/c", "/v2/purchase-orders/1/nothing"] {
        service.get(path).await.is_problem(404, "not-found");
    }
    for id in ["1", "2", "3"] {
        service.get(&format!("{ORDERS}/{id}")).await;
    }
    for method in ["BREW", "WHEN", "PROPFIND"] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        service.client.request(method, service.url(ORDERS)).send().await.unwrap();
    }
    service.client.get(service.url(ORDERS)).send().await.unwrap();
    let scrape = Scrape::of(&service).await;
    for (name, count) in [
        (requests("POST", ORDERS, 201), 1.0),
        (requests("POST", ORDERS, 401), 1.0),
        (requests("POST", ORDERS, 400), 1.0),
        (requests("GET", "", 404), 3.0),
        (requests("GET", "/v2/purchase-orders/{id}", 200), 1.0),
        (requests("GET", "/v2/purchase-orders/{id}", 404), 2.0),
        (requests("_OTHER", ORDERS, 405), 3.0),
        ("requests_refused_total{reason=\"invalid-token\"}".to_owned(), 2.0),
        ("requests_refused_total{reason=\"malformed-json\"}".to_owned(), 1.0),
        ("requests_refused_total{reason=\"not-found\"}".to_owned(), 5.0),
        ("requests_refused_total{reason=\"method-not-allowed\"}".to_owned(), 3.0),
        ("token_checks_total{result=\"invalid\"}".to_owned(), 1.0),
        ("token_checks_total{result=\"missing\"}".to_owned(), 1.0),
    ] {
        scrape.assert(&[(&name, count)]);
    }
    assert_eq!(scrape.labels("http_server_request_duration_seconds_count", "http_request_method").len(), 3);
    // Neither scrapes nor probes of the management listener are requests of callers.
    assert!(!scrape.labels("http_server_request_duration_seconds_count", "http_route").contains("/metrics"));
    assert_eq!(Answer::of(service.client.get(service.url("/metrics")).send().await.unwrap()).await.status, 404);
}

#[tokio::test]
async fn a_request_that_no_route_sees_is_counted() {
    let service = Service::start_with("").await;
    let answer = Exchange::on_a_socket(service.address, "GET / HTTP/1.1\r\nbad header\r\n\r\n").await;
    answer.assert_problem(ProblemKind::MALFORMED_REQUEST);
    until(&service, |scrape| scrape.get("requests_refused_total{reason=\"malformed-request\"}") > 0.5).await;
}

#[tokio::test]
async fn open_orders_are_counted_as_they_change_and_the_oldest_grows_older() {
    let settings = "target.max_concurrency = 1\nretry.initial_delay = \"1h\"\nretry.max_delay = \"1h\"";
    let service = Service::start_with(settings).await;
    service.vms.next(Effect::status(429));
    for number in 1..=3 {
        let asynchronous = service.post(cart(number).to_string()).header("prefer", "respond-async");
        assert_eq!(asynchronous.send().await.unwrap().status(), 202);
        if number == 1 {
            service.until("1", "retrying").await;
            service.vms.close_gate();
        }
    }
    service.until("2", "forwarding").await;
    let expected = [
        ("purchase_orders_open{state=\"accepted\"}", 1.0),
        ("purchase_orders_open{state=\"forwarding\"}", 1.0),
        ("purchase_orders_open{state=\"retrying\"}", 1.0),
        ("purchase_orders_oldest_open_age_seconds", 0.0),
        ("purchase_orders_retries_overdue", 0.0),
    ];
    Scrape::of(&service).await.assert(&expected);
    let readiness = service.get("/readyz").await.body;
    assert_eq!(readiness["orders"], json!({ "open": 3, "parked": 0 }));
    service.clock.advance(Duration::from_mins(7));
    Scrape::of(&service).await.assert(&[("purchase_orders_oldest_open_age_seconds", 420.0)]);
}

/// The number of the ledger's orders in a state, as the list shows them.
async fn listed(service: &Service, state: &str) -> usize {
    service.get(&format!("{ORDERS}?state={state}&limit=200")).await.body["orders"].as_array().unwrap().len()
}

#[tokio::test]
async fn after_a_storm_the_numbers_are_those_of_the_ledger() {
    let settings = "retry.initial_delay = \"1s\"\nretry.attempts = 1\ntarget.unknown_grace = \"1s\"\ntarget.breaker_failures = 1000";
    let service = Service::start_with(settings).await;
    let effects = [
        Effect::Normal,
        Effect::HangUpAfter,
        Effect::status(422),
        Effect::status(503),
        Effect::HangUpBefore,
        Effect::status(429),
        Effect::Garbage,
    ];
    // More than there are requests, so that some orders fail again.
    for number in 0..300 {
        service.vms.next(effects[number % effects.len()].clone());
    }
    let sends = (1..=60).map(|number| {
        let body = cart(number).to_string();
        service.post(body).header("prefer", "respond-async").send()
    });
    for sent in sends.map(tokio::spawn).collect::<Vec<_>>() {
        assert!(sent.await.unwrap().unwrap().status().is_success());
    }
    let open = |scrape: &Scrape| {
        let state = |state: &str| scrape.get(&format!("purchase_orders_open{{state=\"{state}\"}}"));
        state("accepted") + state("forwarding") + state("retrying")
    };
    for _ in 0..2_000 {
        service.clock.advance(Duration::from_secs(1));
        if open(&Scrape::of(&service).await) < 0.5 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let scrape = Scrape::of(&service).await;
    let mut counted = Vec::new();
    let mut in_ledger = Vec::new();
    for state in ["created", "rejected", "parked"] {
        counted.push(scrape.get(&format!("purchase_orders_settled_total{{state=\"{state}\"}}")));
        in_ledger.push(f64::from(u32::try_from(listed(&service, state).await).unwrap()));
    }
    assert_eq!(counted, in_ledger, "{}", scrape.text);
    assert!(counted.iter().all(|count| *count > 0.5), "a storm has every end: {counted:?}");
    scrape.assert(&[("purchase_orders_parked", in_ledger[2]), ("purchase_order_duration_seconds_count", 60.0)]);
}

#[tokio::test]
async fn only_the_mapping_in_use_is_shown_and_a_refused_one_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    crate::reload::copy_mapping(folder.path());
    let service = Service::start_with(&format!("mapping.directory = {:?}", folder.path())).await;
    let first = Scrape::of(&service).await;
    let table = folder.path().join("tables/account-types.csv");
    fs::write(&table, "category,accountType\nA,CHANGED\n").unwrap();
    let version = |scrape: &Scrape| scrape.labels("mapping_info", "version").into_iter().collect::<String>();
    let is_changed = |scrape: &Scrape| version(scrape) != version(&first);
    let changed = scrape_until(&service, is_changed).await;
    assert_eq!(changed.labels("mapping_info", "version").len(), 1, "{}", changed.text);
    changed.assert(&[
        ("mapping_reloads_total{result=\"exchanged\"}", 1.0),
        ("mapping_reloads_total{result=\"refused\"}", 0.0),
        ("failing_conditions{condition=\"mapping-refused\"}", 0.0),
    ]);
    fs::write(&table, "category,accountType\nA,ONE\nA,TWO\n").unwrap();
    let refused =
        scrape_until(&service, |scrape| scrape.get("failing_conditions{condition=\"mapping-refused\"}") > 0.5);
    refused.await.assert(&[("mapping_reloads_total{result=\"refused\"}", 1.0)]);
    let readiness = service.get("/readyz").await;
    assert_eq!(readiness.status, 200, "the mapping before it is in use: {}", readiness.text);
    assert_eq!(readiness.body["failing"][0]["condition"], "mapping-refused", "{}", readiness.text);
}

/// Moves the clock, so that the service reads its files again, until a scrape is as wanted.
async fn scrape_until(service: &Service, wanted: impl Fn(&Scrape) -> bool) -> Scrape {
    for _ in 0..1_000 {
        service.clock.advance(Duration::from_secs(2));
        let scrape = Scrape::of(service).await;
        if wanted(&scrape) {
            return scrape;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the change was never seen");
}

#[tokio::test]
async fn an_open_breaker_and_failing_keys_are_seen_and_readiness_stays() {
    let settings = "target.breaker_failures = 1\nretry.initial_delay = \"1h\"\nretry.max_delay = \"1h\"";
    let service = Service::start_with(settings).await;
    service.vms.next(Effect::status(503));
    let asynchronous = service.post(cart(1).to_string()).header("prefer", "respond-async");
    assert_eq!(asynchronous.send().await.unwrap().status(), 202);
    until(&service, |scrape| scrape.get("circuit_breaker_open") > 0.5).await;
    let readiness = service.get("/readyz").await;
    assert_eq!(readiness.status, 200, "a restart would not cure it: {}", readiness.text);
    assert_eq!(readiness.body["breaker"], "open", "{}", readiness.text);
    assert_eq!(readiness.body["ledger"], json!({ "canWrite": true, "canRead": true }), "{}", readiness.text);
    assert_eq!(readiness.body["failing"][0]["condition"], "target-unavailable", "{}", readiness.text);
    assert!(readiness.body["issuerKeys"]["fetchedAt"].is_string(), "{}", readiness.text);
    assert!(!readiness.text.contains("503"), "details are for operators: {}", readiness.text);
}

#[tokio::test]
async fn the_end_of_each_certificate_is_shown_by_its_setting() {
    let ca = Ca::new();
    let service = Service::start_with(&format!("target.ca = {:?}", ca.certificate())).await;
    let scrape = Scrape::of(&service).await;
    assert_eq!(scrape.labels("certificate_expiry_timestamp_seconds", "use"), BTreeSet::from(["target.ca"]));
    let now = crate::support::now().as_duration().as_secs_f64();
    assert!(scrape.get("certificate_expiry_timestamp_seconds{use=\"target.ca\"}") > now, "{}", scrape.text);
}
