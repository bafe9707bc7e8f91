//! The accept loop: TLS or not, HTTP/1.0, 1.1 and 2, with a limit on how many connect and how long they may say nothing.

mod opening;

use std::convert::Infallible;
use std::fmt::Display;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use tracing::{debug, info, warn};

use super::client_certificate::{Peer, Transport};
use super::tls::ServerTls;
use crate::auth::Thumbprint;
use crate::config::Limits;
use opening::{DetectedProtocol, Version};

/// Between two pings of an idle HTTP/2 connection, and for the answer.
const PING: Duration = Duration::from_secs(20);

/// When accepting fails (no more file descriptors), so long is waited before the next try.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// How connections are served.
#[derive(Debug)]
pub struct ConnectionServer {
    router: Router,
    tls: Option<Arc<ServerTls>>,
    limits: Limits,
    places: Arc<Semaphore>,
    /// Whether the last connection that came found no place.
    is_full: AtomicBool,
}

impl ConnectionServer {
    /// Connections to a router, with TLS if there is any.
    pub fn new(router: Router, tls: Option<Arc<ServerTls>>, limits: Limits) -> Self {
        Self {
            router,
            tls,
            limits,
            places: Arc::new(Semaphore::new(limits.connections)),
            is_full: AtomicBool::new(false),
        }
    }

    /// Serves until `stop`, then lets the requests under way finish within `drain`.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken, drain: Duration) {
        let server = Arc::new(self);
        let graceful = GracefulShutdown::new();
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, address)) => {
                    let Some(place) = server.place(&stream) else { continue };
                    let connection =
                        Connection { server: Arc::clone(&server), address, stop: stop.clone(), _place: place };
                    drop(tokio::spawn(connection.run(stream, graceful.watcher())));
                }
                Err(error) => {
                    warn!(%error, "a connection can't be accepted");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                }
            }
        }
        drop(listener);
        if tokio::time::timeout(drain, graceful.shutdown()).await.is_err() {
            warn!("some connections did not end in time; what they asked for is in the ledger");
        }
    }
}

impl ConnectionServer {
    /// A place for a connection. Without one, the client is told so, where it can be.
    fn place(&self, stream: &TcpStream) -> Option<OwnedSemaphorePermit> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok();
        // Once for each time that it comes to this: a flood must not flood the log.
        let was_full = self.is_full.swap(place.is_none(), Ordering::Relaxed);
        if place.is_none() && !was_full {
            warn!(limit = self.limits.connections, "as many connections as are allowed are open");
        }
        if place.is_none() && self.tls.is_none() {
            opening::refuse(stream);
        }
        place
    }
}

/// One connection, from its first byte to its end.
struct Connection {
    server: Arc<ConnectionServer>,
    address: SocketAddr,
    stop: CancellationToken,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    async fn run(self, mut stream: TcpStream, watcher: Watcher) {
        // Small answers go out at once; where it fails, they only go out later.
        let _ = stream.set_nodelay(true);
        let first_byte = self.server.limits.first_byte;
        let seen = tokio::select! {
            seen = opening::detect_protocol(&stream) => seen,
            () = self.stop.cancelled() => return,
            () = tokio::time::sleep(first_byte) => return opening::silent(&mut stream, first_byte, self.server.tls.as_ref()).await,
        };
        match (seen, &self.server.tls) {
            (Ok(DetectedProtocol::Plain(version)), None) => {
                self.serve_http(stream, version, Transport::Plain, None, watcher).await
            }
            // Boxed, so that plain connections do not hold its room too.
            (Ok(DetectedProtocol::Tls), Some(tls)) => Box::pin(self.shake_hands(stream, tls.acceptor(), watcher)).await,
            (Ok(DetectedProtocol::Plain(_)), Some(_)) => opening::tls_expected(&mut stream).await,
            // No request of HTTP begins like a handshake of TLS; hyper says so.
            (Ok(DetectedProtocol::Tls), None) => {
                self.serve_http(stream, Version::Http1, Transport::Plain, None, watcher).await
            }
            (Err(error), _) => debug!(%error, "a connection ended early"),
        }
    }

    async fn shake_hands(&self, stream: TcpStream, acceptor: TlsAcceptor, watcher: Watcher) {
        let shaken = tokio::select! {
            shaken = tokio::time::timeout(self.server.limits.first_byte, acceptor.accept(stream)) => shaken,
            () = self.stop.cancelled() => return,
        };
        match shaken {
            Ok(Ok(stream)) => {
                let (version, certificate) = agreed(&stream);
                self.serve_http(stream, version, Transport::Tls, certificate, watcher).await;
            }
            // What an operator looks for when a client can't connect.
            Ok(Err(error)) => info!(%error, client.address = %self.address.ip(), "a handshake of TLS failed"),
            Err(_) => debug!("a handshake took too long"),
        }
    }

