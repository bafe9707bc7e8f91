//! Headers that tell a browser what it must not do with an answer.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::edge::Transport;

/// The content security policy of every answer whose handler sets no other: a page loads what comes from this service only, and
/// no script or style that stands in it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Adds the headers: no content type is guessed, no page is framed, no address is passed on as a referrer, and nothing
/// is cached unless the handler allows it.
pub fn add_security_headers(headers: &mut HeaderMap, transport: Transport) {
    let mut add = |name: HeaderName, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
    add(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    add(header::X_FRAME_OPTIONS, "DENY");
    add(header::REFERRER_POLICY, "no-referrer");
    add(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    if transport == Transport::Tls {
        add(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}
