//! HTTP clients with certificates from files, rebuilt when the files change.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::redirect::Policy as Redirects;
use reqwest::{Certificate, Client};
use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;
use tracing::{info, warn};

use super::error_chain::error_chain;
use crate::clock::{Clock, Moment};
use crate::config::{Identity, Secret};
use crate::digest::sha256;
use crate::reload::{Reload, Reloadable, Settling};

/// Idle connections are closed before common servers and load balancers do it: a request on a connection that the
/// other side is just closing has an unknown outcome.
const POOL_IDLE: Duration = Duration::from_secs(15);

/// Between two readings of the files, while the client is used: a renewed certificate overlaps with the old one for days.
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
    #[error("{setting_names}: no HTTP client can be built with it: {}", error_chain(source))]
    Build {
        /// The settings that may be at fault.
        setting_names: &'static str,
        /// Why.
        source: reqwest::Error,
    },
}

/// Trust, identity and time-outs of a client.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// The settings that name the files, for messages and logs.
    pub setting_names: &'static str,
    /// For the TCP and TLS handshake.
    pub connect_timeout: Duration,
    /// For a whole request.
    pub timeout: Duration,
    /// A file with certificates in PEM that are trusted in addition to those of the system.
    pub ca: Option<PathBuf>,
    /// The client's certificate and key for the handshake.
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

    fn build(&self, files: &Files) -> Result<Client, OutboundError> {
        self.client(files).map_err(|source| OutboundError::Build { setting_names: self.setting_names, source })
    }

    /// An HTTP client that does nothing on its own: no redirects, no retries, no proxy from the environment.
    fn client(&self, files: &Files) -> reqwest::Result<Client> {
        let builder = Client::builder()
            .user_agent(concat!("purchase-order-webhook/", env!("CARGO_PKG_VERSION")))
            .redirect(Redirects::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .connect_timeout(self.connect_timeout)
            .timeout(self.timeout)
            .pool_idle_timeout(POOL_IDLE)
            // `timeout` alone limits how long an answer may take.
            .tcp_user_timeout(None)
            .tls_certs_merge(Certificate::from_pem_bundle(&files.ca)?);
        let builder = match &files.identity {
            Some(pem) => builder.identity(reqwest::Identity::from_pem(pem.expose_secret().as_bytes())?),
            None => builder,
        };
        builder.build()
    }

    /// The paths of the files, for logs.
    fn paths(&self) -> String {
        let identity = self.identity.iter().flat_map(|identity| identity.certificate.iter().chain([&identity.key]));
        let in_files = identity.filter_map(|secret| match secret {
            Secret::File(path) => Some(path),
            Secret::Text(_) => None,
        });
        self.ca.iter().chain(in_files).map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
    }
}

impl Files {
    fn digest(&self) -> [u8; 32] {
        let identity = self.identity.as_ref().map_or("", |pem| pem.expose_secret());
        sha256(&[sha256(&self.ca), sha256(identity.as_bytes())].concat())
    }
}

/// The digest of the files, or the reason why they can't be read.
type Content = Result<[u8; 32], String>;

/// An HTTP client, exchanged when its files change.
#[derive(Debug)]
pub struct Outbound {
    settings: ClientSettings,
    clock: Arc<dyn Clock>,
    client: Reloadable<Content, Client>,
    checked_at: Mutex<Moment>,
}

impl Outbound {
    /// Builds the client, without connecting.
    ///
    /// # Errors
    /// If a file can't be read, or no HTTP client can be built.
    pub fn try_new(settings: ClientSettings, clock: Arc<dyn Clock>) -> Result<Self, OutboundError> {
        let files = settings.read()?;
        let client = Reloadable::new(Ok(files.digest()), settings.build(&files)?, Settling::Immediate);
        let checked_at = Mutex::new(clock.moment());
        Ok(Self { settings, clock, client, checked_at })
    }

    /// The client with the current certificates. Files that can't be used leave the client before in use.
    pub fn client(&self) -> Client {
        let has_files = self.settings.ca.is_some() || self.settings.identity.is_some();
        if has_files && self.check_is_due() {
            self.reload_if_changed();
        }
        self.client.current().as_ref().clone()
    }

    fn check_is_due(&self) -> bool {
        let now = self.clock.moment();
        let mut checked_at = self.checked_at.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = now.since(*checked_at) >= CHECK_INTERVAL;
        if is_due {
            *checked_at = now;
        }
        is_due
    }

    fn reload_if_changed(&self) {
        let files = self.settings.read();
        let content = files.as_ref().map(Files::digest).map_err(ToString::to_string);
        match self.client.offer(content, |_| files.and_then(|files| self.settings.build(&files))) {
            Reload::Unchanged => {}
            Reload::Exchanged { .. } => {
                info!(
                    setting.name = self.settings.setting_names,
                    file.path = self.settings.paths(),
                    "changed certificates for outbound calls are in use"
                );
            }
            Reload::Refused(error) => {
                // The system's certificate store takes part in the client: the same files may do next time.
                self.client.try_again();
                warn!(
                    setting.name = self.settings.setting_names,
                    file.path = self.settings.paths(),
                    error.message = %error,
                    "changed certificates for outbound calls can't be used; the ones before stay in use"
                );
            }
        }
    }
}
