//! The caller's headers that are passed on to 11VMS.

use axum::http::HeaderMap;

use crate::order::PropagatedHeaders;
use crate::problem::RequestId;

/// Longest value that is passed on, in bytes; a SAP passport has some 500.
const MAX_VALUE: usize = 4096;

/// The caller's SAP passport, if it is readable and not too long.
pub fn sap_passport(headers: &HeaderMap) -> Option<String> {
    text(headers, "sap-passport")
}

/// The headers that every attempt passes on.
pub fn propagated_headers(headers: &HeaderMap, request_id: &RequestId) -> PropagatedHeaders {
    PropagatedHeaders {
        traceparent: text(headers, "traceparent"),
        sap_passport: sap_passport(headers),
        request_id: Some(request_id.to_string()),
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    (value.len() <= MAX_VALUE).then(|| value.to_owned())
}
