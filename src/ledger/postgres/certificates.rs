//! The files of `sslrootcert`, `sslcert` and `sslkey`: read anew for each connection, and refused by name if they do not
//! have what they must.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::certificate::{Certificate, IdentityError, read_identity, read_private_key};
use crate::postgres_url::{ClientCertificate, RootCertificates, Tls, TlsMode};
use crate::settings_file;

/// What the files of a connection contain, in PEM as the driver reads it: without marks and other sections.
#[derive(Debug, Default)]
pub struct Certificates {
    /// The certificates that are trusted; `None` where none is verified.
    pub roots: Option<Vec<u8>>,
    /// The client's certificate and its key.
    pub client: Option<(Vec<u8>, Vec<u8>)>,
}

impl Certificates {
    /// Reads and checks the files.
    ///
    /// # Errors
    /// The first file that does not have what it must, by the parameter that names it.
    pub fn read(tls: &Tls) -> Result<Self, String> {
        Ok(Self { roots: roots(tls)?, client: tls.client.as_ref().map(client).transpose()? })
    }
}

/// Every mistake in the files, each by the parameter that names it.
pub fn mistakes(tls: &Tls) -> Vec<String> {
    let client = tls.client.as_ref().map(client).transpose();
    [roots(tls).err(), client.err()].into_iter().flatten().collect()
}

fn roots(tls: &Tls) -> Result<Option<Vec<u8>>, String> {
    if !matches!(tls.mode, TlsMode::VerifyCa | TlsMode::VerifyFull) {
        return Ok(None);
    }
    match &tls.roots {
        RootCertificates::System => system_roots().map(Some),
        RootCertificates::File(path) => {
            let file = File { parameter: "sslrootcert", path, expected: "expected certificates in PEM" };
            let certificates = Certificate::read_roots(&file.read()?).map_err(|problem| file.problem(&problem))?;
            Ok(Some(pem_of(certificates.iter().map(Certificate::der))))
        }
    }
}

/// The certificates that the system trusts; one that can't be read is left out, as other programs do.
fn system_roots() -> Result<Vec<u8>, String> {
    let found = rustls_native_certs::load_native_certs().certs;
    if found.is_empty() {
        return Err(
            "sslrootcert: the system has no certificates; expected sslrootcert=FILE, or the package ca-certificates"
                .to_owned(),
        );
    }
    // The driver refuses a list with a certificate that it can't use.
    let usable = |der: &&CertificateDer<'_>| RootCertStore::empty().add((*der).clone()).is_ok();
    Ok(pem_of(found.iter().filter(usable)))
}

fn client(files: &ClientCertificate) -> Result<(Vec<u8>, Vec<u8>), String> {
    let certificate =
        File { parameter: "sslcert", path: &files.certificate, expected: "expected a certificate in PEM" };
    let key =
        File { parameter: "sslkey", path: &files.key, expected: "expected a private key in PEM, without a password" };
    let (certificate_pem, key_pem) = (certificate.read()?, key.read()?);
    let chain = certificate.certificates(&certificate_pem)?;
    let private = read_private_key(&key_pem).map_err(|problem| key.problem(&problem))?;
    read_identity(&certificate_pem, &key_pem, &default_provider()).map_err(|error| match error {
        IdentityError::Key(problem) => key.problem(&problem),
        error @ IdentityError::Mismatch(_) => key.problem(&error.to_string()),
        error => certificate.problem(&error.to_string()),
    })?;
    let (label, der) = match &private {
        PrivateKeyDer::Pkcs1(der) => ("RSA PRIVATE KEY", der.secret_pkcs1_der()),
        PrivateKeyDer::Sec1(der) => ("EC PRIVATE KEY", der.secret_sec1_der()),
        PrivateKeyDer::Pkcs8(der) => ("PRIVATE KEY", der.secret_pkcs8_der()),
        _ => return Err(key.problem("its form is not known")),
    };
    Ok((pem_of(chain.iter().map(Certificate::der)), section(label, der).into_bytes()))
}

/// Certificates in PEM.
fn pem_of<'c>(certificates: impl Iterator<Item = &'c CertificateDer<'static>>) -> Vec<u8> {
    certificates.map(|der| section("CERTIFICATE", der)).collect::<String>().into_bytes()
}

/// A section of PEM (RFC 7468).
fn section(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

/// A file that a parameter names.
struct File<'p> {
    parameter: &'static str,
    path: &'p Path,
    expected: &'static str,
}

impl File<'_> {
    fn read(&self) -> Result<Vec<u8>, String> {
        settings_file::read(self.path).map_err(|error| self.problem(&error.to_string()))
    }

    fn certificates(&self, pem: &[u8]) -> Result<Vec<Certificate>, String> {
        Certificate::read_all(pem).map_err(|problem| self.problem(&problem))
    }

    fn problem(&self, problem: &str) -> String {
        format!("{} {}: {problem}; {}", self.parameter, self.path.display(), self.expected)
    }
}
