//! The client certificate of a request: from the TLS handshake, or from the header of a trusted proxy.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use crate::auth::Thumbprint;
use crate::config::Proxy;

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
        (Some(value), None) => certificate(value).map(|der| Thumbprint::of(&der)),
        // No header, or two that may disagree.
        _ => None,
    }
}

/// A certificate in DER from a header, in any of the forms that proxies write: RFC 9440 (`:base64:`), percent-encoded
/// PEM (nginx, ingress-nginx), Envoy's `Cert="…"`, plain base64 (Cloud Foundry).
fn certificate(value: &HeaderValue) -> Option<Vec<u8>> {
    let text = value.to_str().ok()?.trim();
    let text = certificate_of_envoy(text).unwrap_or(text);
    let text = text.strip_prefix(':').and_then(|text| text.strip_suffix(':')).unwrap_or(text);
    let text = percent_decode_str(text).decode_utf8().ok()?;
    // Of a chain in PEM, the first is the client's.
    let body = match text.split_once("-----BEGIN CERTIFICATE-----") {
        Some((_, rest)) => rest.split_once("-----END CERTIFICATE-----")?.0,
        None => &text,
    };
    let base64: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    // A certificate is a SEQUENCE (X.690 §8.9).
    STANDARD.decode(base64).ok().filter(|der| der.first() == Some(&0x30))
}

/// The certificate in the one element of `x-forwarded-client-cert`; `None` for other forms. The text is empty if there
/// are several elements, as the client itself may have sent the first, or if the element holds only a chain or a hash.
fn certificate_of_envoy(text: &str) -> Option<&str> {
    // No other form has a quotation mark or a semicolon.
    if !text.contains(['"', ';']) {
        return None;
    }
    let several = text.split('"').step_by(2).any(|outside| outside.contains(',')) || text.matches("Cert=").count() > 1;
    let certificate = text.split_once("Cert=\"").and_then(|(_, rest)| rest.split_once('"'));
    Some(certificate.filter(|_| !several).map_or("", |(certificate, _)| certificate))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DER: &[u8] = b"\x30\x82\x01\xfb\xff a certificate";

    fn proxy() -> Proxy {
        Proxy {
            addresses: vec!["10.1.0.0/16".parse().unwrap()],
            certificate_header: axum::http::HeaderName::from_static("client-cert"),
        }
    }

    fn peer(address: &str) -> Peer {
        Peer {
            address: address.parse().unwrap(),
            transport: Transport::Tls,
            certificate: Some(Thumbprint::of(b"of the handshake")),
        }
    }

    fn headers(values: &[&str]) -> HeaderMap {
        let name = axum::http::HeaderName::from_static("client-cert");
        values.iter().map(|value| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn every_form_of_a_certificate_is_read() {
        let base64 = STANDARD.encode(DER);
        let pem = format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n");
        let escaped = pem.replace('\n', "%0A").replace(' ', "%20").replace('+', "%2B").replace('=', "%3d");
        for value in [
            format!(":{base64}:"),
            base64,
            escaped.clone(),
            format!("{escaped}{}", escaped.replace("MII", "MIX")),
            format!("By=spiffe://x;Hash=00;Cert=\"{escaped}\";Subject=\"CN=x\""),
        ] {
            let found = certificate(&HeaderValue::from_str(&value).unwrap());
            assert_eq!(found.as_deref(), Some(DER), "{value}");
        }
        let victim = format!("By=x;Cert=\"{escaped}\",By=y;Hash=1");
        let twice = format!("Cert=\"{escaped}\",Cert=\"{escaped}\"");
        for nonsense in
            [victim.as_str(), twice.as_str(), "", "::", "%", "%zz", ":***:", "Hash=00", "-----BEGIN CERTIFICATE-----"]
        {
            assert_eq!(certificate(&HeaderValue::from_str(nonsense).unwrap()), None, "{nonsense}");
        }
    }

    #[test]
    fn only_a_configured_proxy_is_trusted() {
        let value = format!(":{}:", STANDARD.encode(DER));
        let of_the_handshake = Some(Thumbprint::of(b"of the handshake"));
        let of_the_header = Some(Thumbprint::of(DER));
        let headers = headers(&[&value]);
        assert_eq!(certificate_of(&headers, &peer("10.1.2.3"), Some(&proxy())), of_the_header);
        assert_eq!(certificate_of(&headers, &peer("10.2.2.3"), Some(&proxy())), of_the_handshake);
        assert_eq!(certificate_of(&headers, &peer("10.1.2.3"), None), of_the_handshake);
    }

    #[test]
    fn a_proxy_has_to_send_exactly_one_valid_header() {
        let value = format!(":{}:", STANDARD.encode(DER));
        for values in [&[][..], &[value.as_str(), value.as_str()], &["nonsense"]] {
            assert_eq!(certificate_of(&headers(values), &peer("10.1.2.3"), Some(&proxy())), None, "{values:?}");
        }
    }
}
