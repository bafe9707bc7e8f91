//! The documents for catalogues, each with an entity tag: for crawlers without a token.

use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use serde_json::Value;

use crate::api::ApiState;
use crate::api::catalogues::{DISCOVERY_LINKS, configuration, document, linkset};
use crate::api::origin::origin;
use crate::api::tagged_content::TaggedContent;
use crate::edge::Peer;

/// The media type of the API catalogue (RFC 9727 §4.2).
const LINKSET: &str = "application/linkset+json; profile=\"https://www.rfc-editor.org/info/rfc9727\"";

/// `GET /.well-known/open-resource-discovery`
pub async fn ord_configuration(headers: HeaderMap) -> Response {
    content("application/json", &configuration()).answer(&headers)
}

/// `GET /open-resource-discovery/v1/documents/1`
pub async fn ord_document(
    State(api): State<Arc<ApiState>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response {
    content("application/json", &document(&base(&api, &peer, &request))).answer(request.headers())
}

/// `GET` and `HEAD /.well-known/api-catalog`: the links are in a header too (RFC 9727 §2).
pub async fn api_catalog(
    State(api): State<Arc<ApiState>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response {
    let mut response = content(LINKSET, &linkset(&base(&api, &peer, &request))).answer(request.headers());
    response.headers_mut().insert(header::LINK, HeaderValue::from_static(DISCOVERY_LINKS));
    response
}

/// The address of the service as its callers know it; empty if the request does not say it.
fn base(api: &ApiState, peer: &Peer, request: &Request) -> String {
    let asked = origin(request.uri(), request.headers(), peer);
    api.resource.base(asked.as_ref()).unwrap_or_default()
}

fn content(media_type: &'static str, document: &Value) -> TaggedContent {
    TaggedContent::new(media_type, document.to_string())
}
