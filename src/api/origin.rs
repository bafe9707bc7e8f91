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
    format!("{scheme}://{host}").parse().ok().filter(|url: &Url| url.path() == "/" && url.query().is_none())
}
