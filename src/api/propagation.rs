//! The caller's headers that are passed on to 11VMS.

use axum::http::HeaderMap;

use crate::order::PropagatedHeaders;
use crate::problem::RequestId;
use crate::trace::{self, RemoteContext};

/// Longest value that is passed on, in bytes; a SAP passport has some 500.
const MAX_VALUE: usize = 4096;

/// The caller's SAP passport, if it is readable and not too long.
pub fn sap_passport(headers: &HeaderMap) -> Option<String> {
    text(headers, "sap-passport")
}

/// The caller's place in its trace, if it has one.
pub fn caller_place(headers: &HeaderMap) -> Option<RemoteContext> {
    let values = |name: &str| headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    RemoteContext::read(values("traceparent"), values("tracestate"))
}

/// The headers that every attempt passes on. The place in a trace is this request's own; where nothing is traced, the
/// caller's, unchanged.
pub fn propagated_headers(headers: &HeaderMap, request_id: &RequestId) -> PropagatedHeaders {
    let (traceparent, tracestate) = match trace::current() {
        Some(place) => (Some(place.context().to_string()), place.state().map(str::to_owned)),
        None => (text(headers, "traceparent"), text(headers, "tracestate")),
    };
    PropagatedHeaders {
        traceparent,
        tracestate,
        sap_passport: sap_passport(headers),
        request_id: Some(request_id.to_string()),
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    (value.len() <= MAX_VALUE).then(|| value.to_owned())
}
