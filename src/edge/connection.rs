//! One connection, from its first byte to its end.

use std::convert::Infallible;
use std::fmt::Display;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Request, Response, Version};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tower::Service as _;
use tracing::{debug, info};

use super::client_certificate::{Peer, Transport};
use super::early_answer;
use super::parser_error::ExplainParserErrors;
use super::protocol::{DetectedProtocol, HttpVersion, detect_protocol};
use super::tls::ServerTls;
use crate::auth::Thumbprint;
use crate::config::Limits;
use crate::problem::Refusals;
use crate::shutdown::Shutdown;

/// Interval of pings on an idle HTTP/2 connection, and the time for their answer: shorter than the minute after which
/// proxies and firewalls forget a silent connection.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// What all connections of a listener share.
#[derive(Debug)]
pub struct Serving {
    /// Answers requests.
    pub router: Router,
    /// TLS, if it ends here.
    pub tls: Option<Arc<ServerTls>>,
    /// Limits on size and time.
    pub limits: Limits,
    /// Where requests are counted that no route sees.
    pub refusals: Arc<Refusals>,
}

/// What lets a connection end after the requests under way.
#[derive(Debug)]
pub struct Watchers {
    /// At the announcement of a stop; `None` for a connection that arrived after it.
    pub announced: Option<Watcher>,
    /// When the drain begins.
    pub drain: Watcher,
}

impl Watchers {
    /// The one for a connection of HTTP/2, which loses no request by an early end: its client is told the last one that is
    /// served (GOAWAY, RFC 9113 §6.8), and sends the next ones on another connection.
    fn of_http2(self) -> Watcher {
        self.announced.unwrap_or(self.drain)
    }
}

/// An accepted connection.
pub struct Connection {
    serving: Arc<Serving>,
    address: SocketAddr,
    shutdown: Shutdown,
    _permit: OwnedSemaphorePermit,
}

impl Connection {
    /// Wraps a connection; its permit is held until the connection ends.
    pub const fn new(
        serving: Arc<Serving>,
        address: SocketAddr,
        shutdown: Shutdown,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        Self { serving, address, shutdown, _permit: permit }
    }

    /// Serves the connection to its end.
    pub async fn run(self, mut stream: TcpStream, watchers: Watchers) {
        // Without Nagle's delay, small answers leave at once; where the option can't be set, they leave later.
        let _ = stream.set_nodelay(true);
        let first_byte = self.serving.limits.first_byte;
        let client = self.address.ip().to_canonical();
        let detected = tokio::select! {
            detected = detect_protocol(&stream) => detected,
            () = self.shutdown.draining().cancelled() => return,
            () = tokio::time::sleep(first_byte) => {
                // A client that waits for TLS can't read an answer without it.
                if self.serving.tls.is_none() {
                    early_answer::no_request(&mut stream, client, first_byte, &self.serving.refusals).await;
                }
                return;
            }
        };
        match (detected, &self.serving.tls) {
            (Ok(DetectedProtocol::Plain(version)), None) => {
                self.serve_http(stream, version, Transport::Plain, None, watchers).await;
            }
            // Boxed: plain connections, which are more, do not reserve its memory.
            (Ok(DetectedProtocol::Tls), Some(tls)) => {
                Box::pin(self.shake_hands(stream, tls.acceptor(), watchers)).await;
            }
            (Ok(DetectedProtocol::Plain(_)), Some(_)) => {
                early_answer::tls_expected(&mut stream, client, &self.serving.refusals).await;
            }
            // A TLS handshake is no HTTP request; the parser says so.
            (Ok(DetectedProtocol::Tls), None) => {
                self.serve_http(stream, HttpVersion::Http1, Transport::Plain, None, watchers).await;
            }
            (Err(error), _) => debug!(error.message = %error, "a connection ended before its first request"),
        }
    }

    async fn shake_hands(&self, stream: TcpStream, acceptor: TlsAcceptor, watchers: Watchers) {
        let client = self.address.ip().to_canonical();
        let shaken = tokio::select! {
            shaken = tokio::time::timeout(self.serving.limits.first_byte, acceptor.accept(stream)) => shaken,
            () = self.shutdown.draining().cancelled() => return,
        };
        match shaken {
            Ok(Ok(stream)) => {
                let (version, certificate) = negotiated(&stream);
                self.serve_http(stream, version, Transport::Tls, certificate, watchers).await;
            }
            // INFO: an operator looks for this line when a client can't connect.
            Ok(Err(error)) => info!(client.address = %client, error.message = %error, "a TLS handshake failed"),
            Err(_) => debug!(client.address = %client, "a TLS handshake took too long"),
        }
    }

