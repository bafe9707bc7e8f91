//! Private keys in PEM, as JWTs are signed with them. Knows nothing of settings and of what is signed.

use jsonwebtoken::{Algorithm, EncodingKey};
use secrecy::{ExposeSecret as _, SecretString};

use crate::pem;

type Read = fn(&[u8]) -> jsonwebtoken::errors::Result<EncodingKey>;

/// The algorithms that a key is tried with, the usual one of each kind first.
const FORMS: [(Algorithm, Read); 9] = [
    (Algorithm::RS256, EncodingKey::from_rsa_pem),
    (Algorithm::ES256, EncodingKey::from_ec_pem),
    (Algorithm::ES384, EncodingKey::from_ec_pem),
    (Algorithm::EdDSA, EncodingKey::from_ed_pem),
    (Algorithm::PS256, EncodingKey::from_rsa_pem),
    (Algorithm::RS384, EncodingKey::from_rsa_pem),
    (Algorithm::PS384, EncodingKey::from_rsa_pem),
    (Algorithm::RS512, EncodingKey::from_rsa_pem),
    (Algorithm::PS512, EncodingKey::from_rsa_pem),
];

/// Reads a private key in PEM (PKCS#8) and returns it with the first algorithm that it can sign with. RSA keys sign RS256.
/// `None` for a text without such a key or with several, and for RSA keys below 2048 bits.
pub fn parse(pem: &str) -> Option<(Algorithm, EncodingKey)> {
    FORMS.iter().find_map(|(algorithm, read)| Some((*algorithm, key(pem, *algorithm, *read)?)))
}

/// Reads a private key in PEM (PKCS#8) that signs with one algorithm; `None` if it can't.
pub fn parse_for(pem: &str, algorithm: Algorithm) -> Option<EncodingKey> {
    let (_, read) = FORMS.iter().find(|(known, _)| *known == algorithm)?;
    key(pem, algorithm, *read)
}

fn key(pem: &str, algorithm: Algorithm, read: Read) -> Option<EncodingKey> {
    let key = read(the_key_alone(pem)?.expose_secret().as_bytes()).ok()?;
    // The PEM readers accept keys that fail when they sign: an RSA key that is too short, a key of another curve.
    jsonwebtoken::crypto::sign(b"", &key, algorithm).ok().map(|_| key)
}

/// The lines of the one key: other parsers know no marks, and read the first section, whatever it is.
fn the_key_alone(text: &str) -> Option<SecretString> {
    match pem::sections(text.as_bytes()) {
        Ok(sections) => {
            let mut keys = sections.iter().filter(|section| section.label().ends_with("PRIVATE KEY"));
            let (Some(only), None) = (keys.next(), keys.next()) else { return None };
            Some(SecretString::from(only.to_pem()))
        }
        // Variables have keys in one line, which jsonwebtoken reads.
        Err(_) => (text.trim().lines().count() == 1).then(|| SecretString::from(text)),
    }
}
