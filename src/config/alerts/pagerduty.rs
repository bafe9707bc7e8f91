//! `[alerts.pagerduty]`: an integration of PagerDuty's Events API v2.

use secrecy::ExposeSecret as _;
use url::Url;

use crate::config::reader::Reader;
use crate::config::secret::Secret;
use crate::config::units;

/// The length of every routing key: a shorter one was cut off when it was copied.
const ROUTING_KEY_CHARS: usize = 32;

/// `[alerts.pagerduty]`
#[derive(Debug, Clone)]
pub struct PagerDuty {
    /// The URL to which the paths of the API are appended.
    pub url: Url,
    /// `routing_key`, the integration key.
    pub routing_key: Secret,
}

impl PagerDuty {
    /// Reads the section; the outer `None` is a mistake, the inner one the absence of the section.
    pub fn from_reader(reader: &mut Reader) -> Option<Option<Self>> {
        const KEY: &str = "alerts.pagerduty.routing_key";
        if !reader.has_section("alerts.pagerduty") {
            return Some(None);
        }
        let url = reader.value_or("alerts.pagerduty.url", "https://events.pagerduty.com", units::URL, units::url);
        let routing_key = reader.required_secret(KEY).filter(|secret| {
            let is_right = secret.read().is_ok_and(|key| is_routing_key(key.expose_secret()));
            if !is_right {
                let expected = "expected the integration key of an Events API v2 integration: 32 letters and digits";
                reader.report(&reader.secret_key(KEY), expected);
            }
            is_right
        });
        Some(Some(Self { url: url?, routing_key: routing_key? }))
    }
}

fn is_routing_key(text: &str) -> bool {
    text.len() == ROUTING_KEY_CHARS && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
