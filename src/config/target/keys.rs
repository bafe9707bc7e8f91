//! The private key of the service at 11VMS: for assertions, or for TLS.

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::config::reader::Reader;
use crate::config::secret::Secret;
use crate::private_key;

const PRIVATE_KEY: &str = "target.oauth2.private_key";

/// A private key for assertions.
#[derive(Debug, Clone)]
pub struct SigningKey {
    /// In PEM, read anew for every assertion.
    pub pem: Secret,
    /// `kid`, where the server knows several keys of the client.
    pub key_id: Option<String>,
    /// `aud` of the assertion.
    pub audience: String,
}

/// A certificate and its private key, with which the client authenticates in the handshake.
#[derive(Debug, Clone)]
pub struct Identity {
    /// In PEM; if absent, the certificate is in the key's file.
    pub certificate: Option<Secret>,
    /// In PEM.
    pub key: Secret,
}

impl SigningKey {
    /// Reads the key and what goes into its assertions; their audience is the token endpoint unless it is set.
    pub fn from_reader(reader: &mut Reader, token_url: Option<&Url>) -> Option<Self> {
        let pem = reader.required_secret(PRIVATE_KEY).filter(|pem| {
            let can_sign = pem.read().is_ok_and(|text| private_key::parse(text.expose_secret()).is_some());
            if !can_sign {
                let expected = "expected a private key in PEM (PKCS#8): RSA of 2048 bits or more, EC (P-256, P-384) or Ed25519; \
                                openssl pkcs8 -topk8 -nodes makes PKCS#8 of other forms";
                reader.report(&reader.secret_key(PRIVATE_KEY), expected);
            }
            can_sign
        });
        let key_id = reader.optional("target.oauth2.key_id", "the key's id", |text| Some(text.to_owned()));
        let audience = reader.optional("target.oauth2.assertion_audience", "a text", |text| Some(text.to_owned()));
        let audience = audience?.or_else(|| token_url.map(Url::to_string));
        Some(Self { pem: pem?, key_id: key_id?, audience: audience? })
    }
}

impl Identity {
    /// Reads key and certificate.
    pub fn from_reader(reader: &mut Reader) -> Option<Self> {
        let key = reader.required_secret(PRIVATE_KEY);
        let certificate = reader.optional_secret("target.oauth2.certificate")?;
        let identity = Self { certificate, key: key? };
        let pem = identity.pem().ok()?;
        if reqwest::Identity::from_pem(pem.expose_secret().as_bytes()).is_err() {
            let expected =
                "expected a private key in PEM, with its certificate in the same file or in target.oauth2.certificate";
            reader.report(&reader.secret_key(PRIVATE_KEY), expected);
            return None;
        }
        Some(identity)
    }

    /// Certificate and key in one text.
    ///
    /// # Errors
    /// Names the file that can't be read.
    pub fn pem(&self) -> Result<SecretString, String> {
        let certificate = self.certificate.as_ref().map(Secret::read).transpose()?;
        let certificate = certificate.as_ref().map_or("", |text| text.expose_secret());
        Ok(format!("{certificate}\n{}", self.key.read()?.expose_secret()).into())
    }
}
