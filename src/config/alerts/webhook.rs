//! `[alerts.webhook]`: a receiver of HTTP requests that are signed as Standard Webhooks are.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use url::Url;

use crate::config::reader::Reader;
use crate::config::secret::Secret;
use crate::config::units;

/// Lengths of a key that the convention allows, in bytes.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// `[alerts.webhook]`
#[derive(Debug, Clone)]
pub struct Webhook {
    /// The receiver.
    pub url: Url,
    /// `whsec_` and the key in base64, read anew for each request.
    pub secret: Secret,
}

impl Webhook {
    /// Reads the section; the outer `None` is a mistake, the inner one the absence of the section.
    pub fn from_reader(reader: &mut Reader) -> Option<Option<Self>> {
        const KEY: &str = "alerts.webhook.secret";
        if !reader.has_section("alerts.webhook") {
            return Some(None);
        }
        let url = reader.required("alerts.webhook.url", units::URL, units::url);
        let secret = reader.required_secret(KEY).filter(|secret| {
            let problem = secret.read().ok().and_then(|text| signing_key(&text).err());
            if let Some(problem) = &problem {
                reader.report(&reader.secret_key(KEY), problem);
            }
            problem.is_none()
        });
        Some(Some(Self { url: url?, secret: secret? }))
    }
}

/// The key that a secret holds.
///
/// # Errors
/// What is expected; without the secret.
pub fn signing_key(secret: &SecretString) -> Result<SecretSlice<u8>, String> {
    let text = secret.expose_secret();
    let key = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).ok();
    let key = key.filter(|key| KEY_BYTES.contains(&key.len()));
    key.map(SecretSlice::from).ok_or_else(|| "expected whsec_ and 24 to 64 bytes in base64".to_owned())
}
