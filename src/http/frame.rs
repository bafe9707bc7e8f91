//! What surrounds every answer: request id, version, the bodies of problems, one log line.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use tracing::{debug, info, warn};

use super::client_certificate::{Peer, Transport};
use super::extract::MAX_PROPAGATED_HEADER;
use super::problem::{MEDIA_TYPE, Problem, ProblemKind};
use super::{API_VERSION, ApiState, SMART_ID};
use crate::clock::{Clock, between};
use crate::message::quoted;
use crate::telemetry::STEP;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest request id that is taken over from a caller.
const MAX_REQUEST_ID: usize = 128;

/// The request's id, taken from the caller or made.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

impl RequestId {
    /// One of our own.
    pub fn new() -> Self {
        Self(uuid::Uuid::new_v4().to_string())
    }

    /// Takes a readable id over; anything else is replaced.
    fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok()).map(str::trim);
        let readable = |id: &&str| (1..=MAX_REQUEST_ID).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
        given.filter(readable).map_or_else(Self::new, |given| Self(given.to_owned()))
    }
}

/// When the request arrived: its deadline counts from here, whatever reading it takes.
#[derive(Debug, Clone, Copy)]
pub struct ReceivedAt(pub Timestamp);

impl ReceivedAt {
    /// What is left of the time that the caller waits.
    pub fn remaining(self, deadline: Duration, clock: &dyn Clock) -> Duration {
        deadline.saturating_sub(between(self.0, clock.now()))
    }
}

/// What is said of a request in the log: never what it carried.
struct AccessLogEntry {
    method: Method,
    path: String,
    route: Option<String>,
    sap_passport: Option<String>,
}

impl AccessLogEntry {
    fn of(request: &Request) -> Self {
        let passport = request.headers().get("sap-passport").and_then(|value| value.to_str().ok());
        Self {
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            route: request.extensions().get::<MatchedPath>().map(|route| route.as_str().to_owned()),
            sap_passport: passport.filter(|passport| passport.len() <= MAX_PROPAGATED_HEADER).map(str::to_owned),
        }
    }

    /// One line a request.
    fn log(&self, status: StatusCode, problem: Option<&Problem>, id: &RequestId, took: Duration) {
        let status = status.as_u16();
        let route = self.route.as_deref().unwrap_or("none");
        let passport = self.sap_passport.as_deref();
        let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        debug!(target: STEP, status, "answered");
        if let Some(problem) = problem.map(Problem::log_line) {
            warn!(
                http.request.method = %self.method, http.route = route, http.response.status_code = status,
                request_id = %id.0, sap_passport = passport, duration_ms = milliseconds, problem, "answered"
            );
        } else if matches!(route, "/livez" | "/readyz") {
            // Probes come every few seconds and say nothing while all is well.
            debug!(http.route = route, http.response.status_code = status, "answered");
        } else {
            info!(
                http.request.method = %self.method, http.route = route, http.response.status_code = status,
                request_id = %id.0, sap_passport = passport, duration_ms = milliseconds, "answered"
            );
        }
    }
}

/// The outermost layer.
pub async fn request_middleware(State(api): State<Arc<ApiState>>, mut request: Request, next: Next) -> Response {
    let began = api.clock.now();
    let id = RequestId::of(request.headers());
    let seen = AccessLogEntry::of(&request);
    let transport = request.extensions().get::<Peer>().map_or(Transport::Plain, |peer| peer.transport);
    debug!(target: STEP, method = %seen.method, path = seen.path, request_id = %id.0, "received");
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(ReceivedAt(began));
    // Too much, and what is for another interface, goes no further.
    let headers = request.headers();
    let mut response = match too_much(headers, api.server.limits.headers).or_else(|| wrong_interface(headers)) {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    };
    let problem = problem_of(&response);
    if let Some(problem) = &problem {
        write_body(&mut response, problem, &seen.path, &id);
    }
    response.headers_mut().insert(REQUEST_ID, HeaderValue::from_str(&id.0).unwrap_or(HeaderValue::from_static("")));
    add_version(response.headers_mut());
    add_security_headers(response.headers_mut(), transport);
    seen.log(response.status(), problem.as_deref(), &id, between(began, api.clock.now()));
    response
}

/// On every answer, also on those that are written before there is a request.
pub fn add_version(headers: &mut HeaderMap) {
    headers.insert("api-version", HeaderValue::from_static(API_VERSION));
    headers.insert("smart-id", HeaderValue::from_static(SMART_ID));
}

/// What browsers have to know, where pages are shown and where they are not: nothing is guessed, framed, referred to or
/// kept; a page loads what comes from this service alone, and no script that stands in it.
fn add_security_headers(headers: &mut HeaderMap, transport: Transport) {
    // Swagger UI draws with styles that it makes itself, and with pictures in its own text.
    const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                          connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let mut add = |name: HeaderName, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
    add(header::CONTENT_SECURITY_POLICY, POLICY);
    add(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    add(header::X_FRAME_OPTIONS, "DENY");
    add(header::REFERRER_POLICY, "no-referrer");
    add(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    if transport == Transport::Tls {
        add(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// The handler's problem, or one for an error that the framework answered on its own.
fn problem_of(response: &Response) -> Option<Arc<Problem>> {
    if let Some(problem) = response.extensions().get::<Arc<Problem>>() {
        return Some(Arc::clone(problem));
    }
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return None;
    }
    let kind = ProblemKind::of_status(status);
    let detail = match status {
        StatusCode::NOT_FOUND => "no such path",
        StatusCode::METHOD_NOT_ALLOWED => "this path has other methods; Allow names them",
        StatusCode::PAYLOAD_TOO_LARGE => "the body is too large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "expected no Content-Encoding, gzip or deflate",
        _ => "the request could not be served",
    };
    Some(Arc::new(Problem::new(kind, detail)))
}

fn write_body(response: &mut Response, problem: &Problem, path: &str, id: &RequestId) {
    let body = serde_json::to_vec(&problem.body(path, &id.0)).unwrap_or_default();
    *response.status_mut() = problem.status();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    headers.remove(header::CONTENT_LENGTH);
    *response.body_mut() = Body::from(body);
}

/// A panic is a defect of the service; the caller gets a problem, the log has the panic itself.
pub fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    Problem::new(ProblemKind::INTERNAL_ERROR, "The service failed while it worked on this request.").into_response()
}

/// Headers over their limit. (Far over it, the connection's reader has given up before.)
fn too_much(headers: &HeaderMap, limit: usize) -> Option<Problem> {
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    (size > limit).then(|| {
        let detail = format!("the headers have {size} bytes; at most {limit} are taken");
        Problem::new(ProblemKind::HEADERS_TOO_LARGE, detail)
    })
}

/// Why a request is for another version, or for another interface.
fn wrong_interface(headers: &HeaderMap) -> Option<Problem> {
    let other = |name: &str, ours: &str| {
        let value = headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned());
        value.filter(|value| value != ours).map(|value| format!("{name} is {}; expected {ours}", quoted(&value)))
    };
    let version =
        || other("accept-version", API_VERSION).map(|detail| Problem::new(ProblemKind::UNSUPPORTED_VERSION, detail));
    let interface = || other("smart-id", SMART_ID).map(|detail| Problem::new(ProblemKind::MISDIRECTED, detail));
    version().or_else(interface)
}
