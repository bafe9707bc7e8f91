//! The files that pages load: the stylesheet, the icon, and a cart to begin with. Each is a part of the program.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::RawQuery;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use super::sample::SAMPLE;
use crate::api::ApiState;
use crate::digest::sha256_hex;

const STYLE: &str = include_str!("assets/style.css");
const ICON: &str = include_str!("assets/favicon.svg");

/// Characters of a file's hash in its address and in its ETag: enough to tell the versions of one file apart.
const HASH_CHARS: usize = 16;

static STYLE_FILE: LazyLock<Asset> = LazyLock::new(|| Asset::new("text/css; charset=utf-8", STYLE));
static ICON_FILE: LazyLock<Asset> = LazyLock::new(|| Asset::new("image/svg+xml", ICON));
static SAMPLE_FILE: LazyLock<Asset> = LazyLock::new(|| Asset::new("application/json", SAMPLE));
static STYLE_URL: LazyLock<String> = LazyLock::new(|| format!("/assets/style.css?v={}", STYLE_FILE.hash));

/// The files' routes.
pub fn router() -> Router<Arc<ApiState>> {
    Router::new()
        .route("/assets/style.css", get(|query, headers| async move { STYLE_FILE.answer(query, &headers) }))
        .route("/assets/favicon.svg", get(|query, headers| async move { ICON_FILE.answer(query, &headers) }))
        .route("/assets/sample.cart.json", get(|query, headers| async move { SAMPLE_FILE.answer(query, &headers) }))
}

/// The address of the stylesheet, another one for each version of it.
pub fn style_url() -> &'static str {
    &STYLE_URL
}

/// One file.
struct Asset {
    content_type: &'static str,
    text: &'static str,
    hash: String,
}

impl Asset {
    fn new(content_type: &'static str, text: &'static str) -> Self {
        let hash = sha256_hex(text.as_bytes()).chars().take(HASH_CHARS).collect();
        Self { content_type, text, hash }
    }

    /// The file, or 304 for a client that has it (RFC 9110 §13.1.2). What was asked for by its hash never changes; during an
    /// upgrade, a replica of another version gives its own file, which is not to be kept under that name.
    fn answer(&self, RawQuery(query): RawQuery, headers: &HeaderMap) -> Response {
        let is_named = query.is_some_and(|query| query.strip_prefix("v=") == Some(&self.hash));
        let caching = if is_named { "public, max-age=31536000, immutable" } else { "no-cache" };
        let tag = format!("\"{}\"", self.hash);
        let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
        let is_known =
            known.is_some_and(|known| known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag));
        let tag = HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\""));
        let fields = [(header::ETAG, tag), (header::CACHE_CONTROL, HeaderValue::from_static(caching))];
        if is_known {
            return (StatusCode::NOT_MODIFIED, fields).into_response();
        }
        (fields, [(header::CONTENT_TYPE, self.content_type)], self.text).into_response()
    }
}