    async fn serve_http<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        &self,
        stream: S,
        version: Version,
        transport: Transport,
        certificate: Option<Thumbprint>,
        watcher: Watcher,
    ) {
        let peer = Peer { address: self.address.ip().to_canonical(), transport, certificate };
        let activity = Arc::new(Activity::default());
        let (seen, router) = (Arc::clone(&activity), self.server.router.clone());
        let service =
            service_fn(move |request: Request<Incoming>| answer(router.clone(), request, peer, Arc::clone(&seen)));
        let io = TokioIo::new(stream);
        let limits = &self.server.limits;
        match version {
            Version::Http1 => {
                self.drive_until_idle(watcher.watch(http1(limits).serve_connection(io, service)), &activity).await;
            }
            // Boxed, so that connections of HTTP/1, which are nearly all, do not hold its room too.
            Version::Http2 => {
                let connection = watcher.watch(http2(limits).serve_connection(io, service));
                Box::pin(self.drive_until_idle(connection, &activity)).await;
            }
        }
    }

    /// Serves a connection to its end. One that brings no whole request in time is closed, and so is one that rests: where
    /// nothing is asked, nothing is worked on, and nobody takes what was answered.
    async fn drive_until_idle<E: Display>(&self, connection: impl Future<Output = Result<(), E>>, activity: &Activity) {
        let mut connection = std::pin::pin!(connection);
        let mut patience = self.server.limits.header_time;
        let mut before = 0;
        let mut stopping = false;
        let ended = loop {
            tokio::select! {
                ended = &mut connection => break ended,
                () = self.stop.cancelled(), if !stopping => stopping = true,
                () = tokio::time::sleep(patience) => {}
            }
            let (now, under_way) = activity.snapshot();
            if now == 0 || (!stopping && under_way == 0 && now == before) {
                return;
            }
            (before, patience) = (now, self.server.limits.idle_time);
        };
        if let Err(error) = ended {
            debug!(%error, "a connection ended early");
        }
    }
}

/// What happens on a connection.
#[derive(Debug, Default)]
struct Activity {
    /// Requests that have begun, and that were answered: an answer needs its time on the way, too.
    events: AtomicUsize,
    under_way: AtomicUsize,
}

impl Activity {
    /// Events so far, and how many requests are worked on.
    fn snapshot(&self) -> (usize, usize) {
        (self.events.load(Ordering::Relaxed), self.under_way.load(Ordering::Relaxed))
    }
}

/// A request that is worked on, also if its work is given up.
struct UnderWay(Arc<Activity>);

impl UnderWay {
    fn begin(activity: Arc<Activity>) -> Self {
        activity.events.fetch_add(1, Ordering::Relaxed);
        activity.under_way.fetch_add(1, Ordering::Relaxed);
        Self(activity)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.events.fetch_add(1, Ordering::Relaxed);
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn answer(
    router: Router,
    request: Request<Incoming>,
    peer: Peer,
    activity: Arc<Activity>,
) -> Result<Response<Body>, Infallible> {
    let _under_way = UnderWay::begin(activity);
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(peer);
    router.oneshot(request).await
}

/// What a handshake has agreed on: HTTP/1, unless the client asked for HTTP/2 (RFC 7301); and what it has shown.
fn agreed(stream: &TlsStream<TcpStream>) -> (Version, Option<Thumbprint>) {
    let (_, tls) = stream.get_ref();
    let version = if tls.alpn_protocol() == Some(b"h2") { Version::Http2 } else { Version::Http1 };
    let certificate = tls.peer_certificates().and_then(|chain| chain.first());
    (version, certificate.map(|certificate| Thumbprint::of(certificate)))
}

fn http1(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // From the end of one request to the end of the next one's headers. Gateways close earlier, and have to: a
        // request on a connection that is just being closed is lost.
        .header_read_timeout(limits.idle_time)
        .half_close(true)
        // More than the headers' limit, which is told with a problem: beyond that, hyper's own answer is all there is.
        .max_buf_size(limits.headers.saturating_mul(2));
    builder
}

fn http2(limits: &Limits) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING)
        .max_concurrent_streams(u32::try_from(limits.streams).unwrap_or(u32::MAX))
        .max_header_list_size(u32::try_from(limits.headers.saturating_mul(2)).unwrap_or(u32::MAX));
    builder
}
