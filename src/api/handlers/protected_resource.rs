//! `GET /.well-known/oauth-protected-resource`: what clients learn of issuers and scopes (RFC 9728).

use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::http::header;
use axum::http::uri::Authority;
use axum::response::{IntoResponse as _, Json, Response};
use url::Url;

use crate::api::ApiState;
use crate::edge::{Peer, Transport};
use crate::problem::{Problem, ProblemKind};

/// The metadata, for clients without a token.
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
