//! The hosts of the URL, with their ports, addresses and sockets.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use super::parameters::Parameters;
use super::text::host_list;

/// The port of PostgreSQL (IANA).
const DEFAULT_PORT: u16 = 5432;

/// One server to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// A host of the network.
    Network {
        /// Its name or address, against which a certificate is verified.
        name: String,
        /// The address to connect to, if it is not to be looked up.
        address: Option<IpAddr>,
        /// Its port.
        port: u16,
    },
    /// A socket in a folder of this machine. `None`: the usual folder.
    Socket {
        /// The folder.
        folder: Option<PathBuf>,
        /// The port, which is a part of the socket's name.
        port: u16,
    },
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network { name, port, .. } if name.contains(':') => write!(f, "[{name}]:{port}"),
            Self::Network { name, port, .. } => write!(f, "{name}:{port}"),
            Self::Socket { folder: Some(folder), port } => write!(f, "{} port {port}", folder.display()),
            Self::Socket { folder: None, port } => write!(f, "the local socket, port {port}"),
        }
    }
}

impl Host {
    /// The name or address; `None` for a socket.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Network { name, .. } => Some(name),
            Self::Socket { .. } => None,
        }
    }
}

/// The hosts, those of the parameters before those of the authority, as libpq takes them.
pub fn hosts(authority: &str, parameters: &mut Parameters, mistakes: &mut Vec<String>) -> Vec<Host> {
    let (mut names, mut ports) = match host_list(authority) {
        Ok(list) => list,
        Err(mistake) => {
            mistakes.push(mistake);
            return Vec::new();
        }
    };
    let list = |text: String| text.split(',').map(str::to_owned).collect::<Vec<_>>();
    if let Some(hosts) = parameters.take("host") {
        names = list(hosts);
    }
    if let Some(text) = parameters.take("port") {
        ports = list(text);
    }
    let addresses = parameters.take("hostaddr").map(list).unwrap_or_default();
    let count = names.len().max(addresses.len());
    if (addresses.len() > 1 || names.len() > 1)
        && !addresses.is_empty()
        && names.len() != addresses.len()
        && names != [""]
    {
        mistakes
            .push("host and hostaddr name different numbers of hosts; expected one address for each host".to_owned());
    }
    if ports.len() > 1 && ports.len() != count {
        mistakes.push("there are more or fewer ports than hosts; expected one port, or one for each host".to_owned());
    }
    let at = |list: &[String], index: usize| list.get(index).or_else(|| list.last()).cloned().unwrap_or_default();
    (0..count)
        .map(|index| {
            let name = if names.len() == 1 && count > 1 { String::new() } else { at(&names, index) };
            let address = addresses.get(index).map(String::as_str).unwrap_or_default();
            host(name, address, &at(&ports, index), mistakes)
        })
        .collect()
}

fn host(name: String, address: &str, port: &str, mistakes: &mut Vec<String>) -> Host {
    let port = match port {
        "" => DEFAULT_PORT,
        text => text.parse().ok().filter(|port| *port > 0).unwrap_or_else(|| {
            mistakes.push(
                "a port is no whole number from 1 to 65535; a password with : / ? # @ has to be percent-encoded"
                    .to_owned(),
            );
            DEFAULT_PORT
        }),
    };
    let address: Option<IpAddr> = match address {
        "" => None,
        text => text.parse().ok().or_else(|| {
            mistakes.push("hostaddr is no IP address; expected one such as 192.0.2.1".to_owned());
            None
        }),
    };
    if name.starts_with('@') {
        mistakes.push("host is an abstract socket; expected a host, or the folder of a socket".to_owned());
    }
    if name.starts_with('/') {
        return Host::Socket { folder: Some(PathBuf::from(name)), port };
    }
    match address {
        None if name.is_empty() => Host::Socket { folder: None, port },
        Some(address) if name.is_empty() => Host::Network { name: address.to_string(), address: Some(address), port },
        address => Host::Network { name, address, port },
    }
}
