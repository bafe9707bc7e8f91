//! The CSRF token that clients of SAP fetch before they post (`x-csrf-token: fetch`). None is needed, and each path that
//! takes a POST says so: the token is fetched from the very address that will be posted to.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::access::AuthenticatedCaller;
use super::state::ApiState;
use crate::problem::Problem;

const X_CSRF_TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");

/// The token that every client gets. It is never asked for: requests are authorized by their bearer token, which no browser
/// adds by itself.
const NOT_NEEDED: HeaderValue = HeaderValue::from_static("not-needed");

/// Whether the client fetches a token.
pub fn is_fetched(headers: &HeaderMap) -> bool {
    headers.get(X_CSRF_TOKEN).is_some_and(|value| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"fetch"))
}

/// Adds the token to an answer.
pub fn with_token(answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    response.headers_mut().insert(X_CSRF_TOKEN, NOT_NEEDED);
    response
}

/// Adds the token to the answer of a page, if the client fetches one: a page with a form is a path that takes a POST too.
pub async fn add_token_if_fetched(request: Request, next: Next) -> Response {
    let is_fetched = matches!(*request.method(), Method::GET | Method::HEAD) && is_fetched(request.headers());
    let response = next.run(request).await;
    if is_fetched { with_token(response) } else { response }
}

/// Answers GET and HEAD at a path that only takes a POST: a fetch gets the token, whatever its query says and whatever the
/// caller may do; everything else is refused.
///
/// # Errors
/// The problem of the token, of its client's rate, or of too many requests at once.
pub async fn answer_fetch_or_refuse(State(api): State<Arc<ApiState>>, request: Request) -> Result<Response, Problem> {
    let (mut parts, _) = request.into_parts();
    if !matches!(parts.method, Method::GET | Method::HEAD) || !is_fetched(&parts.headers) {
        // The frame gives it its problem, and the router names the methods that there are.
        return Ok(StatusCode::METHOD_NOT_ALLOWED.into_response());
    }
    AuthenticatedCaller::from_request_parts(&mut parts, &api).await?;
    Ok(with_token(Json(json!({}))))
}
