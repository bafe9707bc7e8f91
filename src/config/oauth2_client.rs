//! A client of an OAuth2 server, as which the service asks for its tokens, or about those of its callers: how it
//! authenticates.

mod credentials;
mod signing_key;

pub use credentials::{AuthMethod, Credentials};
pub use signing_key::{AssertionKey, CertificateThumbprint, SigningKey};

use std::sync::Arc;

use super::identity::IdentityNames;

/// The settings of a client's credentials, as the file and messages name them.
#[derive(Debug)]
pub struct ClientKeys {
    /// How it authenticates.
    pub auth: String,
    pub client_secret: String,
    /// For assertions and for TLS.
    pub private_key: String,
    pub certificate: String,
    pub key_id: String,
    pub assertion_audience: String,
    pub assertion_algorithm: String,
    pub assertion_key: String,
    /// The certificate and its key, for the handshake and for thumbprints in assertions.
    pub identity: Arc<IdentityNames>,
}

impl ClientKeys {
    /// The keys of a section: `target.oauth2`, or that of an introspection.
    pub fn of(section: &str) -> Self {
        let key = |name: &str| format!("{section}.{name}");
        let (private_key, certificate) = (key("private_key"), key("certificate"));
        let identity = IdentityNames {
            certificate: certificate.clone(),
            key: private_key.clone(),
            file_suffix: "_file",
            expected: format!(
                "expected a private key in PEM, with its certificate in the same file or in {section}.certificate"
            ),
        };
        Self {
            auth: key("auth"),
            client_secret: key("client_secret"),
            private_key,
            certificate,
            key_id: key("key_id"),
            assertion_audience: key("assertion_audience"),
            assertion_algorithm: key("assertion_algorithm"),
            assertion_key: key("assertion_key"),
            identity: Arc::new(identity),
        }
    }

    /// The keys that only some of the methods use.
    pub fn conditional(&self) -> [&str; 7] {
        [
            &self.client_secret,
            &self.private_key,
            &self.certificate,
            &self.key_id,
            &self.assertion_audience,
            &self.assertion_algorithm,
            &self.assertion_key,
        ]
    }
}
