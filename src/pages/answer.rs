//! A template as an answer.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};

use crate::problem::Problem;

/// How long a page that the program and its settings alone make up may be shown again.
const FRESH: HeaderValue = HeaderValue::from_static("max-age=300");

/// A page whose content changes; it is not cached.
pub fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => Html(text).into_response(),
        Err(_) => Problem::internal_error().into_response(),
    }
}

/// A page that stays the same while the service runs.
pub fn lasting_page(template: &impl Template) -> Response {
    let mut response = page(template);
    if response.status() == StatusCode::OK {
        response.headers_mut().insert(header::CACHE_CONTROL, FRESH);
    }
    response
}

/// A template as text; empty if it can't be rendered.
pub fn rendered(template: &impl Template) -> String {
    template.render().unwrap_or_default()
}
