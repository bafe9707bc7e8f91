//! `target.oauth2.auth`: how the client authenticates at the token endpoint.

use url::Url;

use super::keys::{Identity, SigningKey};
use crate::config::reader::Reader;
use crate::config::secret::{ClientAuth, Secret};

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
            AuthMethod::Mtls => Self::Mtls(Identity::from_reader(reader)?),
            AuthMethod::None => Self::None,
        })
    }
}
