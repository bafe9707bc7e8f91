//! TLS that ends here: certificates in files, read again when they change.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use thiserror::Error;
use tokio_rustls::TlsAcceptor;
use tracing::{info, warn};

use crate::clock::Clock;
use crate::config::{ClientCertificates, Tls};
use crate::digest::sha256;

/// Between two looks at the files; content is compared, as no event is raised for a swapped link.
const POLL: Duration = Duration::from_secs(2);

/// What is spoken in TLS (RFC 7301). A client that says nothing of it speaks HTTP/1.
const ALPN: [&[u8]; 3] = [b"h2", b"http/1.1", b"http/1.0"];

/// TLS can't be set up.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file can't be read, or does not hold what it should.
    #[error("{key} {}: {problem}", file.display())]
    File {
        /// The setting.
        key: &'static str,
        /// The file.
        file: PathBuf,
        /// What is wrong, and what is expected.
        problem: String,
    },
    /// The files do not go together.
    #[error("server.tls.certificate and server.tls.key can't be used together: {0}")]
    Together(#[from] rustls::Error),
}

/// The server's side of TLS.
#[derive(Debug)]
pub struct ServerTls {
    settings: Tls,
    current: ArcSwap<ServerConfig>,
    /// Of the files as they were last looked at.
    seen: Mutex<[u8; 32]>,
}

impl ServerTls {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError`], naming the setting.
    pub fn try_new(settings: Tls) -> Result<Self, TlsError> {
        let seen = Mutex::new(digest(&settings));
        let current = ArcSwap::from_pointee(server_config(&settings)?);
        Ok(Self { settings, current, seen })
    }

    /// For the next connection.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.current.load_full())
    }

    /// Takes changed files up, for ever. Files that can't be used leave the ones before in use.
    pub async fn watch(self: Arc<Self>, clock: Arc<dyn Clock>) {
        loop {
            clock.sleep(POLL).await;
            self.reload_if_changed();
        }
    }

    fn reload_if_changed(&self) {
        let now = digest(&self.settings);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if now == *seen {
            return;
        }
        *seen = now;
        match server_config(&self.settings) {
            Ok(config) => {
                self.current.store(Arc::new(config));
                info!("changed certificates are in use");
            }
            // Certificate and key are seldom written in one moment: the next look may find both.
            Err(problem) => warn!(%problem, "changed certificates can't be used; the ones before stay in use"),
        }
    }
}

fn files(settings: &Tls) -> impl Iterator<Item = &Path> {
    [Some(&settings.certificate), Some(&settings.key), settings.client_ca.as_ref()]
        .into_iter()
        .flatten()
        .map(PathBuf::as_path)
}

fn digest(settings: &Tls) -> [u8; 32] {
    let hashes: Vec<[u8; 32]> = files(settings).map(|file| sha256(&fs::read(file).unwrap_or_default())).collect();
    sha256(&hashes.concat())
}

/// TLS 1.2 and 1.3, one certificate for whatever name a client asks for: SAP's client sends none by default.
fn server_config(settings: &Tls) -> Result<ServerConfig, TlsError> {
    let certificate = certificates("server.tls.certificate", &settings.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&settings.key).map_err(|error| TlsError::File {
        key: "server.tls.key",
        file: settings.key.clone(),
        problem: format!("{error}; expected a private key in PEM"),
    })?;
    let provider = Arc::new(default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?;
    let builder = match &settings.client_ca {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(file)?), provider);
            let verifier = match settings.client_certificates {
                ClientCertificates::Optional => verifier.allow_unauthenticated(),
                ClientCertificates::Required => verifier,
            };
            let built = verifier.build().map_err(|error| unusable("server.tls.client_ca", file, error.to_string()))?;
            builder.with_client_cert_verifier(built)
        }
    };
    let mut config = builder.with_single_cert(certificate, key)?;
    if settings.client_ca.is_some() {
        // A resumed session would show a certificate that has expired, or is trusted no more.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    config.alpn_protocols = ALPN.map(<[u8]>::to_vec).to_vec();
    Ok(config)
}

fn roots(file: &Path) -> Result<RootCertStore, TlsError> {
    const KEY: &str = "server.tls.client_ca";
    let mut roots = RootCertStore::empty();
    for certificate in certificates(KEY, file)? {
        roots.add(certificate).map_err(|error| unusable(KEY, file, error.to_string()))?;
    }
    Ok(roots)
}

fn certificates(key: &'static str, file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(unusable(key, file, "expected a certificate in PEM".to_owned())),
        Err(error) => Err(unusable(key, file, format!("{error}; expected a certificate in PEM"))),
    }
}

fn unusable(key: &'static str, file: &Path, problem: String) -> TlsError {
    TlsError::File { key, file: file.to_owned(), problem }
}
