//! How a client authenticates at an endpoint of its OAuth2 server.

use std::sync::Arc;

use url::Url;

use super::{ClientKeys, SigningKey};
use crate::config::identity::Identity;
use crate::config::reader::Reader;
use crate::config::secret::{ClientAuth, Secret};

/// How a client authenticates at a token or an introspection endpoint.
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

/// The name of a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthMethod {
    Basic,
    Post,
    PrivateKeyJwt,
    Mtls,
    None,
}

impl AuthMethod {
    /// The methods by which a client proves itself, whatever it asks for.
    const PROOFS: [(&'static str, Self); 4] =
        [("basic", Self::Basic), ("post", Self::Post), ("private_key_jwt", Self::PrivateKeyJwt), ("mtls", Self::Mtls)];

    /// Reads the method of a client that has to prove itself.
    pub fn from_reader(reader: &mut Reader, keys: &ClientKeys) -> Option<Self> {
        reader.choice(&keys.auth, "basic", &Self::PROOFS)
    }

    /// Reads the method of a client whose grant may be its proof.
    pub fn or_none_from_reader(reader: &mut Reader, keys: &ClientKeys, default: &str) -> Option<Self> {
        let methods: Vec<_> = Self::PROOFS.into_iter().chain([("none", Self::None)]).collect();
        reader.choice(&keys.auth, default, &methods)
    }
}

impl Credentials {
    /// Reads what the method needs. The audience of assertions is `endpoint`, unless another is set.
    pub fn from_reader(
        reader: &mut Reader,
        keys: &ClientKeys,
        method: AuthMethod,
        endpoint: Option<&Url>,
    ) -> Option<Self> {
        Some(match method {
            AuthMethod::Basic => Self::Secret(reader.required_secret(&keys.client_secret)?, ClientAuth::Basic),
            AuthMethod::Post => Self::Secret(reader.required_secret(&keys.client_secret)?, ClientAuth::Post),
            AuthMethod::PrivateKeyJwt => Self::PrivateKeyJwt(SigningKey::from_reader(reader, keys, endpoint)?),
            AuthMethod::Mtls => Self::Mtls(read_identity(reader, keys)?),
            AuthMethod::None => Self::None,
        })
    }

    /// The certificate by which the server knows the client, in the handshake or by its thumbprint.
    pub fn certificate(&self) -> Option<&Identity> {
        match self {
            Self::Mtls(identity) => Some(identity),
            Self::PrivateKeyJwt(key) => key.thumbprint.as_ref().map(|thumbprint| &thumbprint.identity),
            Self::Secret(..) | Self::None => None,
        }
    }

    /// The client's certificate and key for the handshake.
    pub const fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Mtls(identity) => Some(identity),
            _ => None,
        }
    }
}

fn read_identity(reader: &mut Reader, keys: &ClientKeys) -> Option<Identity> {
    let key = reader.required_secret(&keys.private_key);
    let certificate = reader.optional_secret(&keys.certificate)?;
    Identity { certificate, key: key?, names: Arc::clone(&keys.identity) }.checked(reader)
}
