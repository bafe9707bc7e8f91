//! What clients learn of this service as a protected resource (RFC 9728): its issuers and scopes, and where challenges point.

use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Json, Response};
use serde_json::{Value, json};
use url::Url;

use super::state::ApiState;
use crate::config::Auth;
use crate::edge::{Peer, Transport};
use crate::problem::{Problem, ProblemKind};

/// Where the metadata of a resource without a path are (RFC 9728 §3).
pub const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

const NAME: &str = "Purchase orders from SAP SRM carts to 11VMS";

/// The metadata, and the parameter of a challenge that names them.
#[derive(Debug)]
pub struct ProtectedResource {
    /// `auth.resource`: `None` if callers were told no address.
    identifier: Option<Url>,
    issuers: Vec<String>,
    scopes: Vec<String>,
}

impl ProtectedResource {
    /// Collects what all issuers have.
    pub fn of(auth: &Auth) -> Self {
        let (mut issuers, mut scopes) = (Vec::new(), Vec::<String>::new());
        for issuer in auth.issuers() {
            // An authorization server is named by its URL (RFC 8414 §2); other issuers have no metadata.
            if issuer.issuer.parse::<Url>().is_ok_and(|url| url.has_host()) {
                issuers.push(issuer.issuer.clone());
            }
            for scope in [&issuer.scopes.write, &issuer.scopes.read, &issuer.scopes.operate] {
                if !scopes.contains(scope) {
                    scopes.push(scope.clone());
                }
            }
        }
        Self { identifier: auth.resource.clone(), issuers, scopes }
    }

    /// Names the metadata in a challenge (RFC 9728 §5.1), if there is one.
    pub fn add_to_challenge(&self, headers: &mut HeaderMap) {
        let challenge = headers.get(header::WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
        let (Some(challenge), Some(identifier)) = (challenge, &self.identifier) else { return };
        let separator = if challenge.contains('=') { "," } else { "" };
        let named = format!("{challenge}{separator} resource_metadata=\"{}\"", metadata_url(identifier));
        if let Ok(value) = HeaderValue::from_str(&named) {
            headers.insert(header::WWW_AUTHENTICATE, value);
        }
    }

    /// The metadata of a resource (RFC 9728 §2).
    fn document(&self, identifier: &Url) -> Value {
        let identifier = text(identifier);
        json!({
            "resource": identifier,
            "authorization_servers": self.issuers,
            "scopes_supported": self.scopes,
            "bearer_methods_supported": ["header"],
            "resource_name": NAME,
            "resource_documentation": format!("{identifier}/docs"),
        })
    }
}

/// The well-known part is between host and path (RFC 9728 §3.1).
fn metadata_url(identifier: &Url) -> Url {
    let mut url = identifier.clone();
    url.set_path(&metadata_path(identifier));
    url
}

fn metadata_path(identifier: &Url) -> String {
    format!("{WELL_KNOWN}{}", identifier.path().trim_end_matches('/'))
}

/// As people write it: without the slash of a path that there is not.
fn text(identifier: &Url) -> &str {
    identifier.as_str().trim_end_matches('/')
}

/// The metadata. Without `auth.resource`, the resource is what the client has asked: it compares both (RFC 9728 §3.3).
pub async fn protected_resource(
    State(api): State<Arc<ApiState>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response {
    let identifier = api.resource.identifier.clone().or_else(|| requested(&request, &peer));
    match identifier.filter(|identifier| request.uri().path() == metadata_path(identifier)) {
        Some(identifier) => Json(api.resource.document(&identifier)).into_response(),
        None => Problem::new(ProblemKind::NOT_FOUND, "no such path").into_response(),
    }
}

/// The origin of a request, as its client sees it where no proxy ends TLS.
fn requested(request: &Request, peer: &Peer) -> Option<Url> {
    let of_header = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = request.uri().authority().map(Authority::as_str).or(of_header)?;
    let scheme = if peer.transport == Transport::Plain { "http" } else { "https" };
    format!("{scheme}://{host}").parse().ok().filter(|url: &Url| url.path() == "/" && url.query().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_part_is_between_host_and_path() {
        for (resource, url, identifier) in [
            ("https://o.example", "https://o.example/.well-known/oauth-protected-resource", "https://o.example"),
            ("https://o.example/", "https://o.example/.well-known/oauth-protected-resource", "https://o.example"),
            (
                "https://o.example:8443/srm/v2/",
                "https://o.example:8443/.well-known/oauth-protected-resource/srm/v2",
                "https://o.example:8443/srm/v2",
            ),
        ] {
            let resource: Url = resource.parse().unwrap();
            assert_eq!((metadata_url(&resource).as_str(), text(&resource)), (url, identifier));
        }
    }
}
