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

/// The span of one request. One whose end is not described was cut off, and has failed.
#[derive(Debug)]
pub struct CallSpan {
    span: Span,
    is_described: bool,
}

impl CallSpan {
    /// Begins the span of a request, which has this path of the profile.
    pub fn begin(request: &Request, path: &Template) -> Self {
        let mut span = trace::child("HTTP", SpanKind::Client);
        if span.is_recorded() {
            describe_request(&mut span, request, path);
        }
        Self { span, is_described: false }
    }

    /// Ends it with what became of the request.
    pub fn end(mut self, outcome: &CallOutcome) {
        self.is_described = true;
        match outcome {
            CallOutcome::Answered(VmsResponse { status, .. }) => {
                self.span.set(attributes::STATUS, *status);
                if *status >= 400 {
                    self.span.fail_with_status(*status);
                }
            }
            CallOutcome::NotSent(_) | CallOutcome::Deferred { .. } => self.span.fail("not_sent"),
            CallOutcome::Lost(_) => self.span.fail("no_answer"),
        }
    }
}

impl Drop for CallSpan {
    fn drop(&mut self) {
        if !self.is_described {
            self.span.fail("cancelled");
        }
    }
}

fn describe_request(span: &mut Span, request: &Request, path: &Template) {
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
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::ManualClock;
    use crate::trace::{Sampling, Tracer};

    #[test]
    fn a_call_that_is_cut_off_has_failed() {
        let (tracer, ended) = Tracer::recording(Arc::new(ManualClock::default()), Sampling(1.0));
        let attempt = tracer.start(None, "attempt", SpanKind::Consumer);
        let request = Request::new(reqwest::Method::POST, "http://vms.example/orders?x=1".parse().unwrap());
        let path = Template::parse("orders?x={id}").unwrap();
        attempt.enclose_sync(|| {
            drop(CallSpan::begin(&request, &path));
            CallSpan::begin(&request, &path).end(&CallOutcome::Lost("no answer".to_owned()));
            CallSpan::begin(&request, &path).end(&CallOutcome::NotSent("no connection".to_owned()));
        });
        let kinds: Vec<String> = ended
            .take_ready(9)
            .iter()
            .map(|span| {
                assert!(span.has_failed && span.name == "POST orders", "{span:?}");
                let error = span.attributes.iter().find(|(name, _)| *name == attributes::ERROR);
                format!("{:?}", error.unwrap().1)
            })
            .collect();
        for (kind, expected) in kinds.iter().zip(["cancelled", "no_answer", "not_sent"]) {
            assert!(kind.contains(expected), "{kinds:?}");
        }
        assert_eq!(kinds.len(), 3);
    }
}
