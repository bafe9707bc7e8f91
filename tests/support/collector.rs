//! A collector of traces: takes OTLP by HTTP as protobuf, and shows what it got as text.
#![allow(dead_code, reason = "each test binary uses a part of this")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

use crate::snapshot_files::redact_ports;

/// A collector that lives as long as the test.
#[derive(Debug, Clone)]
pub struct Collector {
    pub url: String,
    received: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
    headers: Arc<Mutex<Vec<HeaderMap>>>,
}

impl Collector {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let collector = Self { url, received: Arc::default(), headers: Arc::default() };
        let router = Router::new().route("/v1/traces", post(take)).with_state(collector.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        collector
    }

    /// The settings of a service that exports to it.
    pub fn settings(&self) -> String {
        format!("telemetry.otlp_endpoint = {:?}\n", self.url)
    }

    /// The headers of each export.
    pub fn headers(&self) -> Vec<HeaderMap> {
        self.headers.lock().unwrap().clone()
    }

    /// The attributes of what has exported.
    pub fn resource(&self) -> BTreeMap<String, String> {
        let received = self.received.lock().unwrap();
        let resource = received.first().unwrap().resource_spans[0].resource.as_ref().unwrap();
        resource.attributes.iter().map(|attribute| (attribute.key.clone(), text(attribute))).collect()
    }

    /// Every span so far, as it came, without those of reading requests.
    pub fn spans(&self) -> Vec<Span> {
        let received = self.received.lock().unwrap();
        let resources = received.iter().flat_map(|request| &request.resource_spans);
        let all: Vec<Span> =
            resources.flat_map(|resource| &resource.scope_spans).flat_map(|scope| scope.spans.clone()).collect();
        let is_reading =
            |span: &Span| all.iter().any(|one| one.trace_id == span.trace_id && one.name.starts_with("GET /v2"));
        all.iter().filter(|span| !is_reading(span)).cloned().collect()
    }

    /// The spans as trees, one a trace; ids are replaced by letters.
    pub fn text(&self) -> String {
        let spans = self.spans();
        let mut traces: Vec<&Vec<u8>> = Vec::new();
        for span in spans.iter().filter(|span| is_root(span, &spans)) {
            if !traces.contains(&&span.trace_id) {
                traces.push(&span.trace_id);
            }
        }
        let letter = |id: &Vec<u8>| {
            let place = traces.iter().position(|trace| *trace == id);
            place.map_or("?".to_owned(), |place| char::from(b'A' + u8::try_from(place).unwrap()).to_string())
        };
        let mut text = String::new();
        for trace in &traces {
            writeln!(text, "trace {}", letter(trace)).unwrap();
            for root in spans.iter().filter(|span| &&span.trace_id == trace && is_root(span, &spans)) {
                append(&mut text, root, &spans, 1, &letter);
            }
        }
        redact_ports(&text)
    }
}

async fn take(State(collector): State<Collector>, headers: HeaderMap, body: Bytes) -> &'static str {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    collector.headers.lock().unwrap().push(headers);
    collector.received.lock().unwrap().push(ExportTraceServiceRequest::decode(body).unwrap());
    ""
}

fn is_root(span: &Span, spans: &[Span]) -> bool {
    spans.iter().all(|one| one.span_id != span.parent_span_id)
}

fn append(text: &mut String, span: &Span, spans: &[Span], depth: usize, letter: &dyn Fn(&Vec<u8>) -> String) {
    let indent = "  ".repeat(depth);
    let kind = ["?", "internal", "server", "client", "producer", "consumer"][usize::try_from(span.kind).unwrap()];
    let failed = if span.status.as_ref().is_some_and(|status| status.code == 2) { ", failed" } else { "" };
    let remote = if span.flags & 0x200 == 0 { "" } else { ", parent in another process" };
    writeln!(text, "{indent}{} ({kind}{failed}{remote})", span.name).unwrap();
    for link in &span.links {
        let name = spans.iter().find(|one| one.span_id == link.span_id).map_or("?", |one| &one.name);
        writeln!(text, "{indent}  linked to {name} of trace {}", letter(&link.trace_id)).unwrap();
    }
    let mut attributes: Vec<_> =
        span.attributes.iter().map(|attribute| (&attribute.key, shown_value(attribute))).collect();
    attributes.sort();
    for (name, value) in attributes {
        writeln!(text, "{indent}  {name}: {value}").unwrap();
    }
    for child in spans.iter().filter(|one| one.parent_span_id == span.span_id) {
        append(text, child, spans, depth + 1, letter);
    }
}

fn shown_value(attribute: &KeyValue) -> String {
    match attribute.key.as_str() {
        "server.port" => "[port]".to_owned(),
        "mapping.version" => "[mapping version]".to_owned(),
        _ => text(attribute),
    }
}

/// Bytes in hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// The value of an attribute.
pub fn text(attribute: &KeyValue) -> String {
    match attribute.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => panic!("{other:?}"),
    }
}
