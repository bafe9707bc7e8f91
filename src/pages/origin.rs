//! The address of this service as its readers see it.

use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri, header};

use crate::api::ApiState;
use crate::edge::{Peer, Transport};

/// `auth.resource`, else what the request was sent to; `None` if that is no plain host. A reader pastes it into a shell, so
/// nothing else than a name and a port may be in it.
pub fn origin(api: &ApiState, uri: &Uri, headers: &HeaderMap, peer: &Peer) -> Option<String> {
    if let Some(identifier) = api.resource.identifier() {
        return Some(identifier.as_str().trim_end_matches('/').to_owned());
    }
    let of_header = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = uri.authority().map(Authority::as_str).or(of_header)?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    let scheme = if peer.transport == Transport::Plain { "http" } else { "https" };
    (!host.is_empty() && host.chars().all(is_plain)).then(|| format!("{scheme}://{host}"))
}
