//! A forward proxy's address and credentials; the credentials are never shown.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

/// A forward proxy.
#[derive(Clone)]
pub struct ProxyAddress {
    /// The setting, or the variable of the environment, that it is from.
    pub name: &'static str,
    url: Url,
    authorization: Option<SecretString>,
}

impl PartialEq for ProxyAddress {
    fn eq(&self, other: &Self) -> bool {
        let exposed = |proxy: &Self| proxy.authorization.as_ref().map(|value| value.expose_secret().to_owned());
        (self.name, &self.url) == (other.name, &other.url) && exposed(self) == exposed(other)
    }
}

impl Eq for ProxyAddress {}

/// `http://host:port`, without credentials.
impl fmt::Display for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.as_str().trim_end_matches('/'))
    }
}

impl fmt::Debug for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl ProxyAddress {
    /// Reads `http://user:password@host:port`; a scheme that is left out is `http`. User and password are percent-encoded.
    pub fn parse(name: &'static str, text: &str) -> Option<Self> {
        let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let mut url: Url = text.parse().ok()?;
        let is_plain = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !is_plain {
            return None;
        }
        let authorization = basic(&url)?;
        url.set_username("").ok()?;
        url.set_password(None).ok()?;
        Some(Self { name, url, authorization })
    }

    /// Where it listens.
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// The value of `Proxy-Authorization` (RFC 9110 §11.7.2), if it wants credentials.
    pub fn authorization(&self) -> Option<&str> {
        self.authorization.as_ref().map(ExposeSecret::expose_secret)
    }

    /// Whether it is on this host, as a sidecar is.
    pub fn is_local(&self) -> bool {
        is_loopback(&self.url)
    }
}

/// Whether a URL leads to this host itself.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// The outer `None` is a mistake, the inner one that there are no credentials.
#[expect(clippy::option_option, reason = "the outer option is the mistake, the inner one the absence")]
fn basic(url: &Url) -> Option<Option<SecretString>> {
    if url.username().is_empty() && url.password().is_none() {
        return Some(None);
    }
    let decoded = |text: &str| percent_decode_str(text).decode_utf8().ok().map(String::from);
    let pair = format!("{}:{}", decoded(url.username())?, decoded(url.password().unwrap_or_default())?);
    // A line break would end the header.
    let is_text = !pair.chars().any(char::is_control);
    is_text.then(|| Some(SecretString::from(format!("Basic {}", STANDARD.encode(pair)))))
}
