//! A call's place in a trace, which 11VMS is told, and its span by OpenTelemetry's conventions for HTTP clients.

use reqwest::Request;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::config::Template;
use crate::order::PropagatedHeaders;
use crate::order::vms_response::{CallOutcome, VmsResponse};
use crate::trace::{self, Span, SpanKind, attributes};

/// The headers of W3C Trace Context: the place of the attempt, so that what 11VMS does belongs to it; where nothing is traced,
/// what the caller had sent.
pub fn trace_headers(propagated_headers: Option<&PropagatedHeaders>) -> HeaderMap {
    let (traceparent, tracestate) = match (trace::current(), propagated_headers) {
        (Some(place), _) => (Some(place.context().to_string()), place.state().map(str::to_owned)),
        (None, Some(headers)) => (headers.traceparent.clone(), headers.tracestate.clone()),
        (None, None) => (None, None),
    };
    let named = [("traceparent", traceparent), ("tracestate", tracestate)].into_iter();
    named
        .filter_map(|(name, value)| Some((HeaderName::from_static(name), HeaderValue::from_str(&value?).ok()?)))
        .collect()
}

/// Begins the span of one request, which has this path of the profile.
pub fn begin(request: &Request, path: &Template) -> Span {
    let mut span = trace::child("HTTP", SpanKind::Client);
    if !span.is_recorded() {
        return span;
    }
    let template = path.to_string();
    let (method, path) = (request.method(), template.split('?').next().unwrap_or_default());
    span.rename(|| format!("{method} {path}"));
    span.set_text(attributes::METHOD, method.as_str());
    span.set_text(attributes::TEMPLATE, path);
    let mut url = request.url().clone();
    span.set_text(attributes::SERVER, url.host_str());
    if let Some(port) = url.port_or_known_default() {
        span.set(attributes::PORT, port);
    }
    url.set_query(None);
    span.set_text(attributes::URL, url.as_str());
    span
}

/// Adds what became of it.
pub fn describe(span: &mut Span, outcome: &CallOutcome) {
    match outcome {
        CallOutcome::Answered(VmsResponse { status, .. }) => {
            span.set(attributes::STATUS, *status);
            if *status >= 400 && span.is_recorded() {
                span.set_text(attributes::ERROR, status.to_string().as_str());
                span.fail();
            }
        }
        CallOutcome::NotSent(_) => failed(span, "not_sent"),
        CallOutcome::Lost(_) => failed(span, "no_answer"),
    }
}

fn failed(span: &mut Span, kind: &'static str) {
    span.set(attributes::ERROR, kind);
    span.fail();
}
