//! A server on 127.0.0.1 that answers every request with exact bytes: whole, broken off, or not at all.
#![allow(dead_code, reason = "each test binary uses a part of this")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

/// What is written, and what becomes of the connection then.
#[derive(Debug, Clone)]
pub struct RawAnswer {
    pub bytes: Vec<u8>,
    pub then: Then,
}

/// The end of an answer.
#[derive(Debug, Clone, Copy)]
pub enum Then {
    Close,
    /// The connection stays open, and nothing more comes.
    Stall,
}

impl RawAnswer {
    /// A whole answer.
    pub fn whole(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        Self::announcing(body.len(), status, headers, body)
    }

    /// An answer that announces a length, and sends this.
    pub fn announcing(length: usize, status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Self {
        let mut head = format!("HTTP/1.1 {status} Reason\r\ncontent-length: {length}\r\n");
        for (name, value) in headers {
            head = format!("{head}{name}: {value}\r\n");
        }
        head.push_str("\r\n");
        Self { bytes: [head.as_bytes(), body.as_ref()].concat(), then: Then::Close }
    }

    pub fn then(self, then: Then) -> Self {
        Self { then, ..self }
    }
}

/// The server; it stops with this handle.
pub struct RawServer {
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    _stop: DropGuard,
}

impl RawServer {
    /// Answers each request, head and body in one text, with what `answer` makes of it.
    pub async fn start(answer: impl Fn(&str) -> RawAnswer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer, stop) = (Arc::clone(&requests), Arc::new(answer), CancellationToken::new());
        let stopped = stop.clone();
        tokio::spawn(stopped.clone().run_until_cancelled_owned(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                let serve = async move {
                    let Some(request) = read_request(&mut stream).await else { return };
                    let answer = answer(&request);
                    seen.lock().unwrap().push(request);
                    // A client may hang up while it is answered.
                    let _ = stream.write_all(&answer.bytes).await;
                    if matches!(answer.then, Then::Stall) {
                        tokio::time::sleep(Duration::from_hours(1)).await;
                    }
                };
                tokio::spawn(stopped.clone().run_until_cancelled_owned(serve));
            }
        }));
        Self { address, requests, _stop: stop.drop_guard() }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request, oldest first.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = vec![0; 16 * 1024];
        let length = stream.read(&mut chunk).await.ok().filter(|length| *length > 0)?;
        bytes.extend_from_slice(&chunk[..length]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let announced = head.to_ascii_lowercase();
        let announced = announced.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
        if body.len() >= announced.parse().unwrap() {
            return Some(text);
        }
    }
}
