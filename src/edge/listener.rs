//! The accept loop, and the limit on how many connections are open.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::warn;

use super::connection::{Connection, Serving, Watchers};
use super::early_answer;
use super::tls::ServerTls;
use crate::config::Limits;
use crate::problem::Refusals;
use crate::shutdown::Shutdown;

/// Pause after a failed accept, which usually means that no file descriptor is free.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// Serves the connections of one listener.
#[derive(Debug)]
pub struct ConnectionServer {
    serving: Arc<Serving>,
    permits: Arc<Semaphore>,
    /// Whether the last connection that arrived got no permit.
    is_full: AtomicBool,
}

impl ConnectionServer {
    /// Serves a router, over TLS if `tls` is given. Requests that no route sees are counted in `refusals`.
    pub fn new(router: Router, tls: Option<Arc<ServerTls>>, limits: Limits, refusals: Arc<Refusals>) -> Self {
        Self {
            serving: Arc::new(Serving { router, tls, limits, refusals }),
            permits: Arc::new(Semaphore::new(limits.connections)),
            is_full: AtomicBool::new(false),
        }
    }

    /// Serves until the drain begins, then lets the requests under way finish within `drain`. From the announcement on,
    /// answers ask their clients to connect anew, so that they find another replica.
    pub async fn serve(self, listener: TcpListener, shutdown: Shutdown, drain: Duration) {
        let (mut until_announced, mut leaving) = (Some(GracefulShutdown::new()), None);
        let until_drain = GracefulShutdown::new();
        loop {
            let accepted = tokio::select! {
                () = shutdown.draining().cancelled() => break,
                () = shutdown.announced().cancelled(), if until_announced.is_some() => {
                    leaving = until_announced.take().map(|watched| tokio::spawn(watched.shutdown()));
                    continue;
                }
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, address)) => {
                    let Some(permit) = self.permit(&stream) else { continue };
                    let connection = Connection::new(Arc::clone(&self.serving), address, shutdown.clone(), permit);
                    let watchers = Watchers {
                        announced: until_announced.as_ref().map(GracefulShutdown::watcher),
                        drain: until_drain.watcher(),
                    };
                    drop(tokio::spawn(connection.run(stream, watchers)));
                }
                Err(error) => {
                    warn!(error.message = %error, "a connection can't be accepted");
                    tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                }
            }
        }
        drop(listener);
        let leaving = leaving.or_else(|| until_announced.map(|watched| tokio::spawn(watched.shutdown())));
        let ended = async {
            until_drain.shutdown().await;
            if let Some(leaving) = leaving {
                // Fails only if the runtime ends.
                let _ = leaving.await;
            }
        };
        if tokio::time::timeout(drain, ended).await.is_err() {
            warn!("some connections did not end within server.drain; the orders that they asked for are in the ledger");
        }
    }

    /// Takes a permit for a connection. A client that gets none is told so, where it can be.
    fn permit(&self, stream: &TcpStream) -> Option<OwnedSemaphorePermit> {
        let permit = Arc::clone(&self.permits).try_acquire_owned().ok();
        // One line each time the limit is reached: a flood of connections must not flood the log.
        let was_full = self.is_full.swap(permit.is_none(), Ordering::Relaxed);
        if permit.is_none() && !was_full {
            let limit = self.serving.limits.connections;
            warn!(
                setting.name = "server.limits.connections",
                setting.value = limit,
                "the limit on open connections is reached; further ones are refused"
            );
        }
        if permit.is_none() && self.serving.tls.is_none() {
            early_answer::too_many_connections(stream, &self.serving.refusals);
        }
        permit
    }
}
