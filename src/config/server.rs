//! `[server]`: how callers are served, and the limit on everything that they send.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};
use ipnet::IpNet;

use super::reader::Reader;
use super::units;

/// What a caller gets for an order that is still open at its deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDeadline {
    /// 202 with the order.
    Accepted,
    /// 504 with a problem.
    Error,
}

/// `[server]`: how callers are served.
#[derive(Debug, Clone)]
pub struct Server {
    /// Where the API listens.
    pub listen: SocketAddr,
    /// Where probes and metrics listen.
    pub management_listen: SocketAddr,
    /// How long a caller waits for an outcome.
    pub deadline: Duration,
    /// What it gets then.
    pub on_deadline: OnDeadline,
    /// How long a stop waits for work in flight.
    pub drain: Duration,
    /// Origins whose pages may call the API from a browser (CORS); usually none.
    pub cors_origins: Vec<HeaderValue>,
    /// `[server.tls]`; without it, connections are plain.
    pub tls: Option<Tls>,
    /// `[server.proxy]`; without it, nobody is believed what it says of a certificate.
    pub proxy: Option<Proxy>,
    /// `[server.limits]`, and the limits among the keys of `[server]`.
    pub limits: Limits,
}

/// `[server.tls]`: files in PEM, read again when they change.
#[derive(Debug, Clone)]
pub struct Tls {
    /// The certificate, and those that lead to its root.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// What clients' certificates have to be signed by; without it, none is asked for.
    pub client_ca: Option<PathBuf>,
    /// What happens to a client without one.
    pub client_certificates: ClientCertificates,
}

/// What happens to a client that shows no certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientCertificates {
    /// It is served; a token that is bound to a certificate is refused.
    Optional,
    /// Its handshake fails.
    Required,
}

/// `[server.proxy]`: who ends TLS in front of the service and says which certificate its client has shown.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// Who is believed: the addresses from which it connects.
    pub addresses: Vec<IpNet>,
    /// Where it says so.
    pub certificate_header: HeaderName,
}

/// How much, how often and how long.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Largest body of one cart as it is sent, in bytes.
    pub max_body: usize,
    /// Largest body of one cart once it is unpacked, in bytes.
    pub unpacked_body: usize,
    /// Largest body of a batch in bytes, packed and unpacked.
    pub batch_body: usize,
    /// Carts in one batch.
    pub batch_carts: usize,
    /// How deep JSON may be nested.
    pub json_depth: usize,
    /// Rows of one section of a cart.
    pub items: usize,
    /// Bytes of a request's headers.
    pub headers: usize,
    /// Requests that bring carts and are under way; a cart of a batch counts as one.
    pub max_in_flight: usize,
    /// Requests under way that bring none.
    pub queries: usize,
    /// Batches that are read and mapped at the same time.
    pub batches: usize,
    /// Connections at the same time.
    pub connections: usize,
    /// Requests at the same time on one connection of HTTP/2.
    pub streams: usize,
    /// Requests a second that one client may make.
    pub rate_per_client: Option<NonZeroU32>,
    /// Clients whose rates are remembered.
    pub clients: usize,
    /// From a connection to its first byte, and for a handshake of TLS.
    pub first_byte: Duration,
    /// From there to the end of the first request's headers.
    pub header_time: Duration,
    /// For a body.
    pub body_time: Duration,
    /// Between two requests of a connection.
    pub idle_time: Duration,
}

const ADDRESS: &str = "an address and port such as 0.0.0.0:8080";
const MOST_REQUESTS_A_SECOND: u32 = 1_000_000;
const REQUESTS_A_SECOND: &str = "requests a second, a whole number from 1 to 1000000";

/// The section and those inside of it.
pub fn read(reader: &mut Reader) -> Option<Server> {
    let listen: Option<SocketAddr> = reader.parsed("server.listen", "0.0.0.0:8080", ADDRESS, |text| text.parse().ok());
    let management_listen =
        reader.parsed("server.management_listen", "0.0.0.0:9090", ADDRESS, |text| text.parse().ok());
    let deadline = reader.time_out("server.deadline", "50s");
    let on_deadline = reader.choice(
        "server.on_deadline",
        "accepted",
        &[("accepted", OnDeadline::Accepted), ("error", OnDeadline::Error)],
    );
    let drain = reader.duration("server.drain", "25s");
    let cors_origins = reader.list("server.cors_origins", &[], "origins such as https://portal.example", units::origin);
    if listen == management_listen && listen.is_some_and(|address| address.port() != 0) {
        reader.mistake("server.management_listen", "expected another address than server.listen");
    }
    let (tls, proxy, limits) = (tls(reader), proxy(reader), limits(reader));
    Some(Server {
        listen: listen?,
        management_listen: management_listen?,
        deadline: deadline?,
        on_deadline: on_deadline?,
        drain: drain?,
        cors_origins: cors_origins?,
        tls: tls?,
        proxy: proxy?,
        limits: limits?,
    })
}

