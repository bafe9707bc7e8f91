//! Going out: HTTP clients that do nothing on their own, whose certificates are read again when they change.
//!
//! Knows neither 11VMS nor the issuer: `vms` and `auth` use it to reach them.

use std::error::Error;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use reqwest::header::AUTHORIZATION;
use reqwest::redirect::Policy as Redirects;
use reqwest::{Certificate, Client, RequestBuilder, Response};
use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;
use tracing::{info, warn};
use url::form_urlencoded::Serializer;

use crate::clock::{Clock, between};
use crate::config::{ClientAuth, Identity};
use crate::digest::sha256;

/// Idle connections are closed before common servers and load balancers do it: a request on a connection that the
/// other side is just closing has an unknown outcome.
const POOL_IDLE: Duration = Duration::from_secs(15);

/// Between two looks at the files, while the client is used: a renewed certificate overlaps with the old one for days.
const CHECK_INTERVAL: Duration = Duration::from_secs(10);

/// No HTTP client can be built.
#[derive(Debug, Error)]
pub enum OutboundError {
    /// A file can't be read.
    #[error("{setting_names}: {problem}")]
    File {
        /// The settings that may be at fault.
        setting_names: &'static str,
        /// Names the file.
        problem: String,
    },
    /// A certificate, a key, or the system's certificate store can't be used.
    #[error("{setting_names}: no HTTP client can be built with it: {}", chain(source))]
    Build {
        /// The settings that may be at fault.
        setting_names: &'static str,
        /// Why.
        source: reqwest::Error,
    },
}

/// Who is trusted, and who we are.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// The settings that say so, for messages.
    pub setting_names: &'static str,
    /// For the TCP and TLS handshake.
    pub connect_timeout: Duration,
    /// For a whole request.
    pub timeout: Duration,
    /// A file with certificates in PEM that are trusted beside those of the system.
    pub ca: Option<PathBuf>,
    /// What is shown in the handshake.
    pub identity: Option<Identity>,
}

/// The content of the files.
struct Files {
    ca: Vec<u8>,
    identity: Option<SecretString>,
}

impl ClientSettings {
    fn read(&self) -> Result<Files, OutboundError> {
        let failed = |problem| OutboundError::File { setting_names: self.setting_names, problem };
        let ca = self
            .ca
            .as_ref()
            .map(|path| std::fs::read(path).map_err(|error| failed(format!("{}: {error}", path.display()))));
        let identity = self.identity.as_ref().map(|identity| identity.pem().map_err(failed));
        Ok(Files { ca: ca.transpose()?.unwrap_or_default(), identity: identity.transpose()? })
    }

    /// An HTTP client that does nothing on its own: no redirects, no retries, no proxy from the environment.
    fn build(&self, files: &Files) -> Result<Client, OutboundError> {
        self.client(files).map_err(|source| OutboundError::Build { setting_names: self.setting_names, source })
    }

    fn client(&self, files: &Files) -> reqwest::Result<Client> {
        let builder = Client::builder()
            .user_agent(concat!("purchase-order-webhook/", env!("CARGO_PKG_VERSION")))
            .redirect(Redirects::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .connect_timeout(self.connect_timeout)
            .timeout(self.timeout)
            .pool_idle_timeout(POOL_IDLE)
            // How long an answer may take is said by `timeout` alone.
            .tcp_user_timeout(None)
            .tls_certs_merge(Certificate::from_pem_bundle(&files.ca)?);
        let builder = match &files.identity {
            Some(pem) => builder.identity(reqwest::Identity::from_pem(pem.expose_secret().as_bytes())?),
            None => builder,
        };
        builder.build()
    }
}

impl Files {
    fn digest(&self) -> [u8; 32] {
        let identity = self.identity.as_ref().map_or("", |pem| pem.expose_secret());
        sha256(&[sha256(&self.ca), sha256(identity.as_bytes())].concat())
    }
}

/// An HTTP client, exchanged when its files change.
#[derive(Debug)]
pub struct Outbound {
    settings: ClientSettings,
    clock: Arc<dyn Clock>,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    client: Client,
    digest: [u8; 32],
    looked_at: Timestamp,
}

impl Outbound {
    /// Builds the client; connects nowhere yet.
    ///
    /// # Errors
    /// If a file can't be read, or no HTTP client can be built.
    pub fn try_new(settings: ClientSettings, clock: Arc<dyn Clock>) -> Result<Self, OutboundError> {
        let files = settings.read()?;
        let current = Current { client: settings.build(&files)?, digest: files.digest(), looked_at: clock.now() };
        Ok(Self { settings, clock, current: Mutex::new(current) })
    }

