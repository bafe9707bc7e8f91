//! The files of `[server.tls]`, each read once, and the TLS configuration that is built from them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{RootCertStore, ServerConfig};

use crate::certificate::{Certificate, IdentityError, certified_key, read_private_key};
use crate::config::{ClientCertificates, Tls};
use crate::digest::sha256;
use crate::settings_file;

/// The protocols offered in the handshake (ALPN, RFC 7301). A client without ALPN speaks HTTP/1.
const ALPN: [&[u8]; 3] = [b"h2", b"http/1.1", b"http/1.0"];

const CERTIFICATE: &str = "server.tls.certificate";
const KEY: &str = "server.tls.key";
const CLIENT_CA: &str = "server.tls.client_ca";

/// TLS can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read, or its content is not what is expected.
    #[error("{setting} {}: {problem}", file.display())]
    File {
        /// The setting that names the file.
        setting: &'static str,
        /// The file.
        file: PathBuf,
        /// The problem, and the expected content.
        problem: String,
    },
    /// The files do not go together.
    #[error("server.tls.certificate and server.tls.key can't be used together: {0}")]
    Together(String),
}

/// A file that a setting names, with what it contained when it was read.
pub struct PemFile<'s> {
    pub setting: &'static str,
    pub path: &'s Path,
    /// The expected content, for messages.
    expected: &'static str,
    content: io::Result<Vec<u8>>,
}

impl<'s> PemFile<'s> {
    fn read(setting: &'static str, path: &'s Path, expected: &'static str) -> Self {
        Self { setting, path, expected, content: settings_file::read(path) }
    }

    fn certificates(&self) -> Result<Vec<Certificate>, TlsError> {
        Certificate::read_all(self.content()?).map_err(|problem| self.unexpected(&problem))
    }

    fn private_key(&self) -> Result<PrivateKeyDer<'static>, TlsError> {
        read_private_key(self.content()?).map_err(|problem| self.unexpected(&problem))
    }

    /// The certificates as roots, against which others are verified.
    fn roots(&self) -> Result<RootCertStore, TlsError> {
        let mut roots = RootCertStore::empty();
        let certificates = Certificate::read_roots(self.content()?).map_err(|problem| self.unexpected(&problem))?;
        for certificate in certificates {
            roots.add(certificate.der().clone()).map_err(|error| self.unusable(&error.to_string()))?;
        }
        Ok(roots)
    }

    fn content(&self) -> Result<&[u8], TlsError> {
        self.content.as_deref().map_err(|error| self.unexpected(&error.to_string()))
    }

    fn unexpected(&self, problem: &str) -> TlsError {
        self.unusable(&format!("{problem}; {}", self.expected))
    }

    fn unusable(&self, problem: &str) -> TlsError {
        TlsError::File { setting: self.setting, file: self.path.to_owned(), problem: problem.to_owned() }
    }

    /// A file that can't be read differs from every file that can, and from one that can't for another reason.
    fn digest(&self) -> Digest {
        self.content.as_deref().map(sha256).map_err(io::Error::kind)
    }
}

/// The digest of a file, or the reason why it can't be read.
pub type Digest = Result<[u8; 32], io::ErrorKind>;

/// The files of `[server.tls]`, each read once.
pub struct TlsFiles<'s> {
    certificate: PemFile<'s>,
    key: PemFile<'s>,
    client_ca: Option<PemFile<'s>>,
}

impl<'s> TlsFiles<'s> {
    pub fn read(settings: &'s Tls) -> Self {
        const EXPECTED: &str = "expected a certificate in PEM";
        Self {
            certificate: PemFile::read(CERTIFICATE, &settings.certificate, EXPECTED),
            key: PemFile::read(KEY, &settings.key, "expected a private key in PEM"),
            client_ca: settings.client_ca.as_deref().map(|path| PemFile::read(CLIENT_CA, path, EXPECTED)),
        }
    }

    pub fn all(&self) -> impl Iterator<Item = &PemFile<'s>> {
        [&self.certificate, &self.key].into_iter().chain(&self.client_ca)
    }

    /// What is wrong with each file, or, if nothing is, with all together.
    pub fn mistakes(&self, client_certificates: ClientCertificates) -> Vec<TlsError> {
        let roots = self.client_ca.as_ref().and_then(|file| file.roots().err());
        let alone = [self.certificate.certificates().err(), self.key.private_key().err(), roots];
        let alone: Vec<TlsError> = alone.into_iter().flatten().collect();
        if alone.is_empty() { self.server_config(client_certificates).err().into_iter().collect() } else { alone }
    }

    pub fn digests(&self) -> Vec<Digest> {
        self.all().map(PemFile::digest).collect()
    }

    /// TLS 1.2 and 1.3 with one certificate for any name that a client asks for: SAP's client sends none by default.
    pub fn server_config(&self, client_certificates: ClientCertificates) -> Result<ServerConfig, TlsError> {
        let provider = Arc::new(default_provider());
        let certified = self.certified_key(&provider)?;
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|error| TlsError::Together(error.to_string()))?;
        let builder = match &self.client_ca {
            None => builder.with_no_client_auth(),
            Some(file) => {
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(file.roots()?), provider);
                let verifier = match client_certificates {
                    ClientCertificates::Optional => verifier.allow_unauthenticated(),
                    ClientCertificates::Required => verifier,
                };
                builder.with_client_cert_verifier(verifier.build().map_err(|error| file.unusable(&error.to_string()))?)
            }
        };
        let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        if self.client_ca.is_some() {
            // A resumed session would present a certificate that has expired since, or is trusted no more.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        config.alpn_protocols = ALPN.map(<[u8]>::to_vec).to_vec();
        Ok(config)
    }

    /// The certificate with its chain and the key that belongs to it.
    fn certified_key(&self, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
        let certificates = self.certificate.certificates()?;
        let key = self.key.private_key()?;
        let unusable = |error: rustls::Error| self.key.unexpected(&format!("the key can't be used: {error}"));
        let key = provider.key_provider.load_private_key(key).map_err(unusable)?;
        certified_key(&certificates, &key).map_err(|error| match error {
            IdentityError::Order { owner } => self.certificate.unusable(&format!(
                "server.tls.key belongs to {owner}, which is not the first in the file; expected the server's own certificate first, \
                 then the intermediate ones"
            )),
            IdentityError::Mismatch(problem) => TlsError::Together(problem),
            IdentityError::Certificates(problem) => self.certificate.unexpected(&problem),
            IdentityError::Key(problem) => self.key.unexpected(&problem),
        })
    }
}
