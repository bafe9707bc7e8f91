//! The span of a request that is answered, by OpenTelemetry's conventions for HTTP servers.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::Version;
use axum::response::Response;

use super::access_log::AccessLogEntry;
use super::propagation::caller_place;
use crate::edge::{Peer, Transport};
use crate::problem::{Problem, RequestContext};
use crate::trace::{Span, SpanKind, Tracer, attributes};

/// Begins the span, in the trace of the caller if it has one. Probes are in none: they come every few seconds.
pub fn begin(tracer: &Tracer, request: &Request, peer: &Peer, entry: &AccessLogEntry) -> Span {
    if !tracer.is_on() || entry.is_probe() {
        return Span::default();
    }
    let mut span = tracer.start(caller_place(request.headers()).as_ref(), "HTTP", SpanKind::Server);
    if span.is_recorded() {
        let (method, route) = (entry.method(), entry.route());
        let is_known = method == request.method().as_str();
        let named = if is_known { method } else { "HTTP" };
        span.rename(|| route.map_or_else(|| named.to_owned(), |route| format!("{named} {route}")));
        span.set(attributes::METHOD, method);
        span.set_text(attributes::METHOD_ORIGINAL, Some(request.method().as_str()).filter(|_| !is_known));
        span.set_text(attributes::ROUTE, route);
        span.set_text(attributes::PATH, request.uri().path());
        span.set(attributes::SCHEME, if peer.transport == Transport::Plain { "http" } else { "https" });
        span.set(attributes::PROTOCOL, protocol(request.version()));
        span.set_text(attributes::CLIENT, peer.address.to_string().as_str());
    }
    span
}

/// Adds what is known once there is an answer.
pub fn describe(span: &mut Span, request: &RequestContext, response: &Response) {
    if !span.is_recorded() {
        return;
    }
    let (status, problem) = (response.status(), response.extensions().get::<Arc<Problem>>());
    span.set(attributes::STATUS, status.as_u16());
    span.set_text(attributes::REQUEST_ID, request.id.as_str());
    span.set_text(attributes::CLIENT_ID, request.client());
    span.set_text(attributes::ORDER, request.order_id().or_else(|| problem.and_then(|problem| problem.order_id())));
    if let Some(problem) = problem {
        span.set(attributes::PROBLEM, problem.kind().name);
    }
    if let Some(carts) = request.carts() {
        span.set(attributes::CARTS, carts);
    }
    if status.is_server_error() {
        span.fail_with_status(status.as_u16());
    }
}

const fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        _ => "1.1",
    }
}
