//! The accept loop: HTTP/1.0, 1.1 and 2, with a limit on how long a connection may say nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
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

async fn connection(mut stream: TcpStream, router: Router, stop: CancellationToken, watcher: Watcher) {
    // Small answers go out at once; where it fails, they only go out later.
    let _ = stream.set_nodelay(true);
    let mut first_byte = [0];
    tokio::select! {
        _ = stream.peek(&mut first_byte) => {}
        () = stop.cancelled() => return,
        () = tokio::time::sleep(HEADER_TIMEOUT) => {
            // Best effort: the other side may be long gone.
            let _ = stream.write_all(&silent_answer()).await;
            return;
        }
    }
    let served = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&served);
    let service = service_fn(move |request: Request<Incoming>| {
        seen.store(true, Ordering::Relaxed);
        router.clone().oneshot(request.map(Body::new))
    });
    let builder = builder();
    let connection = watcher.watch(builder.serve_connection(TokioIo::new(stream), service).into_owned());
    let mut connection = std::pin::pin!(connection);
    let first = tokio::select! {
        ended = &mut connection => Some(ended),
        () = stop.cancelled() => None,
        () = tokio::time::sleep(HEADER_TIMEOUT) => None,
    };
    let ended = match first {
        Some(ended) => ended,
        // No whole request came in time: hyper's own time-out does not watch while it tells HTTP/1 from HTTP/2.
        None if !served.load(Ordering::Relaxed) => return,
        None => connection.await,
    };
    if let Err(error) = ended {
        debug!(%error, "a connection ended early");
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(IDLE).half_close(true).max_buf_size(MAX_HEADERS);
    builder
        .http2()
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
