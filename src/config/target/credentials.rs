//! `target.oauth2.auth`: how the client authenticates at the token endpoint.

use url::Url;

use super::keys::{PRIVATE_KEY, SigningKey};
use crate::config::identity::{Identity, IdentityNames};
use crate::config::reader::Reader;
use crate::config::secret::{ClientAuth, Secret};

/// The certificate and its key, for 11VMS and its token endpoint.
const IDENTITY: IdentityNames = IdentityNames {
    certificate: "target.oauth2.certificate",
    key: PRIVATE_KEY,
    file_suffix: "_file",
    expected: "expected a private key in PEM, with its certificate in the same file or in target.oauth2.certificate",
};

/// How the client authenticates at the token endpoint.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// `client_secret_basic` or `client_secret_post` (RFC 6749 §2.3.1).
    Secret(Secret, ClientAuth),
    /// `private_key_jwt` (RFC 7523 §2.2).
    PrivateKeyJwt(SigningKey),
    /// `tls_client_auth` or `self_signed_tls_client_auth` (RFC 8705 §2).
    Mtls(Identity),
    /// `none`: the grant itself is the proof.
    None,
}

/// The values of `target.oauth2.auth`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthMethod {
    Basic,
    Post,
    PrivateKeyJwt,
    Mtls,
    None,
}

impl AuthMethod {
    /// Reads the value.
    pub fn from_reader(reader: &mut Reader, default: &str) -> Option<Self> {
        let methods = [
            ("basic", Self::Basic),
            ("post", Self::Post),
            ("private_key_jwt", Self::PrivateKeyJwt),
            ("mtls", Self::Mtls),
            ("none", Self::None),
        ];
        reader.choice("target.oauth2.auth", default, &methods)
    }
}

impl Credentials {
    /// Reads what the method needs.
    pub fn from_reader(reader: &mut Reader, method: AuthMethod, token_url: Option<&Url>) -> Option<Self> {
        const SECRET: &str = "target.oauth2.client_secret";
        Some(match method {
            AuthMethod::Basic => Self::Secret(reader.required_secret(SECRET)?, ClientAuth::Basic),
            AuthMethod::Post => Self::Secret(reader.required_secret(SECRET)?, ClientAuth::Post),
            AuthMethod::PrivateKeyJwt => Self::PrivateKeyJwt(SigningKey::from_reader(reader, token_url)?),
            AuthMethod::Mtls => Self::Mtls(read_identity(reader)?),
            AuthMethod::None => Self::None,
        })
    }
}

fn read_identity(reader: &mut Reader) -> Option<Identity> {
    let key = reader.required_secret(IDENTITY.key);
    let certificate = reader.optional_secret(IDENTITY.certificate)?;
    Identity { certificate, key: key?, names: &IDENTITY }.checked(reader)
}
