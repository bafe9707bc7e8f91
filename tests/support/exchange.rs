//! An HTTP request and its answer as one text that a reader can follow.
#![allow(clippy::disallowed_methods, reason = "a test plays the caller")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use purchase_order_webhook::problem::ProblemKind;
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Client, Request, RequestBuilder};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::snapshot_files::{readable, redact_after, redact_member, redact_ports};

/// The id that every request has here.
const REQUEST_ID: &str = "request-1";

/// Headers that every answer has: only [`Exchange::with_every_header`] shows them.
const COMMON: [&str; 11] = [
    "api-version",
    "cache-control",
    "content-length",
    "content-security-policy",
    "cross-origin-opener-policy",
    "date",
    "referrer-policy",
    "smart-id",
    "x-content-type-options",
    "x-frame-options",
    "x-request-id",
];

/// More equal characters than this in a row are counted, and not shown.
const LONGEST_RUN: usize = 20;

/// A request and its answer.
#[derive(Debug)]
pub struct Exchange {
    request: String,
    status: String,
    headers: Vec<(String, String)>,
    pub body: String,
}

impl Exchange {
    /// Sends a request.
    pub async fn of(client: &Client, request: RequestBuilder) -> Self {
        let mut request = request.build().unwrap();
        let request_shown = request_text(&request);
        request.headers_mut().insert("x-request-id", HeaderValue::from_static(REQUEST_ID));
        let response = client.execute(request).await.unwrap();
        let status = format!("{:?} {}", response.version(), response.status());
        let headers = sorted(response.headers());
        Self { request: request_shown, status, headers, body: response.text().await.unwrap() }
    }

    /// Writes bytes to a socket, and reads until the service closes it.
    pub async fn on_a_socket(address: SocketAddr, sent: &str) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
        read.expect("the connection stays open").unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let (status, headers) = head.split_once("\r\n").unwrap();
        let header =
            |line: &str| line.split_once(": ").map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
        let mut headers: Vec<_> = headers.lines().map(|line| header(line).unwrap()).collect();
        headers.sort();
        let request = if sent.is_empty() { "(nothing is sent)".to_owned() } else { without_runs(sent.trim_end()) };
        let request = redact_after(&request, "Bearer ", |c| !c.is_whitespace(), "[token]");
        Self { request: request.replace("\r\n", "\n"), status: status.to_owned(), headers, body: body.to_owned() }
    }

    /// Fails if the answer is no problem of this kind.
    #[track_caller]
    pub fn assert_problem(&self, kind: ProblemKind) {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        assert_eq!(body["type"], format!("/problems/{}", kind.name), "{self:?}");
        assert!(self.status.ends_with(&kind.status.to_string()), "{self:?}");
    }

    /// Without the headers that every answer has.
    pub fn text(&self) -> String {
        self.text_with(|name| !COMMON.contains(&name))
    }

    /// With every header.
    pub fn with_every_header(&self) -> String {
        self.text_with(|_| true)
    }

    fn text_with(&self, is_shown: impl Fn(&str) -> bool) -> String {
        let mut text = format!("{}\n\n{}\n", self.request, self.status);
        for (name, value) in self.headers.iter().filter(|(name, _)| is_shown(name)) {
            let value = match name.as_str() {
                "date" => "[time]",
                "content-length" => "[bytes]",
                _ => value,
            };
            writeln!(text, "{name}: {value}").unwrap();
        }
        let mut body = readable(&self.body);
        if let Ok(mut value) = serde_json::from_str::<Value>(&body) {
            redact_member(&mut value, "requestId", &|id| *id != REQUEST_ID, "[generated]");
            body = serde_json::to_string_pretty(&value).unwrap();
        }
        redact_ports(&format!("{text}\n{body}"))
    }
}

/// Several exchanges, one below the other.
pub fn conversation(exchanges: &[Exchange]) -> String {
    let texts: Vec<String> = exchanges.iter().map(Exchange::text).collect();
    texts.join("\n\n----------------------------------------\n\n")
}

fn request_text(request: &Request) -> String {
    let url = request.url();
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut text = format!("{} {}{query}", request.method(), url.path());
    for (name, value) in sorted(request.headers()) {
        let value = if name == "authorization" { "Bearer [token]" } else { &value };
        write!(text, "\n{name}: {}", without_runs(value)).unwrap();
    }
    match request.body().and_then(reqwest::Body::as_bytes) {
        Some(body) if !body.is_empty() => {
            format!("{text}\n\n{}", without_runs(String::from_utf8_lossy(body).trim_end_matches('\n')))
        }
        _ => text,
    }
}

fn sorted(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let mut headers: Vec<_> = headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    headers.sort();
    headers
}

/// Text whose long runs of one character are counted.
fn without_runs(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let run = |run: &[char]| match run {
        [first, ..] if run.len() > LONGEST_RUN => format!("[{:?}, {} times]", first, run.len()),
        run => run.iter().collect(),
    };
    characters.chunk_by(|left, right| left == right).map(run).collect()
}
