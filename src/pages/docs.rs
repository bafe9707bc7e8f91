//! What a developer explores: the API's description, and Swagger UI, which works offline.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use utoipa_swagger_ui::Config;

use crate::api::description::{self, Spec};
use crate::problem::{Problem, ProblemKind};

/// The page; its scripts are files of this service, none is inline.
const PAGE: &str = include_str!("docs.html");

/// Swagger UI draws with styles that it generates, and with pictures in its own text.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static SPEC_3_1: LazyLock<String> = LazyLock::new(|| description::text(Spec::V3_1));
static SPEC_3_0: LazyLock<String> = LazyLock::new(|| description::text(Spec::V3_0));

static SWAGGER_UI: LazyLock<Arc<Config<'static>>> =
    LazyLock::new(|| Arc::new(Config::from("/openapi.json").validator_url("none").display_operation_id(true)));

/// The description as JSON, and the page that shows it.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/docs", get(|| async { ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(PAGE)) }))
        .route("/docs/{file}", get(get_docs_file))
        .route("/openapi.json", get(|| async { json(&SPEC_3_1) }))
        .route("/openapi-3.0.json", get(|| async { json(&SPEC_3_0) }))
}

fn json(text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response()
}

async fn get_docs_file(Path(file): Path<String>) -> Response {
    match utoipa_swagger_ui::serve(&file, Arc::clone(&SWAGGER_UI)) {
        Ok(Some(found)) => {
            let content_type = HeaderValue::from_str(&found.content_type)
                .unwrap_or(HeaderValue::from_static("application/octet-stream"));
            // Not copied: many slow readers would hold as many copies.
            let bytes = match found.bytes {
                Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                Cow::Owned(bytes) => bytes.into(),
            };
            let mut response = (StatusCode::OK, bytes).into_response();
            response.headers_mut().insert(header::CONTENT_TYPE, content_type);
            // The files change with the program only.
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=3600"));
            if found.gzpipped {
                response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
            response
        }
        _ => Problem::new(ProblemKind::NOT_FOUND, "no such path").into_response(),
    }
}
