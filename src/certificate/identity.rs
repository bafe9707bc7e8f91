//! A certificate with its private key, with which one side of a TLS connection identifies itself.

use std::sync::Arc;

use rustls::InconsistentKeys;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::{Error, PemObject as _};
use rustls::sign::{CertifiedKey, SigningKey};
use thiserror::Error as ErrorMessage;

use super::Certificate;
use super::content::private_key_problem;

/// Why there is no identity.
#[derive(Debug, Clone, PartialEq, Eq, ErrorMessage)]
pub enum IdentityError {
    /// The text that has to hold certificates holds none, or not whole ones.
    #[error("{0}")]
    Certificates(String),
    /// The text that has to hold the private key holds none that can be used.
    #[error("{0}")]
    Key(String),
    /// The key is another one's.
    #[error("{0}")]
    Together(String),
}

/// Reads certificates, the identity's own one first, and its private key, each in PEM.
///
/// # Errors
/// [`IdentityError`], with what the content is instead.
pub fn read_identity(
    certificates: &[u8],
    key: &[u8],
    provider: &CryptoProvider,
) -> Result<Arc<CertifiedKey>, IdentityError> {
    let certificates = Certificate::read_all(certificates).map_err(IdentityError::Certificates)?;
    let private_key = PrivateKeyDer::from_pem_slice(key).map_err(|error| match error {
        Error::NoItemsFound => IdentityError::Key(private_key_problem(key).to_owned()),
        error => IdentityError::Key(format!("it is no whole PEM: {error}")),
    })?;
    let unusable = |error: rustls::Error| IdentityError::Key(format!("its private key can't be used: {error}"));
    let key = provider.key_provider.load_private_key(private_key).map_err(unusable)?;
    match certified(&certificates, 0, &key) {
        Ok(identity) => Ok(Arc::new(identity)),
        Err(error) => {
            let owner = (1..certificates.len()).find(|first| certified(&certificates, *first, &key).is_ok());
            Err(IdentityError::Together(match owner.and_then(|index| certificates.get(index)) {
                Some(owner) => format!(
                    "the private key belongs to {}, which is not the first certificate; expected it first, then the intermediate ones",
                    owner.subject()
                ),
                None => format!("the private key is not that of the certificate: {error}"),
            }))
        }
    }
}

/// The chain from one of the certificates on, with the key, if that is its own.
fn certified(
    certificates: &[Certificate],
    first: usize,
    key: &Arc<dyn SigningKey>,
) -> Result<CertifiedKey, rustls::Error> {
    let chain = certificates.iter().skip(first).map(|one| one.der().clone()).collect();
    let certified = CertifiedKey::new(chain, Arc::clone(key));
    match certified.keys_match() {
        // Keys of which the provider can't tell are taken, as rustls itself does.
        Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(certified),
        Err(error) => Err(error),
    }
}
