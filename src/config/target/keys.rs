//! The private key of the service at 11VMS: for assertions, or for TLS.

use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::sign::CertifiedKey;
use secrecy::{ExposeSecret as _, SecretSlice};
use url::Url;

use crate::certificate::{IdentityError, read_identity, read_private_key};
use crate::config::reader::Reader;
use crate::config::secret::Secret;
use crate::{private_key, settings_file};

const PRIVATE_KEY: &str = "target.oauth2.private_key";
const CERTIFICATE: &str = "target.oauth2.certificate";

const EXPECTED_IDENTITY: &str =
    "expected a private key in PEM, with its certificate in the same file or in target.oauth2.certificate";

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
            let problem = pem.read().ok().and_then(|text| signing_problem(text.expose_secret()));
            if let Some(problem) = &problem {
                let expected = "expected a private key in PEM (PKCS#8): RSA of 2048 bits or more, EC (P-256, P-384) or Ed25519; \
                                openssl pkcs8 -topk8 -nodes makes PKCS#8 of other forms";
                reader.report(&reader.secret_key(PRIVATE_KEY), &format!("{expected}{problem}"));
            }
            problem.is_none()
        });
        let key_id = reader.optional("target.oauth2.key_id", "the key's id", |text| Some(text.to_owned()));
        let audience = reader.optional("target.oauth2.assertion_audience", "a text", |text| Some(text.to_owned()));
        let audience = audience?.or_else(|| token_url.map(Url::to_string));
        Some(Self { pem: pem?, key_id: key_id?, audience: audience? })
    }
}

/// Why a text has no key that can sign, as far as its content tells; `None` if it has one.
fn signing_problem(pem: &str) -> Option<String> {
    if private_key::parse(pem).is_some() {
        return None;
    }
    // A key in whole PEM is one of a form or a length that is not expected.
    Some(read_private_key(pem.as_bytes()).err().map(|problem| format!("; {problem}")).unwrap_or_default())
}

impl Identity {
    /// Reads key and certificate.
    pub fn from_reader(reader: &mut Reader) -> Option<Self> {
        let key = reader.required_secret(PRIVATE_KEY);
        let certificate = reader.optional_secret(CERTIFICATE)?;
        let identity = Self { certificate, key: key? };
        let (certificates, key) = identity.contents().ok()?;
        let read = read_identity(certificates.expose_secret(), key.expose_secret(), &default_provider());
        if let Err(error) = read {
            let setting = match (&error, &identity.certificate) {
                (IdentityError::Certificates(_), Some(_)) => CERTIFICATE,
                _ => PRIVATE_KEY,
            };
            reader.report(&reader.secret_key(setting), &format!("{EXPECTED_IDENTITY}; {error}"));
            return None;
        }
        Some(identity)
    }

    /// What the certificate's place and the key's place hold now, in this order.
    ///
    /// # Errors
    /// Names the file that can't be read.
    pub fn contents(&self) -> Result<(SecretSlice<u8>, SecretSlice<u8>), String> {
        let key = content(&self.key)?;
        let certificates = self.certificate.as_ref().map_or_else(|| Ok(key.clone()), content)?;
        Ok((certificates, key))
    }

    /// The certificate, with its chain, and the key, from the contents of their places.
    ///
    /// # Errors
    /// Names the place that does not hold what it must.
    pub fn read(&self, certificates: &[u8], key: &[u8], provider: &CryptoProvider) -> Result<CertifiedKey, String> {
        read_identity(certificates, key, provider).map_err(|error| {
            let place = match (&error, &self.certificate) {
                (IdentityError::Certificates(_), Some(certificate)) => place(CERTIFICATE, certificate),
                (IdentityError::Order { .. } | IdentityError::Mismatch(_), Some(certificate)) => {
                    format!("{}, {}", place(CERTIFICATE, certificate), place(PRIVATE_KEY, &self.key))
                }
                _ => place(PRIVATE_KEY, &self.key),
            };
            format!("{place}: {EXPECTED_IDENTITY}; {error}")
        })
    }
}

/// The setting and, if there is one, its file.
fn place(setting: &str, secret: &Secret) -> String {
    match secret {
        Secret::Text(_) => setting.to_owned(),
        Secret::File(path) => format!("{setting}_file {}", path.display()),
    }
}

fn content(secret: &Secret) -> Result<SecretSlice<u8>, String> {
    match secret {
        Secret::Text(text) => Ok(text.expose_secret().as_bytes().to_vec().into()),
        Secret::File(path) => {
            settings_file::read(path).map(SecretSlice::from).map_err(|error| format!("{}: {error}", path.display()))
        }
    }
}
