//! SAP Cloud ALM as it is seen from outside: a token endpoint, and the paths of metrics and logs below `/api`.
#![allow(dead_code, reason = "each test binary uses a part of this")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

/// What it knows.
#[derive(Debug, Default)]
struct Known {
    /// The number of tokens that were issued; the last one is `alm-token-N`.
    issued: usize,
    /// How many pushes the last token is still good for; `None`: any number.
    left: Option<usize>,
    /// How many pushes each token is good for.
    pushes_per_token: Option<usize>,
    /// Answers to the next pushes, whatever the token.
    failures: Vec<u16>,
    /// What these were the answers to.
    failed: Vec<Value>,
    pushes: Vec<(String, Value)>,
    refused: usize,
}

/// A Cloud ALM that lives as long as the test.
#[derive(Debug, Clone)]
pub struct CloudAlm {
    pub url: String,
    known: Arc<Mutex<Known>>,
}

impl CloudAlm {
    /// Each token is good for so many pushes.
    pub async fn start(pushes_per_token: Option<usize>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let known = Arc::new(Mutex::new(Known { pushes_per_token, ..Known::default() }));
        let alm = Self { url, known };
        let router = Router::new()
            .route("/oauth/token", post(issue))
            .route("/api/calm-metrics/v1/metrics", post(take))
            .route("/api/calm-logs/v1/logs", post(take))
            .with_state(alm.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        alm
    }

    /// The settings of a service that pushes to it.
    pub fn settings(&self) -> String {
        let url = &self.url;
        format!(
            "telemetry.cloud_alm.base_url = \"{url}/api\"\ntelemetry.cloud_alm.token_url = \"{url}/oauth/token\"\n\
             telemetry.cloud_alm.client_id = \"sb-calm\"\ntelemetry.cloud_alm.client_secret = \"alm-secret\"\n\
             telemetry.cloud_alm.service_id = \"service-1\"\n"
        )
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap()
    }

    /// Answers the next push with a status.
    pub fn fail_next(&self, status: u16) {
        self.known().failures.push(status);
    }

    /// The payloads that were taken at a path: `metrics` or `logs`.
    pub fn pushes(&self, kind: &str) -> Vec<Value> {
        self.known()
            .pushes
            .iter()
            .filter(|(path, _)| path.ends_with(kind))
            .map(|(_, payload)| payload.clone())
            .collect()
    }

    /// The payloads that were answered as [`Self::fail_next`] says.
    pub fn failed(&self) -> Vec<Value> {
        self.known().failed.clone()
    }

    /// The number of pushes with a token that was not good any more.
    pub fn refused(&self) -> usize {
        self.known().refused
    }
}

async fn issue(State(alm): State<CloudAlm>, headers: HeaderMap, body: String) -> (StatusCode, Json<Value>) {
    use base64::Engine as _;
    let expected = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode("sb-calm:alm-secret"));
    if headers["authorization"] != expected.as_str() || body != "grant_type=client_credentials" {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "invalid_client" })));
    }
    let mut known = alm.known();
    known.issued += 1;
    known.left = known.pushes_per_token;
    let token = format!("alm-token-{}", known.issued);
    (StatusCode::OK, Json(json!({ "access_token": token, "token_type": "bearer", "expires_in": 43199 })))
}

async fn take(State(alm): State<CloudAlm>, uri: Uri, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut known = alm.known();
    let token = format!("Bearer alm-token-{}", known.issued);
    if headers["authorization"] != token.as_str() || known.left == Some(0) {
        known.refused += 1;
        return StatusCode::UNAUTHORIZED;
    }
    let payload: Value = serde_json::from_slice(&body).unwrap();
    if let Some(status) = known.failures.pop() {
        known.failed.push(payload);
        return StatusCode::from_u16(status).unwrap();
    }
    known.left = known.left.map(|left| left - 1);
    assert_eq!(headers["content-type"], "application/json");
    let resource =
        &payload[if uri.path().ends_with("logs") { "resourceLogs" } else { "resourceMetrics" }][0]["resource"];
    let is_named =
        |attribute: &Value| attribute["key"] == "serviceId" && attribute["value"]["stringValue"] == "service-1";
    assert!(resource["attributes"].as_array().unwrap().iter().any(is_named), "{resource}");
    known.pushes.push((uri.path().to_owned(), payload));
    StatusCode::OK
}
