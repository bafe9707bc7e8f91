//! Which addresses are reached through a forward proxy, for those who ask.

use crate::config::{OutboundAddress, Settings, is_loopback, outbound_addresses};

/// How each address is reached, if any forward proxy is set.
#[derive(Debug, Default)]
pub struct WaysOut {
    /// A line for each setting with an address.
    pub lines: Vec<String>,
    /// Addresses of this host itself that another host is asked for.
    pub warnings: Vec<String>,
}

impl WaysOut {
    /// Of the settings as they are now.
    pub fn of(settings: &Settings) -> Self {
        let routes = match settings.target.forward_proxy.read() {
            Ok(routes) if !routes.is_empty() => routes,
            _ => return Self::default(),
        };
        let mut ways = Self::default();
        for OutboundAddress { setting, url, can_be_forwarded } in outbound_addresses(settings) {
            // Of the path, a part may be a secret.
            let origin = url.origin().ascii_serialization();
            let Some(proxy) = routes.to(&url).filter(|_| can_be_forwarded) else {
                ways.lines.push(format!("{setting}: {origin} is reached without a forward proxy"));
                continue;
            };
            ways.lines.push(format!("{setting}: {origin} is reached through the forward proxy {proxy}"));
            if is_loopback(&url) && !proxy.is_local() {
                ways.warnings.push(format!(
                    "{setting}: {origin} is this host itself, and the forward proxy {proxy} is asked for it; expected it in outbound.no_proxy"
                ));
            }
        }
        ways
    }
}
