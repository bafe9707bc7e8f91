//! `[server.proxy]`: a proxy that ends TLS in front of the service and forwards its clients' certificates.

use std::num::NonZeroUsize;

use axum::http::HeaderName;
use ipnet::IpNet;

use crate::config::reader::Reader;
use crate::config::units;

/// No path from a caller has more proxies: a larger number is a slip of the pen.
const MAX_HOPS: usize = 10;

/// `[server.proxy]`: the proxy that is trusted to name its client's certificate.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// The addresses from which it connects.
    pub addresses: Vec<IpNet>,
    /// The header with the certificate.
    pub certificate_header: HeaderName,
    /// How many elements of the header trusted proxies have added, each at its end. If absent, it has to have one.
    pub hops: Option<NonZeroUsize>,
}

impl Proxy {
    /// Reads the section; the outer `None` is a mistake, the inner one the absence of the section.
    pub fn from_reader(reader: &mut Reader) -> Option<Option<Self>> {
        if !reader.has_section("server.proxy") {
            return Some(None);
        }
        let expected = "addresses such as 10.1.2.3 or 10.1.0.0/16";
        let addresses = reader.non_empty_list("server.proxy.addresses", &[], expected, units::network);
        let certificate_header =
            reader.value_or("server.proxy.certificate_header", "client-cert", "a header's name", |text| {
                text.parse().ok()
            });
        if addresses.as_ref().is_some_and(Vec::is_empty) {
            reader.report("server.proxy.addresses", &format!("is missing; expected at least one of {expected}"));
        }
        let hops = reader.optional("server.proxy.hops", "a whole number from 1 to 10", |text| {
            text.parse().ok().filter(|hops: &NonZeroUsize| hops.get() <= MAX_HOPS)
        });
        Some(Some(Self { addresses: addresses?, certificate_header: certificate_header?, hops: hops? }))
    }
}
