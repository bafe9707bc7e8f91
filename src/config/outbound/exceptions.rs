//! `outbound.no_proxy`: the addresses that are reached without the forward proxy, as curl and others read NO_PROXY.

use std::net::IpAddr;

use ipnet::IpNet;
use url::{Host, Url};

/// Addresses that are reached directly.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exceptions(Vec<Exception>);

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    hosts: Hosts,
    /// Any, unless it is set.
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Hosts {
    All,
    /// One address is a network of one. Names are not looked up.
    Network(IpNet),
    /// The name itself, and every name that ends with it behind a dot.
    Domain(String),
}

impl Exceptions {
    /// Of entries that were read.
    pub const fn of(entries: Vec<Exception>) -> Self {
        Self(entries)
    }

    /// Reads an entry. A dot, or `*.`, before a domain changes nothing.
    pub fn entry(text: &str) -> Option<Exception> {
        let text = text.trim();
        let whole = |hosts| Some(Exception { hosts, port: None });
        if let Some(network) = network(text) {
            return whole(Hosts::Network(network));
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (text, None),
        };
        let hosts = match network(host) {
            Some(network) => Hosts::Network(network),
            None if host == "*" => Hosts::All,
            None => Hosts::Domain(domain(host)?),
        };
        Some(Exception { hosts, port })
    }

    /// Whether a URL's host is one of them.
    pub fn contain(&self, url: &Url) -> bool {
        self.0.iter().any(|one| one.matches(url))
    }
}

impl Exception {
    fn matches(&self, url: &Url) -> bool {
        if self.port.is_some_and(|port| url.port_or_known_default() != Some(port)) {
            return false;
        }
        let address: Option<IpAddr> = match url.host() {
            Some(Host::Ipv4(address)) => Some(address.into()),
            Some(Host::Ipv6(address)) => Some(IpAddr::from(address).to_canonical()),
            _ => None,
        };
        match (&self.hosts, address, url.host_str()) {
            (Hosts::All, ..) => true,
            (Hosts::Network(network), Some(address), _) => network.contains(&address),
            (Hosts::Domain(domain), None, Some(host)) => {
                let host = host.trim_end_matches('.');
                host == domain || host.strip_suffix(domain.as_str()).is_some_and(|before| before.ends_with('.'))
            }
            _ => false,
        }
    }
}

/// An address or a network, in brackets or not.
fn network(text: &str) -> Option<IpNet> {
    let text = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = |text: &str| text.parse::<IpAddr>().ok().map(|address| IpNet::from(address.to_canonical()));
    text.parse().ok().or_else(|| address(text))
}

fn domain(text: &str) -> Option<String> {
    let text = text.strip_prefix('*').filter(|text| text.starts_with('.')).unwrap_or(text);
    let text = text.trim_start_matches('.').trim_end_matches('.');
    let is_name = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte) || !byte.is_ascii());
    if text.is_empty() || !is_name {
        return None;
    }
    // As URLs have it: in small letters, and in ASCII.
    match Host::parse(text) {
        Ok(Host::Domain(domain)) => Some(domain),
        _ => None,
    }
}
