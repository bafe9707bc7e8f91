//! Requests over HTTP/2 that fail: not done where RFC 9113 proves it, unknown where it does not.
//!
//! The server writes its frames by hand: no library sends what breaks off.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::certificates::{Ca, Kind, Pair};
use crate::support::{ORDERS, Service, cart};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// RFC 9113 §4.1
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

fn reset(stream: u32, reason: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &reason.to_be_bytes())
}

fn goaway(last_stream: u32, reason: u32) -> Vec<u8> {
    frame(GOAWAY, 0, 0, &[last_stream.to_be_bytes(), reason.to_be_bytes()].concat())
}

/// A status without further headers (RFC 7541 §6.2.1, with the name of entry 8).
fn status(stream: u32, status: u16) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &[&[0x48, 3], status.to_string().as_bytes()].concat())
}

pub fn created(stream: u32) -> Vec<u8> {
    [status(stream, 201), frame(DATA, END_STREAM, stream, b"{\"poNumber\":\"4500000001\"}")].concat()
}

fn acceptor(pair: &Pair) -> TlsAcceptor {
    let chain = CertificateDer::pem_file_iter(&pair.certificate).unwrap().map(Result::unwrap).collect();
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let mut config = builder.with_single_cert(chain, PrivateKeyDer::from_pem_file(&pair.key).unwrap()).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

/// Reads until `requests` requests are whole, and returns the streams in their order.
async fn read_requests(stream: &mut TlsStream<TcpStream>, requests: usize) -> Option<Vec<u32>> {
    let mut preface = [0; 24];
    stream.read_exact(&mut preface).await.ok()?;
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await.ok()?;
    let mut streams = Vec::new();
    while streams.len() < requests {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.ok()?;
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let mut payload = vec![0; length];
        stream.read_exact(&mut payload).await.ok()?;
        let id = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        match head[3] {
            SETTINGS if head[4] & 1 == 0 => stream.write_all(&frame(SETTINGS, 1, 0, &[])).await.ok()?,
            HEADERS | DATA if head[4] & END_STREAM != 0 => streams.push(id),
            _ => {}
        }
    }
    Some(streams)
}

/// A server that, after so many requests, writes what `act` makes of their streams, and closes the connection.
pub async fn start(pair: &Pair, requests: usize, act: fn(&[u32]) -> Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, acceptor) = (listener.local_addr().unwrap(), acceptor(pair));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut stream = acceptor.accept(stream).await.ok()?;
                let streams = read_requests(&mut stream, requests).await?;
                stream.write_all(&act(&streams)).await.ok()?;
                stream.shutdown().await.ok()
            });
        }
    });
    address
}

async fn service(ca: &Ca, vms: SocketAddr) -> Service {
    let settings = format!(
        "target.base_url = \"https://{vms}\"\ntarget.ca = \"{}\"\nretry.attempts = 0\n",
        ca.certificate().display()
    );
    Service::start_with(&settings).await
}

async fn attempt(service: &Service, id: &str) -> Value {
    service.get(&format!("{ORDERS}/{id}")).await.body["attempts"][0].clone()
}

/// What the server does with a request, and what that proves.
type Case = (&'static str, fn(&[u32]) -> Vec<u8>, &'static str, &'static str);

#[tokio::test]
async fn a_request_is_not_done_only_if_that_is_proven() {
    const NOT_DONE: &str = "not-done";
    const UNKNOWN: &str = "unknown";
    let ca = Ca::new();
    let pair = ca.server("vms", Kind::Ec);
    let cases: [Case; 17] = [
        ("REFUSED_STREAM", |streams| reset(streams[0], 7), NOT_DONE, "did not process"),
        ("GOAWAY below", |_| goaway(0, 0), NOT_DONE, "did not process"),
        ("GOAWAY below with an error", |_| goaway(0, 11), NOT_DONE, "did not process"),
        ("GOAWAY in two steps", |_| [goaway(0x7FFF_FFFF, 0), goaway(0, 0)].concat(), NOT_DONE, "did not process"),
        ("GOAWAY with our stream", |streams| goaway(streams[0], 0), UNKNOWN, "no answer"),
        ("GOAWAY with our stream and an error", |streams| goaway(streams[0], 2), UNKNOWN, "no answer"),
        ("GOAWAY above", |_| goaway(0x7FFF_FFFF, 0), UNKNOWN, "no answer"),
        ("the connection ends", |_| Vec::new(), UNKNOWN, "no answer"),
        ("CANCEL", |streams| reset(streams[0], 8), UNKNOWN, "no answer"),
        ("NO_ERROR", |streams| reset(streams[0], 0), UNKNOWN, "no answer"),
        ("PROTOCOL_ERROR", |streams| reset(streams[0], 1), UNKNOWN, "no answer"),
        ("INTERNAL_ERROR", |streams| reset(streams[0], 2), UNKNOWN, "no answer"),
        ("ENHANCE_YOUR_CALM", |streams| reset(streams[0], 11), UNKNOWN, "no answer"),
        ("HTTP_1_1_REQUIRED", |streams| reset(streams[0], 13), UNKNOWN, "no answer"),
        ("a frame that is none", |_| frame(DATA, 0, 0, b"nonsense"), UNKNOWN, "no answer"),
        (
            "201, then REFUSED_STREAM",
            |streams| [status(streams[0], 201), reset(streams[0], 7)].concat(),
            UNKNOWN,
            "answered 201, broke off after 0 bytes",
        ),
        ("503, then GOAWAY below", |streams| [status(streams[0], 503), goaway(0, 0)].concat(), UNKNOWN, "answered 503"),
    ];
    for (name, act, outcome, detail) in cases {
        let service = service(&ca, start(&pair, 1, act).await).await;
        service.send(&cart(1)).await.is_problem(502, "parked");
        let attempt = attempt(&service, "1").await;
        assert_eq!(attempt["outcome"], outcome, "{name}: {attempt}");
        assert!(attempt["detail"].as_str().unwrap().contains(detail), "{name}: {attempt}");
    }
}

#[tokio::test]
async fn the_status_of_a_refusal_counts_though_its_stream_is_reset() {
    let ca = Ca::new();
    let pair = ca.server("vms", Kind::Ec);
    let vms = start(&pair, 1, |streams| [status(streams[0], 422), reset(streams[0], 2)].concat()).await;
    service(&ca, vms).await.send(&cart(1)).await.is_problem(422, "refused-by-11vms");
}

#[tokio::test]
async fn a_goaway_leaves_the_streams_before_it_alone() {
    let ca = Ca::new();
    let pair = ca.server("vms", Kind::Ec);
    let act = |streams: &[u32]| {
        let (first, second) = (streams[0].min(streams[1]), streams[0].max(streams[1]));
        assert!(second > first);
        [goaway(first, 0), created(first)].concat()
    };
    let service = service(&ca, start(&pair, 2, act).await).await;
    let (one, two) = (cart(1), cart(2));
    let (one, two) = tokio::join!(service.send(&one), service.send(&two));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 502], "{} {}", one.text, two.text);
    let undone = if one.status == 502 { "1" } else { "2" };
    assert_eq!(attempt(&service, undone).await["outcome"], json!("not-done"));
}
