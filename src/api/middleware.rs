//! What surrounds every answer: request id, version, problem bodies for the framework's errors, and one log line.

use std::any::Any;
use std::sync::Arc;

use axum::body::{Body, HttpBody as _};
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tracing::debug;

use super::access_log::AccessLogEntry;
use super::request_path::sent_path;
use super::security_headers::add_security_headers;
use super::server_span;
use super::state::ApiState;
use crate::edge::{Peer, Transport};
use crate::message::quoted;
use crate::problem::{API_VERSION, Problem, ProblemKind, RequestContext, RequestId, SMART_ID};
use crate::telemetry::STEP;

/// The listener that a router belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// `server.listen`: its requests are counted.
    Public,
    /// `server.management_listen`: probes and scrapes say nothing of callers.
    Management,
}

/// The outermost layer. Its order matters: a request is named before anything can refuse it, and logged after everything
/// that may have changed its answer. Thousands of requests may wait, so the future does not have the request.
pub fn request_middleware(
    State((api, listener)): State<(Arc<ApiState>, Listener)>,
    Extension(peer): Extension<Peer>,
    mut request: Request,
    next: Next,
) -> impl Future<Output = Response> {
    let id = RequestId::from_headers(request.headers());
    let context = RequestContext::new(id, sent_path(&request), api.clock.moment());
    let entry = AccessLogEntry::of(&request, &peer);
    let mut span = server_span::begin(&api.tracer, &request, &peer, &entry);
    debug!(
        target: STEP,
        { http.request.method = %request.method(), url.path = context.path, http.request.id = %context.id },
        "received"
    );
    request.extensions_mut().insert(Arc::clone(&context));
    let answering = Arc::clone(&context).scope(answer(&api, request, next));
    async move {
        let mut response = span.enclose(answering).await;
        add_headers(&mut response, &api, &context, peer.transport);
        let took = api.clock.moment().since(context.received_at);
        if listener == Listener::Public {
            api.metrics.requests.observe(entry.answered(response.status()), took);
            if let Some(problem) = response.extensions().get::<Arc<Problem>>() {
                api.metrics.refusals().count(problem.kind());
            }
        }
        server_span::describe(&mut span, &context, &response);
        span.enclose_sync(|| entry.write(&context, &response, took));
        response
    }
}

/// Adds what every answer has.
fn add_headers(response: &mut Response, api: &ApiState, context: &RequestContext, transport: Transport) {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(context.id.as_str()) {
        headers.insert(RequestId::HEADER, id);
    }
    api.resource.add_to_challenge(headers);
    headers.insert("api-version", HeaderValue::from_static(API_VERSION));
    headers.insert("smart-id", HeaderValue::from_static(SMART_ID));
    add_security_headers(headers, transport);
}

/// Answers a request, unless it is refused for its head alone. What has the request is in a box: a future has room for each that it
/// awaits twice.
fn answer(api: &ApiState, request: Request, next: Next) -> impl Future<Output = Response> + use<> {
    let refusal = wrong_host(&request)
        .or_else(|| headers_too_large(request.headers(), api.server.limits.headers))
        .or_else(|| wrong_interface(request.headers()));
    let is_head = request.method() == Method::HEAD;
    let answering = match refusal {
        Some(problem) => Err(Box::new(problem)),
        None => Ok(Box::pin(next.run(request))),
    };
    async move {
        let response = match answering {
            Err(problem) => problem.into_response(),
            Ok(answering) => explained(answering.await),
        };
        if is_head { without_content(response) } else { response }
    }
}

/// The answer to HEAD (RFC 9110 §9.3.2). The router has no content sent at the paths that it knows, and the connection none over
/// HTTP/1: this is for all others.
fn without_content(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    if let Some(length) = body.size_hint().exact().filter(|length| *length > 0) {
        parts.headers.entry(header::CONTENT_LENGTH).or_insert_with(|| length.into());
    }
    Response::from_parts(parts, Body::empty())
}

/// Gives a problem body to an error that the framework answered by itself.
fn explained(response: Response) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_error || response.extensions().get::<Arc<Problem>>().is_some() {
        return response;
    }
    let detail = match status {
        StatusCode::NOT_FOUND => "no such path",
        StatusCode::METHOD_NOT_ALLOWED => "this path has other methods; Allow names them",
        StatusCode::PAYLOAD_TOO_LARGE => "the body is too large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "expected no Content-Encoding, gzip or deflate",
        _ => "the request could not be served",
    };
    let problem = Problem::new(ProblemKind::of_status(status), detail).into_response();
    // Headers such as Allow, and those of CORS, stay; the body is another.
    let mut headers = response.into_parts().0.headers;
    headers.remove(header::CONTENT_LENGTH);
    let (mut parts, body) = problem.into_parts();
    headers.extend(parts.headers);
    parts.headers = headers;
    Response::from_parts(parts, body)
}

/// A panic is a defect of the service: the caller gets a problem, the log has the panic itself.
pub fn panicked(_: Box<dyn Any + Send>) -> Response {
    Problem::internal_error().into_response()
}

/// HTTP/1.1 demands exactly one Host header (RFC 9112 §3.2); HTTP/1.0 does not, and HTTP/2 has `:authority`.
fn wrong_host(request: &Request) -> Option<Problem> {
    let detail = match request.headers().get_all(header::HOST).iter().count() {
        1 => return None,
        0 if request.version() != Version::HTTP_11 => return None,
        0 => "the header Host is missing; HTTP/1.1 demands it",
        _ => "there are several headers Host; HTTP permits one",
    };
    Some(Problem::new(ProblemKind::MALFORMED_REQUEST, detail))
}

/// Refuses headers over their limit. Far over it, the HTTP parser has refused them before.
fn headers_too_large(headers: &HeaderMap, limit: usize) -> Option<Problem> {
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    (size > limit).then(|| {
        let detail = format!("the headers have {size} bytes; at most {limit} are taken");
        Problem::new(ProblemKind::HEADERS_TOO_LARGE, detail)
    })
}

/// Refuses a request for another version, or for another interface.
fn wrong_interface(headers: &HeaderMap) -> Option<Problem> {
    let other = |name: &str, ours: &str| {
        let mut values = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
        let other = values.find(|value| value.trim() != ours)?;
        Some(format!("{name} is {}; expected {ours}", quoted(other.trim())))
    };
    let version =
        || other("accept-version", API_VERSION).map(|detail| Problem::new(ProblemKind::UNSUPPORTED_VERSION, detail));
    let interface = || other("smart-id", SMART_ID).map(|detail| Problem::new(ProblemKind::MISDIRECTED, detail));
    version().or_else(interface)
}
