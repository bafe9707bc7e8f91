//! The documents for catalogues, each with an entity tag: for crawlers without a token.

use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

use crate::api::ApiState;
use crate::api::catalogues::{DISCOVERY_LINKS, configuration, document, linkset};
use crate::api::origin::origin;
use crate::api::tagged_content::TaggedContent;
use crate::edge::Peer;

/// The media type of the API catalogue (RFC 9727 §4.2).
const LINKSET: &str = "application/linkset+json; profile=\"https://www.rfc-editor.org/info/rfc9727\"";

/// Configuration of Open Resource Discovery
///
/// Where crawlers of catalogues begin; it names the document.
#[utoipa::path(
    get, path = "/.well-known/open-resource-discovery", tag = "Discovery",
    responses((status = 200, description = "The configuration (Open Resource Discovery 1.13)", body = Object))
)]
pub async fn ord_configuration(headers: HeaderMap) -> Response {
    TaggedContent::json(&configuration()).answer(&headers)
}

/// Document of Open Resource Discovery
///
/// The product, its package and this API, with the addresses of its descriptions.
#[utoipa::path(
    get, path = "/open-resource-discovery/v1/documents/1", tag = "Discovery",
    responses((status = 200, description = "The document (Open Resource Discovery 1.13)", body = Object))
)]
pub async fn ord_document(
    State(api): State<Arc<ApiState>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response {
    TaggedContent::json(&document(&base(&api, &peer, &request))).answer(request.headers())
}

/// API catalogue
///
/// The links of this API (RFC 9727), as a linkset (RFC 9264); some of them are in the header Link too.
#[utoipa::path(
    get, path = "/.well-known/api-catalog", tag = "Discovery",
    responses((
        status = 200, description = "The linkset", body = Object, content_type = "application/linkset+json"
    ))
)]
pub async fn api_catalog(
    State(api): State<Arc<ApiState>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response {
    let links = linkset(&base(&api, &peer, &request)).to_string();
    let mut response = TaggedContent::new(LINKSET, links).answer(request.headers());
    response.headers_mut().insert(header::LINK, HeaderValue::from_static(DISCOVERY_LINKS));
    response
}

/// The address of the service as its callers know it; empty if the request does not say it.
fn base(api: &ApiState, peer: &Peer, request: &Request) -> String {
    let asked = origin(request.uri(), request.headers(), peer);
    api.resource.base(asked.as_ref()).unwrap_or_default()
}
