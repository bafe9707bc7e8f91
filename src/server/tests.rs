//! The frame around routes that no real route shows: panics, and errors of the framework itself.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use tracing_subscriber::fmt::MakeWriter as _;

use super::*;
use crate::api::{ClientRateLimiter, ProtectedResource};
use crate::auth::jwks::KeySet;
use crate::auth::{IssuerNames, TokenVerifier, TrustedIssuer};
use crate::clock::{Clock, SystemClock};
use crate::condition::Conditions;
use crate::config::{ForwardProxy, Settings};
use crate::edge::{Peer, Transport};
use crate::ledger::Ledger;
use crate::ledger::sqlite::SqliteLedger;
use crate::mapping::LiveMapping;
use crate::order::Order;
use crate::order::vms_response::CallOutcome;
use crate::outbound::{CertificateSettings, ClientSettings, Outbound};
use crate::relay::observer::Observers;
use crate::relay::{Concurrency, Dependencies, JitterSource, Relay};
use crate::telemetry::metrics::{Metrics, Sources};
use crate::trace::Tracer;
use crate::vms::{SendLimit, Vms};

#[derive(Debug)]
struct NoVms;

#[async_trait]
impl Vms for NoVms {
    async fn create(&self, _: &Order, _: Option<SendLimit>) -> CallOutcome {
        CallOutcome::NotSent("none".to_owned())
    }

    async fn look_up(&self, _: &Order) -> CallOutcome {
        CallOutcome::NotSent("none".to_owned())
    }
}

fn api(folder: &tempfile::TempDir) -> Arc<ApiState> {
    let settings = Settings::parse("example", include_str!("../../config.example.toml"), &BTreeMap::new()).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let file = Arc::new(SqliteLedger::open(&folder.path().join("orders.db")).unwrap());
    let ledger: Arc<dyn Ledger> = Arc::<SqliteLedger>::clone(&file);
    let relay = Relay::new(Dependencies {
        ledger: Arc::clone(&ledger),
        vms: Arc::new(NoVms),
        clock: Arc::clone(&clock),
        policy: settings.retry.clone(),
        response_rules: settings.target.response_rules.clone(),
        concurrency: Concurrency { permits: 1, ahead: 0 },
        breaker: settings.target.breaker,
        attempt_limit: Duration::from_secs(1),
        jitter: JitterSource(Arc::new(|| 0.0)),
        observers: Observers::default(),
        tracer: Tracer::default(),
        restored: None,
    });
    let second = Duration::from_secs(1);
    let client = ClientSettings {
        certificates: CertificateSettings { setting_names: "test".into(), ca: None, identity: None },
        connect_timeout: second,
        timeout: second,
        max_connection_age: second,
        forward_proxy: ForwardProxy::default(),
    };
    let http = Arc::new(Outbound::try_new(client, Arc::clone(&clock)).unwrap());
    let keys = KeySet::new(&settings.auth, http, Arc::clone(&clock), Conditions::default());
    let rates = ClientRateLimiter::new(None, 1, Arc::clone(&clock));
    let conditions = Conditions::default();
    let mapping = LiveMapping::load("mapping".into(), settings.mapping.options, clock.now(), conditions.clone());
    let mapping = Arc::new(mapping.unwrap());
    let metrics = Metrics::new(Sources {
        calls: [keys.calls(), Arc::default()],
        orders: Arc::default(),
        relay: Arc::clone(&relay),
        ledger: ledger.statistics(),
        keys: vec![keys.statistics()],
        mapping: Arc::clone(&mapping),
        conditions: conditions.clone(),
        exports: Arc::default(),
        deliveries: Arc::default(),
        certificates: Arc::default(),
        clock: Arc::clone(&clock),
    });
    let names = Arc::new(IssuerNames { scopes: settings.auth.scopes.clone(), issuer: None });
    let resource = ProtectedResource::of(&settings.auth);
    let issuer = TrustedIssuer::new(settings.auth, names, keys, None, Arc::clone(&clock));
    Arc::new(ApiState {
        relay,
        ledger,
        audit: file,
        mapping,
        metrics,
        keep_carts: settings.ledger.keep_carts,
        tokens: TokenVerifier::new(vec![issuer], Arc::default(), Arc::clone(&clock)),
        resource,
        clock,
        conditions,
        stop_announced: CancellationToken::new(),
        tracer: Tracer::default(),
        server: settings.server,
        pages: settings.pages,
        in_flight: Arc::new(Semaphore::new(1)),
        queries: Arc::new(Semaphore::new(1)),
        batches: Arc::new(Semaphore::new(1)),
        rates,
    })
}

async fn answer(router: Router, path: &str) -> (StatusCode, Value, axum::http::HeaderMap) {
    let mut request = Request::get(path).header("host", "service").body(Body::empty()).unwrap();
    let peer = Peer { address: [127, 0, 0, 1].into(), transport: Transport::Plain, certificate: None };
    request.extensions_mut().insert(peer);
    let response = router.oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (head.status, serde_json::from_slice(&body).unwrap(), head.headers)
}

async fn panics() -> &'static str {
    panic!("a defect")
}

#[tokio::test]
async fn a_panic_becomes_a_problem_with_its_request_id() {
    let folder = tempfile::tempdir().unwrap();
    let panicking = Router::new().route("/panic", get(panics));
    let (status, body, headers) = answer(layered(panicking, &api(&folder), Listener::Public), "/panic").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(body["type"], "/problems/internal-error");
    assert_eq!(body["requestId"], headers["x-request-id"].to_str().unwrap());
    assert_eq!(headers["content-type"], "application/problem+json");
    assert!(!body.to_string().contains("a defect"), "what failed is for the log");
}

#[tokio::test]
async fn an_error_of_any_kind_that_the_framework_answers_is_a_problem() {
    let folder = tempfile::tempdir().unwrap();
    let api = api(&folder);
    for status in [400, 404, 405, 408, 413, 415, 418, 500, 501] {
        let status = StatusCode::from_u16(status).unwrap();
        let plain = Router::new().route("/plain", get(move || async move { (status, "some text") }));
        let (answered, body, headers) = answer(layered(plain, &api, Listener::Public), "/plain").await;
        assert_eq!(headers["content-type"], "application/problem+json", "{status}");
        assert_eq!(body["status"], answered.as_u16(), "the body says what the status line says");
    }
}

#[tokio::test]
async fn the_log_has_the_route_of_a_path_with_slashes_too_many_and_what_was_sent_where_there_is_none() {
    let log: &'static Mutex<Vec<u8>> = Box::leak(Box::default());
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || log.make_writer()).finish();
    let _subscriber = tracing::subscriber::set_default(subscriber);
    let folder = tempfile::tempdir().unwrap();
    let api = api(&folder);
    for (path, status, logged) in [
        ("//v2//purchase-orders/SRM:4711/", 401, "http.route=\"/v2/purchase-orders/{id}\""),
        ("/v2/purchase-orders/?sap-client=300", 401, "http.route=\"/v2/purchase-orders\""),
        ("//v2//nowhere/", 404, "http.route=\"none\" url.path=\"//v2//nowhere/\""),
    ] {
        log.lock().unwrap().clear();
        assert_eq!(answer(public_router(&api), path).await.0, status, "{path}");
        let line = String::from_utf8(log.lock().unwrap().clone()).unwrap();
        assert!(line.contains(logged), "{path}: {line}");
    }
}
