//! The service's own TLS: its configuration is reloaded when the certificates change.

mod files;

use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio_rustls::TlsAcceptor;
use tracing::{info, warn};

pub use files::TlsError;
use files::{Digest, TlsFiles};

use crate::clock::Clock;
use crate::config::Tls;
use crate::reload::{Reload, Reloadable, Settling};

/// Between two readings of the files: a renewed certificate is in use within seconds, and a few kilobytes are read
/// quickly. Content is compared, as a swapped link raises no event.
const POLL: Duration = Duration::from_secs(2);

/// The service's certificate and key, and its trust in clients' certificates.
#[derive(Debug)]
pub struct ServerTls {
    settings: Tls,
    config: Reloadable<Vec<Digest>, ServerConfig>,
}

impl ServerTls {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError`], naming the setting.
    pub fn try_new(settings: Tls) -> Result<Self, TlsError> {
        let files = TlsFiles::read(&settings);
        let config = files.server_config(settings.client_certificates)?;
        let config = Reloadable::new(files.digests(), config, Settling::Immediate);
        Ok(Self { settings, config })
    }

    /// Every mistake in the files, for `check`.
    pub fn mistakes(settings: &Tls) -> Vec<TlsError> {
        TlsFiles::read(settings).mistakes(settings.client_certificates)
    }

    /// The acceptor for the next connection.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.current())
    }

    /// Reloads changed files, for ever. Files that can't be used leave the ones before in use.
    pub async fn watch(self: Arc<Self>, clock: Arc<dyn Clock>) {
        loop {
            clock.sleep(POLL).await;
            self.reload_if_changed();
        }
    }

    fn reload_if_changed(&self) {
        let files = TlsFiles::read(&self.settings);
        let reload = self.config.offer(files.digests(), |_| files.server_config(self.settings.client_certificates));
        let names = || files.all().map(|file| file.setting).collect::<Vec<_>>().join(", ");
        let paths = || files.all().map(|file| file.path.display().to_string()).collect::<Vec<_>>().join(", ");
        match reload {
            Reload::Unchanged => {}
            Reload::Exchanged { .. } => {
                info!(
                    setting.name = names(),
                    file.path = paths(),
                    "changed certificates of the server are in use for new connections"
                );
            }
            // Certificate and key are seldom written in one moment: the next reading may find both.
            Reload::Refused(error) => warn!(
                setting.name = names(),
                file.path = paths(),
                error.message = %error,
                "changed certificates of the server can't be used; the ones before stay in use"
            ),
        }
    }
}
