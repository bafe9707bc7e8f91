//! The certificate that a proxy passes on in a header, in any of the forms that proxies write.

use std::num::NonZeroUsize;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use super::elements::{Element, elements};

/// Traefik's header (`passTLSClientCert.pem`): its elements are the chain that one client has sent, its own certificate first.
/// What is behind that may be anything: the client need not have its key.
const CHAIN_OF_ONE_CLIENT: &str = "x-forwarded-tls-client-cert";

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The certificate of the client, in DER, from the only value of a header.
///
/// An element is RFC 9440's `:base64:`, a PEM text that is percent-encoded (nginx, ingress-nginx) or in one line (Apache),
/// base64 (HAProxy, Cloud Foundry, Traefik), or Envoy's, of which the key `Cert` counts. Of several elements, each trusted proxy
/// has added one at the end: the one that the first of `hops` proxies has added counts, and what is before it is the client's
/// own, unless it may go on in what seems to follow it: then nothing counts. Without `hops`, there has to be one element.
pub fn forwarded_certificate(header: &str, value: &str, hops: Option<NonZeroUsize>) -> Option<Vec<u8>> {
    let elements = elements(value)?;
    let chosen = if header.eq_ignore_ascii_case(CHAIN_OF_ONE_CLIENT) && all_plain(&elements) {
        elements.first()?
    } else {
        match hops {
            Some(hops) => {
                let (before, trusted) = elements.split_at_checked(elements.len().checked_sub(hops.get())?)?;
                trusted.first().filter(|_| !before.iter().any(Element::may_go_on))?
            }
            None => elements.first().filter(|_| elements.len() == 1)?,
        }
    };
    match chosen {
        Element::Plain(text) => certificate(text),
        Element::Pairs(pairs) => {
            let mut certificates = pairs.iter().filter(|pair| pair.key == "cert");
            // Two that disagree: one of them is no key, but a part of a text that was not quoted.
            match (certificates.next(), certificates.next()) {
                (Some(pair), None) => pem(&percent_decode_str(&pair.value).decode_utf8().ok()?),
                _ => None,
            }
        }
    }
}

fn all_plain(elements: &[Element<'_>]) -> bool {
    elements.iter().all(|element| matches!(element, Element::Plain(_)))
}

/// A certificate alone.
fn certificate(text: &str) -> Option<Vec<u8>> {
    if let Some(text) = text.strip_prefix(':') {
        return der(text.strip_suffix(':')?);
    }
    let text = percent_decode_str(text).decode_utf8().ok()?;
    if text.trim_start().starts_with("-----") { pem(&text) } else { der(&text) }
}

/// Of a chain in PEM, the first is the client's. Some proxies make blanks of line breaks.
fn pem(text: &str) -> Option<Vec<u8>> {
    let (base64, behind) = text.trim_start().strip_prefix(BEGIN)?.split_once(END)?;
    let behind = behind.trim_start();
    if behind.is_empty() || behind.starts_with(BEGIN) { der(base64) } else { None }
}

/// A certificate is a SEQUENCE (X.690 §8.9).
fn der(base64: &str) -> Option<Vec<u8>> {
    let base64: String = base64.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(base64).ok().filter(|der| der.first() == Some(&0x30))
}
