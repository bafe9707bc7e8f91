//! A client of an OAuth2 server, as which the service asks for its tokens, or about those of its callers: how it
//! authenticates.

mod credentials;
mod signing_key;

pub use credentials::{AuthMethod, Credentials};
pub use signing_key::{AssertionKey, CertificateThumbprint, SigningKey};

use super::identity::IdentityNames;

/// The settings of a client's credentials, as the file and messages name them.
#[derive(Debug)]
pub struct ClientKeys {
    /// How it authenticates.
    pub auth: &'static str,
    pub client_secret: &'static str,
    /// For assertions and for TLS.
    pub private_key: &'static str,
    pub certificate: &'static str,
    pub key_id: &'static str,
    pub assertion_audience: &'static str,
    pub assertion_algorithm: &'static str,
    pub assertion_key: &'static str,
    /// The certificate and its key, for the handshake and for thumbprints in assertions.
    pub identity: IdentityNames,
}

/// The client at the token endpoint of 11VMS.
pub static TARGET_CLIENT: ClientKeys = ClientKeys {
    auth: "target.oauth2.auth",
    client_secret: "target.oauth2.client_secret",
    private_key: "target.oauth2.private_key",
    certificate: "target.oauth2.certificate",
    key_id: "target.oauth2.key_id",
    assertion_audience: "target.oauth2.assertion_audience",
    assertion_algorithm: "target.oauth2.assertion_algorithm",
    assertion_key: "target.oauth2.assertion_key",
    identity: IdentityNames {
        certificate: "target.oauth2.certificate",
        key: "target.oauth2.private_key",
        file_suffix: "_file",
        expected: "expected a private key in PEM, with its certificate in the same file or in target.oauth2.certificate",
    },
};

/// The client at the introspection endpoint of the callers' issuer.
pub static INTROSPECTION_CLIENT: ClientKeys = ClientKeys {
    auth: "auth.introspection.auth",
    client_secret: "auth.introspection.client_secret",
    private_key: "auth.introspection.private_key",
    certificate: "auth.introspection.certificate",
    key_id: "auth.introspection.key_id",
    assertion_audience: "auth.introspection.assertion_audience",
    assertion_algorithm: "auth.introspection.assertion_algorithm",
    assertion_key: "auth.introspection.assertion_key",
    identity: IdentityNames {
        certificate: "auth.introspection.certificate",
        key: "auth.introspection.private_key",
        file_suffix: "_file",
        expected: "expected a private key in PEM, with its certificate in the same file or in auth.introspection.certificate",
    },
};

impl ClientKeys {
    /// The keys that only some of the methods use.
    pub const fn conditional(&self) -> [&'static str; 7] {
        [
            self.client_secret,
            self.private_key,
            self.certificate,
            self.key_id,
            self.assertion_audience,
            self.assertion_algorithm,
            self.assertion_key,
        ]
    }
}
