//! The client certificate of a request: from the TLS handshake, or from the header of a trusted proxy.

mod elements;
mod forwarded;

use std::net::IpAddr;

use axum::http::HeaderMap;

use crate::auth::Thumbprint;
use crate::config::Proxy;
pub use forwarded::forwarded_certificate;

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// The address it connects from; IPv4 within IPv6 as IPv4.
    pub address: IpAddr,
    /// The transport of the connection.
    pub transport: Transport,
    /// Its certificate in the handshake.
    pub certificate: Option<Thumbprint>,
}

/// The transport of a connection to the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Without TLS, or with TLS that a proxy terminates.
    Plain,
    /// TLS that the service terminates.
    Tls,
}

/// The certificate of a request's caller. A proxy's connection has the proxy's own certificate in the handshake.
pub fn certificate_of(headers: &HeaderMap, peer: &Peer, proxy: Option<&Proxy>) -> Option<Thumbprint> {
    let Some(proxy) = proxy.filter(|proxy| proxy.addresses.iter().any(|net| net.contains(&peer.address))) else {
        return peer.certificate;
    };
    let mut values = headers.get_all(&proxy.certificate_header).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => {
            let der = forwarded_certificate(proxy.certificate_header.as_str(), value.to_str().ok()?, proxy.hops)?;
            Some(Thumbprint::of(&der))
        }
        // No header, or two that may disagree.
        _ => None,
    }
}

#[cfg(test)]
mod tests;
