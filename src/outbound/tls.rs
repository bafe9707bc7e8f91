//! TLS of a client: whom it trusts, and with which certificate it identifies itself, from files.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::sign::SingleCertAndKey;
use rustls_platform_verifier::Verifier;
use secrecy::{ExposeSecret as _, SecretSlice};
use thiserror::Error;

use crate::certificate::Certificate;
use crate::config::{Identity, Secret};
use crate::digest::sha256;
use crate::settings_file;

/// HTTP/2 where the other side has it.
const ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// No HTTP client can be built.
#[derive(Debug, Error)]
pub enum OutboundError {
    /// A file can't be read, or does not hold what it must.
    #[error("{setting_names}: {problem}")]
    File {
        /// The settings that may be at fault.
        setting_names: Cow<'static, str>,
        /// Names the file.
        problem: String,
    },
    /// The certificates, or the system's, can't be used.
    #[error("{setting_names}: no HTTP client can be built with it: {problem}")]
    Build {
        /// The settings that may be at fault.
        setting_names: Cow<'static, str>,
        /// Why.
        problem: String,
    },
}

/// The files of a client's certificates.
#[derive(Debug, Clone)]
pub struct CertificateSettings {
    /// The settings that name the files, for messages and logs.
    pub setting_names: Cow<'static, str>,
    /// A file with certificates in PEM that are trusted in addition to those of the system.
    pub ca: Option<PathBuf>,
    /// The client's certificate and key for the handshake.
    pub identity: Option<Identity>,
}

/// The content of the files.
#[derive(Debug)]
pub struct CertificateFiles {
    ca: Vec<u8>,
    certificate: SecretSlice<u8>,
    key: SecretSlice<u8>,
}

impl CertificateSettings {
    /// Whether any file is named.
    pub const fn has_files(&self) -> bool {
        self.ca.is_some() || self.identity.is_some()
    }

    /// The paths of the files, for logs.
    pub fn paths(&self) -> String {
        let identity = self.identity.iter().flat_map(|identity| identity.certificate.iter().chain([&identity.key]));
        let in_files = identity.filter_map(|secret| match secret {
            Secret::File(path) => Some(path),
            Secret::Text(_) => None,
        });
        self.ca.iter().chain(in_files).map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
    }

    /// Reads the files.
    ///
    /// # Errors
    /// [`OutboundError::File`]
    pub fn read(&self) -> Result<CertificateFiles, OutboundError> {
        let ca = self.ca.as_ref().map(|path| {
            settings_file::read(path).map_err(|error| self.file_error(format!("{}: {error}", path.display())))
        });
        let (certificate, key) = match &self.identity {
            Some(identity) => identity.contents().map_err(|problem| self.file_error(problem))?,
            None => (SecretSlice::from(Vec::new()), SecretSlice::from(Vec::new())),
        };
        Ok(CertificateFiles { ca: ca.transpose()?.unwrap_or_default(), certificate, key })
    }

    /// The configuration of TLS with the content of the files.
    ///
    /// # Errors
    /// [`OutboundError`], if a file does not hold what it must, or the system has no certificates that can be used.
    pub fn client_config(&self, files: &CertificateFiles) -> Result<ClientConfig, OutboundError> {
        let failed = |error: rustls::Error| OutboundError::Build {
            setting_names: self.setting_names.clone(),
            problem: error.to_string(),
        };
        let provider = Arc::new(default_provider());
        let trusted = match &self.ca {
            Some(path) => self.trusted(path, &files.ca)?,
            None => Vec::new(),
        };
        let roots = trusted.into_iter().map(|certificate| certificate.der().clone());
        let verifier = Verifier::new_with_extra_roots(roots, Arc::clone(&provider)).map_err(failed)?;
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(failed)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let certified = identity.read(files.certificate.expose_secret(), files.key.expose_secret(), &provider);
                let certified = certified.map_err(|problem| self.file_error(problem))?;
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified)))
            }
        };
        config.alpn_protocols = ALPN.map(<[u8]>::to_vec).to_vec();
        Ok(config)
    }

    /// The certificates of the CA file. At least one: a client that trusts nobody new would refuse every connection.
    fn trusted(&self, path: &Path, content: &[u8]) -> Result<Vec<Certificate>, OutboundError> {
        Certificate::read_roots(content)
            .map_err(|problem| self.file_error(format!("{}: expected certificates in PEM: {problem}", path.display())))
    }

    fn file_error(&self, problem: String) -> OutboundError {
        OutboundError::File { setting_names: self.setting_names.clone(), problem }
    }
}

impl CertificateFiles {
    /// Changes with the content of any file.
    pub fn digest(&self) -> [u8; 32] {
        let contents = [self.ca.as_slice(), self.certificate.expose_secret(), self.key.expose_secret()];
        sha256(&contents.map(sha256).concat())
    }
}