    async fn serve_http<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        &self,
        stream: S,
        version: HttpVersion,
        transport: Transport,
        certificate: Option<Thumbprint>,
        watchers: Watchers,
    ) {
        let peer = Peer { address: self.address.ip().to_canonical(), transport, certificate };
        let activity = Arc::new(Activity::default());
        let (counted, router) = (Arc::clone(&activity), self.serving.router.clone());
        // One clone a connection: each takes a lock that all connections share.
        let shutdown = Arc::new(self.shutdown.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            answer(&mut router.clone(), request, peer, Arc::clone(&counted), Arc::clone(&shutdown))
        });
        let limits = &self.serving.limits;
        match version {
            HttpVersion::Http1 => {
                let io =
                    TokioIo::new(ExplainParserErrors::new(stream, peer.address, Arc::clone(&self.serving.refusals)));
                let connection = pin!(watchers.drain.watch(http1(limits).serve_connection(io, service)));
                self.drive_until_idle(connection, &activity).await;
            }
            // Boxed: HTTP/1 connections, which are nearly all, do not reserve its memory.
            HttpVersion::Http2 => {
                let connection = http2(limits).serve_connection(TokioIo::new(stream), service);
                let mut connection = Box::pin(watchers.of_http2().watch(connection));
                self.drive_until_idle(connection.as_mut(), &activity).await;
            }
        }
    }

    /// Drives a connection until it ends, or until nothing happens on it: a connection that brings no whole request in
    /// time is closed, and so is one that stays idle, even if its client takes no answer.
    async fn drive_until_idle<E: Display>(
        &self,
        mut connection: Pin<&mut impl Future<Output = Result<(), E>>>,
        activity: &Activity,
    ) {
        let mut patience = self.serving.limits.header_time;
        let mut before = 0;
        let mut stopping = false;
        let ended = loop {
            tokio::select! {
                ended = &mut connection => break ended,
                () = self.shutdown.draining().cancelled(), if !stopping => stopping = true,
                () = tokio::time::sleep(patience) => {}
            }
            let (now, under_way) = activity.snapshot();
            if now == 0 || (!stopping && under_way == 0 && now == before) {
                return;
            }
            (before, patience) = (now, self.serving.limits.idle_time);
        };
        if let Err(error) = ended {
            debug!(error.message = %error, "a connection ended early");
        }
    }
}

/// What happens on a connection.
#[derive(Debug, Default)]
struct Activity {
    /// Begins and ends of requests, counted together: an answer takes its time on the way, too.
    events: AtomicUsize,
    under_way: AtomicUsize,
}

impl Activity {
    /// Events so far, and requests under way.
    fn snapshot(&self) -> (usize, usize) {
        (self.events.load(Ordering::Relaxed), self.under_way.load(Ordering::Relaxed))
    }
}

/// Counts a request as under way until it is dropped, also if its work is given up.
struct RequestGuard(Arc<Activity>);

impl RequestGuard {
    fn begin(activity: Arc<Activity>) -> Self {
        activity.events.fetch_add(1, Ordering::Relaxed);
        activity.under_way.fetch_add(1, Ordering::Relaxed);
        Self(activity)
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        self.0.events.fetch_add(1, Ordering::Relaxed);
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Answers a request. Thousands of them may wait, so the future does not have the request: the router, which is always ready, has it.
fn answer(
    router: &mut Router,
    request: Request<Incoming>,
    peer: Peer,
    activity: Arc<Activity>,
    shutdown: Arc<Shutdown>,
) -> impl Future<Output = Result<Response<Body>, Infallible>> + use<> {
    let guard = RequestGuard::begin(activity);
    let is_http1 = request.version() < Version::HTTP_2;
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(peer);
    let answering = router.call(request);
    async move {
        let _guard = guard;
        let mut response = answering.await?;
        if is_http1 && shutdown.announced().is_cancelled() {
            // RFC 9112 §9.6. An idle connection stays open until the drain: its client may be sending a request just now.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response)
    }
}

/// What the handshake has negotiated: HTTP/1, unless the client asked for HTTP/2 (RFC 7301); and the client's
/// certificate, if it presented one.
fn negotiated(stream: &TlsStream<TcpStream>) -> (HttpVersion, Option<Thumbprint>) {
    let (_, tls) = stream.get_ref();
    let version = if tls.alpn_protocol() == Some(b"h2") { HttpVersion::Http2 } else { HttpVersion::Http1 };
    let certificate = tls.peer_certificates().and_then(|chain| chain.first());
    (version, certificate.map(|certificate| Thumbprint::of(certificate)))
}

fn http1(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // From the end of one request to the end of the next one's headers. Gateways have to close earlier: a request
        // on a connection that the service is closing is lost.
        .header_read_timeout(limits.idle_time)
        .half_close(true)
        // Twice the limit on headers, so that a request over the limit is still read and answered by the middleware.
        .max_buf_size(limits.headers.saturating_mul(2));
    builder
}

fn http2(limits: &Limits) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_INTERVAL)
        .max_concurrent_streams(u32::try_from(limits.streams).unwrap_or(u32::MAX))
        .max_header_list_size(u32::try_from(limits.headers.saturating_mul(2)).unwrap_or(u32::MAX));
    builder
}
