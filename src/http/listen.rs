//! The accept loop: HTTP/1.0, 1.1 and 2, with a limit on how long a connection may say nothing.

use std::fmt::Display;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use tracing::{debug, warn};

use super::frame::RequestId;
use super::problem::{MEDIA_TYPE, Problem, ProblemKind};
use super::{API_VERSION, SMART_ID};

/// For a request's first byte, and for its headers: SRM sends both at once.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// For the next request on a connection that has served one: longer than gateways keep idle connections, so that it
/// is they who close.
const IDLE: Duration = Duration::from_secs(75);

/// Between two pings of an idle HTTP/2 connection, and for the answer.
const PING: Duration = Duration::from_secs(20);

/// Most bytes of a request's headers; API Management's limit is 18 KiB.
const MAX_HEADERS: usize = 32 * 1024;

/// When accepting fails (no more file descriptors), so long is waited before the next try.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Serves a router until `stop`, then lets the requests under way finish within `drain`.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken, drain: Duration) {
    let graceful = GracefulShutdown::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let connection = connection(stream, router.clone(), stop.clone(), graceful.watcher());
                    drop(tokio::spawn(connection));
                }
                Err(error) => {
                    warn!(%error, "a connection can't be accepted");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                }
            },
        }
    }
    drop(listener);
    if tokio::time::timeout(drain, graceful.shutdown()).await.is_err() {
        warn!("some connections did not end in time; what they asked for is in the ledger");
    }
}

/// What a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Http1,
    Http2,
}

/// The preface of HTTP/2 (RFC 9113 §3.4) begins with these, and no method of HTTP/1 does.
const PREFACE: &[u8; 3] = b"PRI";

/// Between two looks at a client that has sent less than that.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Looks at the first bytes without taking them: a connection whose reader had to tell the versions apart would hold
/// twice the buffer for as long as its caller waits.
async fn version(stream: &TcpStream) -> io::Result<Version> {
    let mut start = [0; PREFACE.len()];
    loop {
        let seen = stream.peek(&mut start).await?;
        match start.get(..seen) {
            Some(seen) if seen == PREFACE => return Ok(Version::Http2),
            Some(seen) if !seen.is_empty() && PREFACE.starts_with(seen) => tokio::time::sleep(LOOK_AGAIN).await,
            _ => return Ok(Version::Http1),
        }
    }
}

async fn connection(mut stream: TcpStream, router: Router, stop: CancellationToken, watcher: Watcher) {
    // Small answers go out at once; where it fails, they only go out later.
    let _ = stream.set_nodelay(true);
    let version = tokio::select! {
        version = version(&stream) => version,
        () = stop.cancelled() => return,
        () = tokio::time::sleep(HEADER_TIMEOUT) => {
            // Best effort: the other side may be long gone. What it has sent is taken first: closed over unread bytes, a
            // connection is reset, and the answer lost.
            let _ = stream.try_read(&mut [0; PREFACE.len()]);
            let _ = stream.write_all(&silent_answer()).await;
            return;
        }
    };
    let served = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&served);
    let service = service_fn(move |request: Request<Incoming>| {
        seen.store(true, Ordering::Relaxed);
        router.clone().oneshot(request.map(Body::new))
    });
    let io = TokioIo::new(stream);
    match version {
        Ok(Version::Http1) => serve_one(watcher.watch(http1().serve_connection(io, service)), &served, &stop).await,
        // Boxed, so that connections of HTTP/1, which are nearly all, do not hold its room too.
        Ok(Version::Http2) => {
            Box::pin(serve_one(watcher.watch(http2().serve_connection(io, service)), &served, &stop)).await;
        }
        Err(error) => debug!(%error, "a connection ended early"),
    }
}

/// Serves a connection to its end; one that brings no whole request in time is closed.
async fn serve_one<E: Display>(
    connection: impl Future<Output = Result<(), E>>,
    served: &AtomicBool,
    stop: &CancellationToken,
) {
    let mut connection = std::pin::pin!(connection);
    let first = tokio::select! {
        ended = &mut connection => Some(ended),
        () = stop.cancelled() => None,
        () = tokio::time::sleep(HEADER_TIMEOUT) => None,
    };
    let ended = match first {
        Some(ended) => ended,
        None if !served.load(Ordering::Relaxed) => return,
        None => connection.await,
    };
    if let Err(error) = ended {
        debug!(%error, "a connection ended early");
    }
}

fn http1() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(IDLE).half_close(true).max_buf_size(MAX_HEADERS);
    builder
}

fn http2() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING)
        .max_header_list_size(u32::try_from(MAX_HEADERS).unwrap_or(u32::MAX));
    builder
}

/// What a connection gets that never said a word.
fn silent_answer() -> Vec<u8> {
    let problem = Problem::new(ProblemKind::REQUEST_TIMEOUT, "no request arrived within 10 s");
    let id = RequestId::new();
    let body = serde_json::to_string(&problem.body("/", &id.0)).unwrap_or_default();
    format!(
        "HTTP/1.1 408 Request Timeout\r\nconnection: close\r\nx-request-id: {id}\r\ncontent-type: {MEDIA_TYPE}\r\napi-version: {API_VERSION}\r\n\
         smart-id: {SMART_ID}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len(),
        id = id.0,
    )
    .into_bytes()
}
