//! A certificate and its private key, with which a client authenticates in the handshake.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::sign::CertifiedKey;
use secrecy::{ExposeSecret as _, SecretSlice};

use super::reader::Reader;
use super::secret::Secret;
use crate::certificate::{IdentityError, read_identity};
use crate::settings_file;

/// A certificate and its private key.
#[derive(Debug, Clone)]
pub struct Identity {
    /// In PEM; if absent, the certificate is in the key's place.
    pub certificate: Option<Secret>,
    /// In PEM.
    pub key: Secret,
    /// What messages call them.
    pub names: Arc<IdentityNames>,
}

/// The settings of an identity, as messages name them.
#[derive(Debug)]
pub struct IdentityNames {
    /// The setting of the certificate.
    pub certificate: String,
    /// The setting of the key.
    pub key: String,
    /// What follows a setting's name if its value is a path.
    pub file_suffix: &'static str,
    /// What is expected of them.
    pub expected: String,
}

impl Identity {
    /// The same, if its places hold what they must now; else the mistake is reported.
    pub fn checked(self, reader: &mut Reader) -> Option<Self> {
        let (certificates, key) = match self.contents() {
            Ok(contents) => contents,
            Err(problem) => {
                reader.report(&reader.secret_key(&self.names.key), &problem);
                return None;
            }
        };
        let read = read_identity(certificates.expose_secret(), key.expose_secret(), &default_provider());
        if let Err(error) = read {
            let setting = match (&error, &self.certificate) {
                (IdentityError::Certificates(_), Some(_)) => &self.names.certificate,
                _ => &self.names.key,
            };
            reader.report(&reader.secret_key(setting), &format!("{}; {error}", self.names.expected));
            return None;
        }
        Some(self)
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
            let key = || self.place(&self.names.key, &self.key);
            let place = match (&error, &self.certificate) {
                (IdentityError::Certificates(_), Some(certificate)) => self.place(&self.names.certificate, certificate),
                (IdentityError::Order { .. } | IdentityError::Mismatch(_), Some(certificate)) => {
                    format!("{}, {}", self.place(&self.names.certificate, certificate), key())
                }
                _ => key(),
            };
            format!("{place}: {}; {error}", self.names.expected)
        })
    }

    /// The setting and, if there is one, its file.
    fn place(&self, setting: &str, secret: &Secret) -> String {
        match secret {
            Secret::Text(_) => setting.to_owned(),
            Secret::File(path) => format!("{setting}{} {}", self.names.file_suffix, path.display()),
        }
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