    /// The client with the certificates as they are now. Files that can't be used leave the one before in use.
    pub fn client(&self) -> Client {
        let mut current = self.current();
        let has_files = self.settings.ca.is_some() || self.settings.identity.is_some();
        if has_files && between(current.looked_at, self.clock.now()) >= CHECK_INTERVAL {
            current.looked_at = self.clock.now();
            if let Err(problem) = self.reload_if_changed(&mut current) {
                warn!(%problem, "changed certificates for going out can't be used; the ones before stay in use");
            }
        }
        current.client.clone()
    }

    fn reload_if_changed(&self, current: &mut Current) -> Result<(), OutboundError> {
        let files = self.settings.read()?;
        let digest = files.digest();
        if digest != current.digest {
            *current = Current { client: self.settings.build(&files)?, digest, looked_at: current.looked_at };
            info!("changed certificates for going out are in use");
        }
        Ok(())
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends a client's id and secret along with a form (RFC 6749 §2.3.1): in the header, or in the form itself.
pub fn authenticate(
    request: RequestBuilder,
    form: &mut Serializer<'_, String>,
    client_id: &str,
    secret: &SecretString,
    sent: ClientAuth,
) -> RequestBuilder {
    match sent {
        ClientAuth::Basic => request.header(AUTHORIZATION, basic(client_id, secret).expose_secret()),
        ClientAuth::Post => {
            form.append_pair("client_id", client_id).append_pair("client_secret", secret.expose_secret());
            request
        }
    }
}

/// The value of `Authorization: Basic`, both parts encoded first.
fn basic(client_id: &str, secret: &SecretString) -> SecretString {
    let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = SecretString::from(format!("{}:{}", encoded(client_id), encoded(secret.expose_secret())));
    format!("Basic {}", STANDARD.encode(pair.expose_secret())).into()
}

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// If the body is larger, or breaks off.
pub async fn read_limited(mut response: Response, limit: usize) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > limit => return Err(format!("sent more than {limit} bytes")),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) => return Err(format!("broke off: {}", chain(&error))),
        }
    }
}

/// An error with its causes, without the URL, which may carry more than a log should.
pub fn chain(error: &reqwest::Error) -> String {
    let mut texts = vec![];
    let mut cause = error.source();
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    if texts.is_empty() { "the request failed".to_owned() } else { texts.join(": ") }
}

/// `Retry-After` (RFC 9110 §10.2.3): seconds, or an HTTP date in any of its three forms (§5.6.7), as a wait from `now`.
pub fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return Some(text.parse().map_or(Duration::MAX, Duration::from_secs));
    }
    let moment = httpdate::parse_http_date(text).ok()?;
    // A date beyond all time is a long wait, not none.
    Some(between(now, Timestamp::try_from(moment).unwrap_or(Timestamp::MAX)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn retry_after_comes_as_seconds_or_as_a_date_in_any_form() {
        let now: Timestamp = "2025-01-31T09:30:00Z".parse().unwrap();
        assert_eq!(retry_after("120", now), Some(Duration::from_mins(2)));
        assert_eq!(retry_after("Fri, 31 Jan 2025 09:31:30 GMT", now), Some(Duration::from_secs(90)));
        assert_eq!(retry_after("Friday, 31-Jan-25 09:31:30 GMT", now), Some(Duration::from_secs(90)));
        assert_eq!(retry_after("Fri Jan 31 09:31:30 2025", now), Some(Duration::from_secs(90)));
        assert!(retry_after("Fri, 31 Dec 9999 23:59:59 GMT", now) > Some(Duration::from_hours(24 * 365)));
        assert_eq!(retry_after("Fri, 31 Jan 2025 09:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("99999999999999999999999", now), Some(Duration::MAX));
        for nonsense in ["", "soon", "-1", "1.5"] {
            assert_eq!(retry_after(nonsense, now), None, "{nonsense}");
        }
    }

    #[test]
    fn id_and_secret_are_encoded_before_they_are_joined() {
        let value = basic("a:b", &SecretString::from("c%+ä"));
        assert_eq!(value.expose_secret(), format!("Basic {}", STANDARD.encode("a%3Ab:c%25%2B%C3%A4")));
    }

    proptest! {
        #[test]
        fn reading_retry_after_never_panics(text in "\\PC{0,40}") {
            let _ = retry_after(&text, Timestamp::UNIX_EPOCH);
        }
    }
}
