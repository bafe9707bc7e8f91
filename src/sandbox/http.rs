//! What both servers need of HTTP: bodies of answers, and the token of a request.

use axum::body::Bytes;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::Full;
use serde_json::Value;

/// An answer of a sandbox server.
pub type Answer = Response<Full<Bytes>>;

pub fn json_answer(status: u16, body: &Value) -> Answer {
    text_answer(status, "application/json", body.to_string())
}

pub fn text_answer(status: u16, content_type: &'static str, body: String) -> Answer {
    let mut answer = Response::new(Full::from(body));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

/// The token of an `Authorization: Bearer` header.
pub fn bearer(request: &Request<Bytes>) -> Option<String> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ").map(str::to_owned)
}
