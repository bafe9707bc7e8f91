//! `GET /.well-known/oauth-protected-resource`: what clients learn of issuers and scopes (RFC 9728).

use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::http::header;
use axum::http::uri::Authority;
use axum::response::{IntoResponse as _, Json, Response};
use url::Url;

use crate::api::ApiState;
use crate::api::ResourceMetadata;
use crate::edge::{Peer, Transport};
use crate::problem::{Problem, ProblemKind};

/// Metadata of the protected resource
///
/// Issuers and scopes, for clients without a token (RFC 9728). A service whose `auth.resource` has a path has them behind that
/// path: `/.well-known/oauth-protected-resource/{path}`; a challenge (WWW-Authenticate) names the address.
#[utoipa::path(
    get, path = "/.well-known/oauth-protected-resource", tag = "Discovery",
    responses((status = 200, description = "The metadata", body = ResourceMetadata))
)]
pub async fn protected_resource(
    State(api): State<Arc<ApiState>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response {
    match api.resource.metadata_at(request.uri().path(), origin(&request, &peer)) {
        Some(metadata) => Json(metadata).into_response(),
        None => Problem::new(ProblemKind::NOT_FOUND, "no such path").into_response(),
    }
}

/// The origin of a request, as its client sees it where no proxy ends TLS.
fn origin(request: &Request, peer: &Peer) -> Option<Url> {
    let of_header = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = request.uri().authority().map(Authority::as_str).or(of_header)?;
    let scheme = if peer.transport == Transport::Plain { "http" } else { "https" };
    format!("{scheme}://{host}").parse().ok().filter(|url: &Url| url.path() == "/" && url.query().is_none())
}
