//! `[server.tls]`: TLS that ends in this service.

use std::path::PathBuf;

use crate::config::reader::Reader;
use crate::config::units;

/// `[server.tls]`: files in PEM, read again when they change.
#[derive(Debug, Clone)]
pub struct Tls {
    /// The certificate, and the intermediate ones that lead to its root.
    pub certificate: PathBuf,
    /// The private key of the certificate.
    pub key: PathBuf,
    /// The authorities that sign clients' certificates; without it, no client is asked for one.
    pub client_ca: Option<PathBuf>,
    /// The treatment of a client without a certificate.
    pub client_certificates: ClientCertificates,
}

/// The treatment of a client without a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientCertificates {
    /// It is served; a token that is bound to a certificate is refused.
    Optional,
    /// Its handshake fails.
    Required,
}

impl Tls {
    /// Reads the section; the outer `None` is a mistake, the inner one the absence of the section.
    pub fn from_reader(reader: &mut Reader) -> Option<Option<Self>> {
        if !reader.has_section("server.tls") {
            return Some(None);
        }
        let certificate = reader.required("server.tls.certificate", units::FILE, units::file);
        let key = reader.required("server.tls.key", units::FILE, units::file);
        let client_ca = reader.optional("server.tls.client_ca", units::FILE, units::file);
        let client_certificates = reader.choice(
            "server.tls.client_certificates",
            "optional",
            &[("optional", ClientCertificates::Optional), ("required", ClientCertificates::Required)],
        );
        if client_certificates == Some(ClientCertificates::Required) && client_ca == Some(None) {
            reader.report("server.tls.client_ca", "expected who signs the certificates that are required");
        }
        Some(Some(Self {
            certificate: certificate?,
            key: key?,
            client_ca: client_ca?,
            client_certificates: client_certificates?,
        }))
    }
}
