//! A token issuer and an 11VMS with faults on demand, on 127.0.0.1: for `dev`, the tests and the benches.
//!
//! Behind the feature `sandbox`, which production images leave out. Speaks HTTP and OAuth2 as the real ones do;
//! knows nothing of the service.

pub mod issuer;
pub mod vms;

use std::io;
use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use serde_json::Value;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;

type Answer = Response<Full<Bytes>>;

/// The connection is closed without an answer.
#[derive(Debug, Error)]
#[error("hung up")]
struct HangUp;

/// A server on 127.0.0.1 that lives as long as this handle.
#[derive(Debug)]
struct Listening {
    url: Url,
    _stop: DropGuard,
}

/// Starts a server; connections are closed with the handle.
async fn listen<H, F>(handler: H) -> io::Result<Listening>
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
            let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                let handler = Arc::clone(&handler);
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.map_err(|_| HangUp)?.to_bytes();
                    // As in a real server, the work goes on when the client has gone.
                    tokio::spawn(handler(Request::from_parts(head, body))).await.map_err(|_| HangUp)?
                }
            });
            let serve = async move {
                // A client that goes away is nothing to report.
                let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
            };
            tokio::spawn(stopped.clone().run_until_cancelled_owned(serve));
        }
    }));
    Ok(Listening { url, _stop: stop.drop_guard() })
}

fn json(status: u16, body: &Value) -> Answer {
    text(status, "application/json", body.to_string())
}

fn text(status: u16, content_type: &'static str, body: String) -> Answer {
    let mut answer = Response::new(Full::from(body));
    *answer.status_mut() = axum::http::StatusCode::from_u16(status).unwrap_or_default();
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

/// The token of an `Authorization: Bearer` header.
fn bearer(request: &Request<Bytes>) -> Option<String> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ").map(str::to_owned)
}
