//! `GET /.well-known/oauth-protected-resource`: what clients learn of issuers and scopes (RFC 9728).

use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::response::{IntoResponse as _, Response};

use crate::api::ApiState;
use crate::api::ResourceMetadata;
use crate::api::origin::origin;
use crate::api::tagged_content::TaggedContent;
use crate::edge::Peer;
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
    let asked = origin(request.uri(), request.headers(), &peer);
    match api.resource.metadata_at(request.uri().path(), asked) {
        Some(metadata) => TaggedContent::json(&metadata).answer(request.headers()),
        None => Problem::new(ProblemKind::NOT_FOUND, "no such path").into_response(),
    }
}
