//! An HTTP server on 127.0.0.1 that lives as long as its handle.

use std::io;
use std::sync::Arc;

use axum::body::Bytes;
use axum::http::Request;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;

use super::http::Answer;

/// The connection is closed without an answer.
#[derive(Debug, Error)]
#[error("hung up")]
pub struct HangUp;

/// The handle of a server; dropping it closes the listener and all connections.
#[derive(Debug)]
pub struct LocalServer {
    /// The base URL.
    pub url: Url,
    _stop: DropGuard,
}

impl LocalServer {
    /// Starts a server on a free port.
    ///
    /// # Errors
    /// If no port can be bound.
    pub async fn start<H, F>(handler: H) -> io::Result<Self>
    where
        H: Fn(Request<Bytes>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Answer, HangUp>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/", listener.local_addr()?).parse().map_err(io::Error::other)?;
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let handler = Arc::new(handler);
        tokio::spawn(stopped.clone().run_until_cancelled_owned(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let handler = Arc::clone(&handler);
                let service = service_fn(move |request| answer(request, Arc::clone(&handler)));
                let serve = async move {
                    // A client that hangs up is no failure here.
                    let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
                };
                tokio::spawn(stopped.clone().run_until_cancelled_owned(serve));
            }
        }));
        Ok(Self { url, _stop: stop.drop_guard() })
    }
}

async fn answer<H, F>(request: Request<Incoming>, handler: Arc<H>) -> Result<Answer, HangUp>
where
    H: Fn(Request<Bytes>) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Answer, HangUp>> + Send + 'static,
{
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| HangUp)?.to_bytes();
    // As in a real server, the work continues when the client hangs up.
    tokio::spawn(handler(Request::from_parts(head, body))).await.map_err(|_| HangUp)?
}
