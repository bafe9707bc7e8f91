//! The files of `sslrootcert`, `sslcert` and `sslkey`: read anew for each connection, and refused by name if they do not
//! have what they must.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use crate::postgres_url::{ClientCertificate, RootCertificates, Tls, TlsMode};

/// What the files of a connection contain, in PEM.
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
            let pem = file.read()?;
            let mut store = RootCertStore::empty();
            for certificate in file.certificates(&pem)? {
                store.add(certificate).map_err(|error| file.problem(&error.to_string()))?;
            }
            Ok(Some(pem))
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
    let pem = |der: &CertificateDer<'_>| {
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(der))
    };
    // The driver refuses a list with a certificate that it can't use.
    let usable = |der: &&CertificateDer<'_>| RootCertStore::empty().add((*der).clone()).is_ok();
    Ok(found.iter().filter(usable).map(pem).collect::<String>().into_bytes())
}

fn client(files: &ClientCertificate) -> Result<(Vec<u8>, Vec<u8>), String> {
    let certificate =
        File { parameter: "sslcert", path: &files.certificate, expected: "expected a certificate in PEM" };
    let key =
        File { parameter: "sslkey", path: &files.key, expected: "expected a private key in PEM, without a password" };
    let (certificate_pem, key_pem) = (certificate.read()?, key.read()?);
    let chain = certificate.certificates(&certificate_pem)?;
    let private = PrivateKeyDer::from_pem_slice(&key_pem).map_err(|error| key.problem(&error.to_string()))?;
    CertifiedKey::from_der(chain, private, &default_provider())
        .map_err(|error| key.problem(&format!("it does not go with sslcert: {error}")))?;
    Ok((certificate_pem, key_pem))
}

/// A file that a parameter names.
struct File<'p> {
    parameter: &'static str,
    path: &'p Path,
    expected: &'static str,
}

impl File<'_> {
    fn read(&self) -> Result<Vec<u8>, String> {
        fs::read(self.path).map_err(|error| self.problem(&error.to_string()))
    }

    fn certificates(&self, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
        match CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>() {
            Ok(certificates) if !certificates.is_empty() => Ok(certificates),
            Ok(_) => Err(self.problem("it has none")),
            Err(error) => Err(self.problem(&error.to_string())),
        }
    }

    fn problem(&self, problem: &str) -> String {
        format!("{} {}: {problem}; {}", self.parameter, self.path.display(), self.expected)
    }
}
