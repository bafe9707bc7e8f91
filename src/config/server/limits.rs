//! `[server.limits]`, and the limits among the keys of `[server]`.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::config::reader::Reader;
use crate::config::units;

const MAX_REQUESTS_PER_SECOND: u32 = 1_000_000;
const REQUESTS_PER_SECOND: &str = "requests a second, a whole number from 1 to 1000000";

/// Limits on sizes, numbers and times.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Largest body of one cart as it is sent, in bytes.
    pub max_body: usize,
    /// Largest unpacked body of one cart, in bytes.
    pub unpacked_body: usize,
    /// Largest body of a batch in bytes, packed and unpacked.
    pub batch_body: usize,
    /// Carts in one batch.
    pub batch_carts: usize,
    /// Largest depth of nested JSON.
    pub json_depth: usize,
    /// Rows of one section of a cart.
    pub items: usize,
    /// Bytes of a request's headers.
    pub headers: usize,
    /// Requests with carts in progress; each cart of a batch counts as one.
    pub max_in_flight: usize,
    /// Requests without carts in progress.
    pub queries: usize,
    /// Batches that are read and mapped at the same time.
    pub batches: usize,
    /// Connections at the same time.
    pub connections: usize,
    /// Requests at the same time on one connection of HTTP/2.
    pub streams: usize,
    /// Requests a second of one client.
    pub rate_per_client: Option<NonZeroU32>,
    /// Clients whose rates are remembered.
    pub clients: usize,
    /// From a connection to its first byte, and for a TLS handshake.
    pub first_byte: Duration,
    /// From the first byte to the end of the first request's headers.
    pub header_time: Duration,
    /// For a body to arrive.
    pub body_time: Duration,
    /// Between two requests of a connection.
    pub idle_time: Duration,
}

impl Limits {
    /// Reads the section, and the limits among the keys of `[server]`.
    pub fn from_reader(reader: &mut Reader) -> Option<Self> {
        // hyper reads at least 8 KiB at once; no caller needs more than 1 MiB.
        const HEADERS: std::ops::RangeInclusive<usize> = 8 * 1024..=1024 * 1024;
        // serde_json itself refuses more than 128: a limit above that would have no effect.
        const MAX_DEPTH: usize = 100;
        let max_body = reader.value_or("server.max_body", "1MiB", units::SIZE, units::size);
        let unpacked_body = reader.optional("server.limits.unpacked_body", units::SIZE, units::size);
        let batch_body = reader.value_or("server.limits.batch_body", "10MiB", units::SIZE, units::size);
        let batch_carts = reader.count("server.limits.batch_carts", "500");
        let json_depth = reader.value_or("server.limits.json_depth", "32", "a whole number from 1 to 100", |text| {
            text.parse().ok().filter(|depth| (1..=MAX_DEPTH).contains(depth))
        });
        let items = reader.count("server.limits.items", "1000");
        let headers = reader.value_or("server.limits.headers", "32KiB", "a size from \"8KiB\" to \"1MiB\"", |text| {
            units::size(text).filter(|size| HEADERS.contains(size))
        });
        let max_in_flight = reader.count("server.max_in_flight", "1024");
        let queries = reader.count("server.limits.queries", "64");
        let batches = reader.count("server.limits.batches", "8");
        let connections = reader.count("server.limits.connections", "16384");
        let streams = reader.count("server.limits.streams", "100");
        let rate_per_client = reader.optional("server.rate_limit_per_client", REQUESTS_PER_SECOND, |text| {
            text.parse().ok().filter(|rate: &NonZeroU32| rate.get() <= MAX_REQUESTS_PER_SECOND)
        });
        let clients = reader.count("server.limits.clients", "10000");
        let first_byte = reader.positive_duration("server.limits.first_byte", "10s");
        let header_time = reader.positive_duration("server.limits.header_time", "10s");
        let body_time = reader.positive_duration("server.limits.body_time", "30s");
        let idle_time = reader.positive_duration("server.limits.idle_time", "75s");
        let max_body = max_body?;
        Some(Self {
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
}
