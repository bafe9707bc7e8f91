//! The first bytes of a connection: what the client speaks, and what it is told if it says nothing, or too many are here.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::http::error::COME_AGAIN;
use crate::http::frame::RequestId;
use crate::http::problem::{MEDIA_TYPE, Problem, ProblemKind};
use crate::http::tls::ServerTls;
use crate::http::{API_VERSION, SMART_ID};

/// What a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    Http1,
    Http2,
}

/// How a connection begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DetectedProtocol {
    /// With a handshake of TLS (RFC 8446 §5.1).
    Tls,
    /// With a request.
    Plain(Version),
}

/// The preface of HTTP/2 (RFC 9113 §3.4) begins with these, and no method of HTTP/1 does.
const PREFACE: &[u8; 3] = b"PRI";

/// The first byte of a record that holds a handshake.
const HANDSHAKE: u8 = 22;

/// Bytes that are taken before an early answer. A client that sends on must not hold up whoever answers it.
const MOST_DRAINED: usize = 16 * 1024;

/// Between two looks at a client that has sent less than the preface.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Looks at the first bytes without taking them: a connection whose reader had to tell the versions apart would hold
/// twice the buffer for as long as its caller waits.
pub async fn detect_protocol(stream: &TcpStream) -> io::Result<DetectedProtocol> {
    let mut start = [0; PREFACE.len()];
    loop {
        let seen = stream.peek(&mut start).await?;
        match start.get(..seen) {
            Some([HANDSHAKE, ..]) => return Ok(DetectedProtocol::Tls),
            Some(seen) if seen == PREFACE => return Ok(DetectedProtocol::Plain(Version::Http2)),
            Some(seen) if !seen.is_empty() && PREFACE.starts_with(seen) => tokio::time::sleep(LOOK_AGAIN).await,
            _ => return Ok(DetectedProtocol::Plain(Version::Http1)),
        }
    }
}

/// What a connection gets that never said a word. In TLS there is no telling.
pub async fn silent(stream: &mut TcpStream, waited: Duration, tls: Option<&Arc<ServerTls>>) {
    if tls.is_none() {
        let problem = Problem::new(ProblemKind::REQUEST_TIMEOUT, format!("no request arrived within {waited:?}"));
        answer_and_close(stream, &problem).await;
    }
}

/// What a request gets that comes without TLS where TLS is spoken.
pub async fn tls_expected(stream: &mut TcpStream) {
    answer_and_close(
        stream,
        &Problem::new(ProblemKind::TLS_EXPECTED, "this port speaks TLS alone; the request came without"),
    )
    .await;
}

/// What a connection gets that is one too many. It is not waited for: that would take the place that there is none of.
pub fn refuse(stream: &TcpStream) {
    let problem = Problem::new(ProblemKind::OVERLOADED, "as many connections as the service takes are open");
    drain(stream);
    let _ = stream.try_write(&bytes(&problem.retry_after(COME_AGAIN)));
}

/// Best effort: the other side may be long gone.
async fn answer_and_close(stream: &mut TcpStream, problem: &Problem) {
    drain(stream);
    let _ = stream.write_all(&bytes(problem)).await;
    let _ = stream.shutdown().await;
}

/// Closed over unread bytes, a connection is reset, and the answer lost: what has come so far is taken.
fn drain(stream: &TcpStream) {
    let _ = stream.try_read(&mut [0; MOST_DRAINED]);
}

/// An answer before there is a request.
fn bytes(problem: &Problem) -> Vec<u8> {
    let id = RequestId::new();
    let status = problem.status();
    let body = serde_json::to_string(&problem.body("/", &id.0)).unwrap_or_default();
    let wait =
        if status.as_u16() == 503 { format!("retry-after: {}\r\n", COME_AGAIN.as_secs()) } else { String::new() };
    format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\n{wait}x-request-id: {id}\r\ncontent-type: {MEDIA_TYPE}\r\napi-version: {API_VERSION}\r\n\
         smart-id: {SMART_ID}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len(),
        id = id.0,
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn whoever_sends_without_end_is_not_listened_to_without_end() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut sender = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        sender.write_all(&vec![b'x'; 2 * MOST_DRAINED]).await.unwrap();
        // Until all of it has come.
        let mut waiting = vec![0; 2 * MOST_DRAINED];
        while stream.peek(&mut waiting).await.unwrap() < waiting.len() {}
        drain(&stream);
        assert_eq!(stream.try_read(&mut waiting).unwrap_or(0), MOST_DRAINED);
    }
}
