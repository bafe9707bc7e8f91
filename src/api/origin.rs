//! The address under which a client asks.

use axum::http::uri::{Authority, Uri};
use axum::http::{HeaderMap, header};
use url::Url;

use crate::edge::{Peer, Transport};

/// The origin of a request, as its client sees it where no proxy ends TLS.
pub fn origin(uri: &Uri, headers: &HeaderMap, peer: &Peer) -> Option<Url> {
    let of_header = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = uri.authority().map(Authority::as_str).or(of_header)?;
    let scheme = if peer.transport == Transport::Plain { "http" } else { "https" };
    // It is shown in commands that readers paste, so nothing else than a name and a port may be in it.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    let origin: Url = format!("{scheme}://{host}").parse().ok()?;
    (host.chars().all(is_plain) && origin.path() == "/" && origin.query().is_none()).then_some(origin)
}
