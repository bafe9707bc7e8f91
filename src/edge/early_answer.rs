//! Answers to connections that get no further: written by hand, because no service sees a request.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tracing::warn;

use crate::problem::{
    API_VERSION, MEDIA_TYPE, Problem, ProblemKind, RETRY_LATER, Refusals, RequestContext, RequestId, SMART_ID,
};

/// Bytes that are read before an early answer. A client that sends without end must not hold up the accept loop.
const MAX_DRAINED: usize = 16 * 1024;

/// Answers a connection on which no request arrived within `waited`.
pub async fn no_request(stream: &mut TcpStream, client: IpAddr, waited: Duration, refusals: &Refusals) {
    let problem = Problem::new(ProblemKind::REQUEST_TIMEOUT, format!("no request arrived within {waited:?}"));
    answer_and_close(stream, client, &problem, refusals).await;
}

/// Answers a request that comes without TLS where TLS is expected.
pub async fn tls_expected(stream: &mut TcpStream, client: IpAddr, refusals: &Refusals) {
    let problem = Problem::new(ProblemKind::TLS_EXPECTED, "this port speaks TLS alone; the request came without");
    answer_and_close(stream, client, &problem, refusals).await;
}

/// Answers a connection over the limit. Its request is not awaited, which would need the permit that it did not get; and it
/// is not logged, because the listener reports the limit.
pub fn too_many_connections(stream: &TcpStream, refusals: &Refusals) {
    refusals.count(ProblemKind::OVERLOADED);
    let problem = Problem::new(ProblemKind::OVERLOADED, "as many connections as the service takes are open");
    drain(stream);
    let _ = stream.try_write(&response(&problem.retry_after(RETRY_LATER), &RequestContext::unread()));
}

/// Best effort: the client may be gone.
async fn answer_and_close(stream: &mut TcpStream, client: IpAddr, problem: &Problem, refusals: &Refusals) {
    drain(stream);
    let _ = stream.write_all(&refusal(problem, client, refusals)).await;
    let _ = stream.shutdown().await;
}

/// Reads what has arrived: a connection that is closed over unread bytes is reset, and its answer lost.
fn drain(stream: &TcpStream) {
    let _ = stream.try_read(&mut [0; MAX_DRAINED]);
}

/// A whole HTTP/1.1 response that closes the connection, counted, and its log line: no access log sees the request.
pub fn refusal(problem: &Problem, client: IpAddr, refusals: &Refusals) -> Vec<u8> {
    refusals.count(problem.kind());
    let request = RequestContext::unread();
    warn!(
        http.request.id = request.id.as_str(),
        http.response.status_code = problem.status().as_u16(),
        client.address = %client,
        problem.type = problem.kind().name,
        error.message = problem.detail(),
        "a connection was closed over a request that could not be read"
    );
    response(problem, &request)
}

fn response(problem: &Problem, request: &RequestContext) -> Vec<u8> {
    let body = serde_json::to_string(&problem.body(request)).unwrap_or_default();
    let mut text = format!("HTTP/1.1 {}\r\nconnection: close\r\n", problem.status());
    for (name, value) in problem.headers() {
        // Writing to a String can't fail.
        let _ = write!(text, "{name}: {}\r\n", value.to_str().unwrap_or_default());
    }
    let _ = write!(
        text,
        "{}: {}\r\ncontent-type: {MEDIA_TYPE}\r\napi-version: {API_VERSION}\r\nsmart-id: {SMART_ID}\r\n\
         content-length: {}\r\n\r\n{body}",
        RequestId::HEADER,
        request.id,
        body.len(),
    );
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_client_that_sends_without_end_is_not_read_without_end() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut sender = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        sender.write_all(&vec![b'x'; 2 * MAX_DRAINED]).await.unwrap();
        // Until all of it has arrived.
        let mut waiting = vec![0; 2 * MAX_DRAINED];
        while stream.peek(&mut waiting).await.unwrap() < waiting.len() {}
        drain(&stream);
        assert_eq!(stream.try_read(&mut waiting).unwrap_or(0), MAX_DRAINED);
    }
}
