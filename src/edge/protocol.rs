//! Which protocol a connection speaks, from its first bytes.

use std::io;
use std::time::Duration;

use tokio::net::TcpStream;

/// A version of HTTP, as far as its framing matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpVersion {
    /// HTTP/1.0 or HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

/// The protocol that a connection begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DetectedProtocol {
    /// A TLS handshake (RFC 8446 §5.1).
    Tls,
    /// HTTP without TLS.
    Plain(HttpVersion),
}

/// The preface of HTTP/2 (RFC 9113 §3.4) begins with these bytes; no method of HTTP/1 does.
const PREFACE: &[u8; 3] = b"PRI";

/// The first byte of a TLS record that holds a handshake.
const HANDSHAKE: u8 = 22;

/// Pause between two looks at a client that has sent less than the preface.
const PEEK_INTERVAL: Duration = Duration::from_millis(10);

/// Looks at the first bytes without taking them: a reader that has to tell the versions apart would hold a second
/// buffer as long as its caller waits.
///
/// # Errors
/// If the connection breaks, or ends without a byte.
pub async fn detect_protocol(stream: &TcpStream) -> io::Result<DetectedProtocol> {
    let mut start = [0; PREFACE.len()];
    loop {
        let seen = stream.peek(&mut start).await?;
        match start.get(..seen) {
            // Closed without a byte, as a load balancer's TCP check does it.
            Some([]) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Some([HANDSHAKE, ..]) => return Ok(DetectedProtocol::Tls),
            Some(seen) if seen == PREFACE => return Ok(DetectedProtocol::Plain(HttpVersion::Http2)),
            Some(seen) if PREFACE.starts_with(seen) => tokio::time::sleep(PEEK_INTERVAL).await,
            _ => return Ok(DetectedProtocol::Plain(HttpVersion::Http1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_protocol_is_known_from_the_first_bytes_and_none_is_an_end() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        for (bytes, expected) in [
            ("\u{16}\u{3}\u{1}", Ok(DetectedProtocol::Tls)),
            ("PRI * HTTP/2.0", Ok(DetectedProtocol::Plain(HttpVersion::Http2))),
            ("POST / HTTP/1.1", Ok(DetectedProtocol::Plain(HttpVersion::Http1))),
            ("G", Ok(DetectedProtocol::Plain(HttpVersion::Http1))),
            ("", Err(io::ErrorKind::UnexpectedEof)),
        ] {
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (stream, _) = listener.accept().await.unwrap();
            client.write_all(bytes.as_bytes()).await.unwrap();
            client.shutdown().await.unwrap();
            assert_eq!(detect_protocol(&stream).await.map_err(|error| error.kind()), expected, "{bytes:?}");
        }
    }
}
