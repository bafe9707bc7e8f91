//! Assertions (RFC 7523 §3): JWTs that the client signs with its private key, which is read for each of them.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use tracing::warn;

use super::error::TokenError;
use crate::clock::after;
use crate::config::{Credentials, Grant, SigningKey, TargetOAuth2};
use crate::private_key;

const PRIVATE_KEY: &str = "target.oauth2.private_key";

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

/// The client's private key, and the one that was last read well.
#[derive(Debug)]
pub struct Signer {
    key: SigningKey,
    in_use: Mutex<Option<SecretString>>,
}

impl Signer {
    /// The signer of the settings, if their grant or their client authentication needs one: it is the same key for both.
    pub fn of(settings: &TargetOAuth2) -> Option<Self> {
        let key = match (&settings.credentials, &settings.grant) {
            (Credentials::PrivateKeyJwt(key), _) | (_, Grant::JwtBearer { key, .. }) => key.clone(),
            _ => return None,
        };
        // The settings were checked: a key that can't be read now is a key that changed since.
        let in_use = Mutex::new(key.pem.read().ok().filter(|pem| parse(pem).is_some()));
        Some(Self { key, in_use })
    }

    /// Signs an assertion of the client about `subject`.
    ///
    /// # Errors
    /// [`TokenError::Secret`] if no key that can sign was ever read.
    pub fn sign(&self, client_id: &str, subject: &str, now: Timestamp) -> Result<SecretString, TokenError> {
        let (algorithm, private) = self.current()?;
        let mut header = Header::new(algorithm);
        header.kid.clone_from(&self.key.key_id);
        let claims = Claims {
            iss: client_id,
            sub: subject,
            aud: &self.key.audience,
            // Used once: a server may refuse an assertion that it has seen (RFC 7523 §3).
            jti: uuid::Uuid::new_v4().to_string(),
            iat: now.as_second(),
            exp: after(now, LIFETIME).as_second(),
        };
        let unusable = |_| TokenError::Secret(format!("{PRIVATE_KEY} can't sign"));
        encode(&header, &claims, &private).map(SecretString::from).map_err(unusable)
    }

    /// The key as its file has it now; the one before, if the file can't be used.
    fn current(&self) -> Result<(Algorithm, EncodingKey), TokenError> {
        let mut in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        let read = self.key.pem.read().and_then(|pem| {
            let parsed = parse(&pem).ok_or_else(|| "it holds no private key in PEM that can sign".to_owned());
            parsed.map(|parsed| (pem, parsed))
        });
        match read {
            Ok((pem, parsed)) => {
                *in_use = Some(pem);
                Ok(parsed)
            }
            Err(problem) => {
                let before = in_use.as_ref().and_then(parse);
                let before = before.ok_or_else(|| TokenError::Secret(format!("{PRIVATE_KEY}: {problem}")))?;
                warn!(
                    setting.name = PRIVATE_KEY,
                    file.path = self.key.pem.file().map(|path| tracing::field::display(path.display())),
                    error.message = problem,
                    "a changed private key can't be used; the one before stays in use"
                );
                Ok(before)
            }
        }
    }
}

fn parse(pem: &SecretString) -> Option<(Algorithm, EncodingKey)> {
    private_key::parse(pem.expose_secret())
}