/// The outer `None` is a mistake, the inner one the absence of the section.
#[expect(clippy::option_option, reason = "the outer option is the mistake, the inner one the absence")]
fn tls(reader: &mut Reader) -> Option<Option<Tls>> {
    if !reader.has_section("server.tls") {
        return Some(None);
    }
    let certificate = reader.required("server.tls.certificate", units::FILE, units::file);
    let key = reader.required("server.tls.key", units::FILE, units::file);
    let client_ca = reader.optional("server.tls.client_ca", units::FILE, units::file);
    let client_certificates = reader.choice(
        "server.tls.client_certificates",
        "optional",
        &[("optional", ClientCertificates::Optional), ("required", ClientCertificates::Required)],
    );
    if client_certificates == Some(ClientCertificates::Required) && client_ca == Some(None) {
        reader.mistake("server.tls.client_ca", "expected who signs the certificates that are required");
    }
    Some(Some(Tls {
        certificate: certificate?,
        key: key?,
        client_ca: client_ca?,
        client_certificates: client_certificates?,
    }))
}

/// The outer `None` is a mistake, the inner one the absence of the section.
#[expect(clippy::option_option, reason = "the outer option is the mistake, the inner one the absence")]
fn proxy(reader: &mut Reader) -> Option<Option<Proxy>> {
    if !reader.has_section("server.proxy") {
        return Some(None);
    }
    let expected = "addresses such as 10.1.2.3 or 10.1.0.0/16";
    let addresses = reader.some("server.proxy.addresses", &[], expected, units::network);
    let certificate_header =
        reader.parsed("server.proxy.certificate_header", "client-cert", "a header's name", |text| text.parse().ok());
    if addresses.as_ref().is_some_and(Vec::is_empty) {
        reader.mistake("server.proxy.addresses", &format!("is missing; expected at least one of {expected}"));
    }
    Some(Some(Proxy { addresses: addresses?, certificate_header: certificate_header? }))
}

fn limits(reader: &mut Reader) -> Option<Limits> {
    // The least that hyper reads at once; the most that anyone needs.
    const HEADERS: std::ops::RangeInclusive<usize> = 8 * 1024..=1024 * 1024;
    // What serde_json refuses on its own is no limit of ours.
    const MOST_DEPTH: usize = 100;
    let max_body = reader.parsed("server.max_body", "1MiB", units::SIZE, units::size);
    let unpacked_body = reader.optional("server.limits.unpacked_body", units::SIZE, units::size);
    let batch_body = reader.parsed("server.limits.batch_body", "10MiB", units::SIZE, units::size);
    let batch_carts = reader.count("server.limits.batch_carts", "500");
    let json_depth = reader.parsed("server.limits.json_depth", "32", "a whole number from 1 to 100", |text| {
        text.parse().ok().filter(|depth| (1..=MOST_DEPTH).contains(depth))
    });
    let items = reader.count("server.limits.items", "1000");
    let headers = reader.parsed("server.limits.headers", "32KiB", "a size from \"8KiB\" to \"1MiB\"", |text| {
        units::size(text).filter(|size| HEADERS.contains(size))
    });
    let max_in_flight = reader.count("server.max_in_flight", "1024");
    let queries = reader.count("server.limits.queries", "64");
    let batches = reader.count("server.limits.batches", "8");
    let connections = reader.count("server.limits.connections", "16384");
    let streams = reader.count("server.limits.streams", "100");
    let rate_per_client = reader.optional("server.rate_limit_per_client", REQUESTS_A_SECOND, |text| {
        text.parse().ok().filter(|rate: &NonZeroU32| rate.get() <= MOST_REQUESTS_A_SECOND)
    });
    let clients = reader.count("server.limits.clients", "10000");
    let first_byte = reader.time_out("server.limits.first_byte", "10s");
    let header_time = reader.time_out("server.limits.header_time", "10s");
    let body_time = reader.time_out("server.limits.body_time", "30s");
    let idle_time = reader.time_out("server.limits.idle_time", "75s");
    let max_body = max_body?;
    Some(Limits {
        max_body,
        unpacked_body: unpacked_body?.unwrap_or(max_body),
        batch_body: batch_body?,
        batch_carts: batch_carts?,
        json_depth: json_depth?,
        items: items?,
        headers: headers?,
        max_in_flight: max_in_flight?,
        queries: queries?,
        batches: batches?,
        connections: connections?,
        streams: streams?,
        rate_per_client: rate_per_client?,
        clients: clients?,
        first_byte: first_byte?,
        header_time: header_time?,
        body_time: body_time?,
        idle_time: idle_time?,
    })
}
