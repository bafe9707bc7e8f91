//! A certificate with its private key, with which one side of a TLS connection identifies itself.

use std::sync::Arc;

use rustls::InconsistentKeys;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use thiserror::Error;

use super::Certificate;
use super::content::{ENCRYPTED, OPENSSH, private_key_problem};
use crate::pem::{self, Section};

/// Why certificates and a private key make no identity.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IdentityError {
    /// The text that has to hold certificates holds none, or not whole ones.
    #[error("{0}")]
    Certificates(String),
    /// The text that has to hold the private key holds none that can be used.
    #[error("{0}")]
    Key(String),
    /// The key is that of a certificate that is not the first one.
    #[error(
        "the private key belongs to {owner}, which is not the first certificate; expected it first, then the intermediate ones"
    )]
    Order {
        /// The subject of that certificate.
        owner: String,
    },
    /// The key is of another certificate.
    #[error("the private key is not that of the certificate: {0}")]
    Mismatch(String),
}

/// Reads certificates, the identity's own one first, and its private key, each in PEM.
///
/// # Errors
/// [`IdentityError`], with what the content is instead.
pub fn read_identity(
    certificates: &[u8],
    key: &[u8],
    provider: &CryptoProvider,
) -> Result<CertifiedKey, IdentityError> {
    let certificates = Certificate::read_all(certificates).map_err(IdentityError::Certificates)?;
    let key = read_private_key(key).map_err(IdentityError::Key)?;
    let unusable = |error: rustls::Error| IdentityError::Key(format!("its private key can't be used: {error}"));
    certified_key(&certificates, &provider.key_provider.load_private_key(key).map_err(unusable)?)
}

/// Reads the one private key of a text in PEM; certificates and parameters beside it are skipped.
///
/// # Errors
/// What the content is instead.
pub fn read_private_key(content: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
    let sections = pem::sections(content)?;
    let keys: Vec<&Section> = sections.iter().filter(|section| section.label().ends_with("PRIVATE KEY")).collect();
    let key = match keys.as_slice() {
        [] => return Err(private_key_problem(content).to_owned()),
        [key] => key,
        [first, second, ..] => {
            return Err(format!(
                "it has {} private keys, as its {} and its {}; expected one",
                keys.len(),
                first.place(),
                second.place()
            ));
        }
    };
    let der = key.der().to_vec();
    match key.label() {
        _ if key.is_encrypted() => Err(ENCRYPTED.to_owned()),
        "ENCRYPTED PRIVATE KEY" => Err(ENCRYPTED.to_owned()),
        "OPENSSH PRIVATE KEY" => Err(OPENSSH.to_owned()),
        "PRIVATE KEY" => Ok(PrivatePkcs8KeyDer::from(der).into()),
        "RSA PRIVATE KEY" => Ok(PrivatePkcs1KeyDer::from(der).into()),
        "EC PRIVATE KEY" => Ok(PrivateSec1KeyDer::from(der).into()),
        _ => Err(format!("its {} is of a form that can't be read; expected PKCS #8, RSA or EC", key.place())),
    }
}

/// The certificates with the key of the first one.
///
/// # Errors
/// [`IdentityError`], if the first one can't be shown to others, or the key is not its own.
pub fn certified_key(certificates: &[Certificate], key: &Arc<dyn SigningKey>) -> Result<CertifiedKey, IdentityError> {
    if let Some((own, problem)) = certificates.first().and_then(|own| Some((own, own.identity_problem()?))) {
        return Err(IdentityError::Certificates(format!("the certificate {} is X.509 {problem}", own.subject())));
    }
    let with_first = |first: usize| {
        let chain = certificates.iter().skip(first).map(|one| one.der().clone()).collect();
        let certified = CertifiedKey::new(chain, Arc::clone(key));
        match certified.keys_match() {
            // Keys of which the provider can't tell are taken, as rustls itself does.
            Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(certified),
            Err(error) => Err(error),
        }
    };
    with_first(0).map_err(|error| {
        let owner = (1..certificates.len()).find(|first| with_first(*first).is_ok());
        match owner.and_then(|index| certificates.get(index)) {
            Some(owner) => IdentityError::Order { owner: owner.subject().to_owned() },
            None => IdentityError::Mismatch(error.to_string()),
        }
    })
}
