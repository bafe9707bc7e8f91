//! The versions of HTTP of a client.

/// The versions of HTTP that a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpVersions {
    /// HTTP/2 where TLS has negotiated it, else HTTP/1.1.
    Negotiated,
    /// HTTP/2 in any case.
    Http2,
}
