//! Assertions (RFC 7523 §3): JWTs that a client signs with its private key, which is read for each of them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rustls::crypto::aws_lc_rs::default_provider;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use tracing::warn;

use crate::clock::after;
use crate::config::{AssertionKey, CertificateThumbprint, Identity, SigningKey};
use crate::digest::{sha1, sha256};
use crate::private_key;

/// Validity of an assertion: it is used at once, and servers allow some minutes for clocks that differ.
const LIFETIME: Duration = Duration::from_mins(2);

#[derive(Debug, Serialize)]
struct Claims<'c> {
    iss: &'c str,
    sub: &'c str,
    aud: &'c str,
    jti: String,
    iat: i64,
    exp: i64,
}

/// A key, and how an assertion names it.
struct NamedKey {
    header: Header,
    key: EncodingKey,
}

/// The client's private key, and the one that was last read well.
pub struct Signer {
    key: SigningKey,
    in_use: Mutex<Option<Arc<NamedKey>>>,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("key", &self.key).finish_non_exhaustive()
    }
}

impl Signer {
    /// Reads the key; a file that can't be used now is read again for the first assertion.
    pub fn new(key: SigningKey) -> Self {
        // The settings were checked: a key that can't be read now is a key that changed since.
        let in_use = Mutex::new(NamedKey::read(&key).ok().map(Arc::new));
        Self { key, in_use }
    }

    /// Signs an assertion of the client about `subject`.
    ///
    /// # Errors
    /// If no key that can sign was ever read, with its setting; nothing of the key.
    pub fn sign(&self, client_id: &str, subject: &str, now: Timestamp) -> Result<SecretString, String> {
        let key = self.current()?;
        let claims = Claims {
            iss: client_id,
            sub: subject,
            aud: &self.key.audience,
            // Used once: a server may refuse an assertion that it has seen (RFC 7523 §3).
            jti: uuid::Uuid::new_v4().to_string(),
            iat: now.as_second(),
            exp: after(now, LIFETIME).as_second(),
        };
        let unusable = |_| format!("{} can't sign", self.key.setting);
        encode(&key.header, &claims, &key.key).map(SecretString::from).map_err(unusable)
    }

    /// The key as its file has it now; the one before, if the file can't be used.
    fn current(&self) -> Result<Arc<NamedKey>, String> {
        let read = NamedKey::read(&self.key).map(Arc::new);
        let mut in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        match (read, in_use.as_ref()) {
            (Ok(key), _) => {
                *in_use = Some(Arc::clone(&key));
                Ok(key)
            }
            (Err(problem), None) => Err(format!("{}: {problem}", self.key.setting)),
            (Err(problem), Some(before)) => {
                warn!(
                    setting.name = self.key.setting,
                    file.path = self.key.pem.file().map(|path| tracing::field::display(path.display())),
                    error.message = problem,
                    "a changed private key can't be used; the one before stays in use"
                );
                Ok(Arc::clone(before))
            }
        }
    }
}

impl NamedKey {
    /// Reads the key, and the certificate if that names it.
    fn read(settings: &SigningKey) -> Result<Self, String> {
        let Some(CertificateThumbprint { kind, identity }) = &settings.thumbprint else {
            return Self::of(settings.pem.read()?.expose_secret(), settings);
        };
        // Key and certificate are of one reading: read again, the file may have another key, and the certificate would name a
        // key that has not signed.
        let (certificates, key) = identity.contents()?;
        Self::certified(certificates.expose_secret(), key.expose_secret(), settings, *kind, identity)
    }

    fn certified(
        certificates: &[u8],
        key: &[u8],
        settings: &SigningKey,
        kind: AssertionKey,
        identity: &Identity,
    ) -> Result<Self, String> {
        let certified = identity.read(certificates, key, &default_provider())?;
        let certificate = certified.cert.first().ok_or("there is no certificate")?;
        // What is around the sections may be in any encoding.
        let pem = SecretString::from(String::from_utf8_lossy(key).into_owned());
        let mut named = Self::of(pem.expose_secret(), settings)?;
        match kind {
            AssertionKey::KeyId => {}
            AssertionKey::Sha1 => named.header.x5t = Some(URL_SAFE_NO_PAD.encode(sha1(certificate))),
            AssertionKey::Sha256 => named.header.x5t_s256 = Some(URL_SAFE_NO_PAD.encode(sha256(certificate))),
        }
        Ok(named)
    }

    fn of(pem: &str, settings: &SigningKey) -> Result<Self, String> {
        let (algorithm, key) = read_key(pem, settings.algorithm)?;
        let mut header = Header::new(algorithm);
        header.kid.clone_from(&settings.key_id);
        Ok(Self { header, key })
    }
}

fn read_key(pem: &str, algorithm: Option<Algorithm>) -> Result<(Algorithm, EncodingKey), String> {
    let usual = || private_key::parse(pem).ok_or_else(|| "it holds no private key in PEM that can sign".to_owned());
    match algorithm {
        None => usual(),
        Some(algorithm) => match private_key::parse_for(pem, algorithm) {
            Some(key) => Ok((algorithm, key)),
            None => usual().and(Err(format!("it holds a private key that can't sign {algorithm:?}"))),
        },
    }
}

#[cfg(test)]
mod tests;
