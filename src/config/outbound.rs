//! `[outbound]`: the forward proxy through which the service reaches others, and the addresses that it reaches without one.

mod exceptions;
mod proxy_address;

use std::sync::Arc;

use secrecy::ExposeSecret as _;
use url::Url;

use super::entry::Entry;
use super::reader::Reader;
use super::secret::Secret;
use exceptions::Exceptions;
pub use proxy_address::{ProxyAddress, is_loopback};

const PROXY: &str = "outbound.proxy";
const NO_PROXY: &str = "outbound.no_proxy";
const OFF: &str = "off";

const EXPECTED: &str = "expected http://host:port or https://host:port, with user:password@ before the host where the proxy wants it, or \"off\"";

/// `[outbound]`: the forward proxies of the settings or of the environment, for each scheme.
#[derive(Debug, Clone, Default)]
pub struct ForwardProxy {
    https: Option<NamedProxy>,
    http: Option<NamedProxy>,
    exceptions: Arc<Exceptions>,
}

/// A proxy, and what its users call the place in which they have written it.
#[derive(Debug, Clone)]
struct NamedProxy {
    name: &'static str,
    address: Secret,
}

/// The forward proxies as their places have them at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProxyRoutes {
    https: Option<ProxyAddress>,
    http: Option<ProxyAddress>,
    exceptions: Arc<Exceptions>,
}

impl ForwardProxy {
    /// Reads the section, whose defaults are variables of the environment.
    pub fn from_reader(reader: &mut Reader) -> Option<Self> {
        let exceptions = read_exceptions(reader);
        let (https, http) = if let Some(proxy) = reader.optional_secret(PROXY)? {
            let proxy = checked(reader, proxy)?.map(|address| NamedProxy { name: PROXY, address });
            (proxy.clone(), proxy)
        } else {
            let https = of_variable(reader, ["https_proxy", "HTTPS_PROXY"]);
            let http = of_variable(reader, ["http_proxy", "HTTP_PROXY"]);
            (https?, http?)
        };
        Some(Self { https, http, exceptions: Arc::new(exceptions?) })
    }

    /// Whether a proxy is in a file, which may change.
    pub fn has_files(&self) -> bool {
        [&self.https, &self.http].into_iter().flatten().any(|proxy| proxy.address.file().is_some())
    }

    /// The proxies as they are now.
    ///
    /// # Errors
    /// Names the file that does not hold one.
    pub fn read(&self) -> Result<ProxyRoutes, String> {
        let read = |proxy: &NamedProxy| read_address(proxy.name, &proxy.address);
        let address = |proxy: &Option<NamedProxy>| proxy.as_ref().map(read).transpose();
        let (https, http) = (address(&self.https)?.flatten(), address(&self.http)?.flatten());
        Ok(ProxyRoutes { https, http, exceptions: Arc::clone(&self.exceptions) })
    }
}

impl ProxyRoutes {
    /// The proxy through which an address is reached; `None` if it is reached without one.
    pub fn to(&self, url: &Url) -> Option<&ProxyAddress> {
        self.of(url.scheme()).filter(|_| !self.exceptions.contain(url))
    }

    /// The proxy of a scheme, whatever the exceptions are.
    pub fn of(&self, scheme: &str) -> Option<&ProxyAddress> {
        match scheme {
            "https" => self.https.as_ref(),
            "http" => self.http.as_ref(),
            _ => None,
        }
    }

    /// Whether there is any proxy.
    pub const fn is_empty(&self) -> bool {
        self.https.is_none() && self.http.is_none()
    }
}

/// `None` for "off".
fn read_address(name: &'static str, proxy: &Secret) -> Result<Option<ProxyAddress>, String> {
    let text = proxy.read()?;
    let text = text.expose_secret().trim();
    if text == OFF {
        return Ok(None);
    }
    let place = proxy.file().map(|file| format!("{}: ", file.display())).unwrap_or_default();
    ProxyAddress::parse(name, text).map(Some).ok_or_else(|| format!("{place}{EXPECTED}"))
}

/// The setting, if it holds a proxy now; the outer `None` is a mistake, the inner one that there is none.
#[expect(clippy::option_option, reason = "the outer option is the mistake, the inner one the absence")]
fn checked(reader: &mut Reader, proxy: Secret) -> Option<Option<Secret>> {
    match read_address(PROXY, &proxy) {
        // A file may hold another one later.
        Ok(address) => Some((address.is_some() || proxy.file().is_some()).then_some(proxy)),
        Err(problem) => {
            reader.report(&reader.secret_key(PROXY), &problem);
            None
        }
    }
}

#[expect(clippy::option_option, reason = "the outer option is the mistake, the inner one the absence")]
fn of_variable(reader: &mut Reader, names: [&'static str; 2]) -> Option<Option<NamedProxy>> {
    let Some((name, text)) = reader.proxy_variables().first(names) else { return Some(None) };
    let address = Secret::of_text(text)?;
    match read_address(name, &address) {
        Ok(found) => Some(found.map(|_| NamedProxy { name, address })),
        Err(problem) => {
            let entry = Entry { value: toml::Value::String(String::new()), origin: name.to_owned() };
            reader.report_entry(&entry, &problem);
            None
        }
    }
}

fn read_exceptions(reader: &mut Reader) -> Option<Exceptions> {
    const ENTRY: &str = "host, domain, address, network such as 10.0.0.0/8, each also with a port, or *";
    let entries = reader.list(NO_PROXY, &[], ENTRY, Exceptions::entry)?;
    if reader.is_set(NO_PROXY) {
        return Some(Exceptions::of(entries));
    }
    let variable = reader.proxy_variables().first(["no_proxy", "NO_PROXY"]);
    // What no program can read is no address of ours either.
    let texts = variable.map_or("", |(_, text)| text).split([',', ' ', '\t', '\n']);
    Some(Exceptions::of(texts.filter_map(Exceptions::entry).collect()))
}

#[cfg(test)]
mod tests;
