//! Private keys in PEM, as JWTs are signed with them. Knows nothing of settings and of what is signed.

use jsonwebtoken::{Algorithm, EncodingKey};
use secrecy::{ExposeSecret as _, SecretString};

use crate::pem;

/// Reads a private key in PEM (PKCS#8) and returns it with the first algorithm that it can sign with. RSA keys sign RS256.
/// `None` for a text without such a key or with several, and for RSA keys below 2048 bits.
pub fn parse(pem: &str) -> Option<(Algorithm, EncodingKey)> {
    type Parse = fn(&[u8]) -> jsonwebtoken::errors::Result<EncodingKey>;
    const FORMS: [(Algorithm, Parse); 4] = [
        (Algorithm::RS256, EncodingKey::from_rsa_pem),
        (Algorithm::ES256, EncodingKey::from_ec_pem),
        (Algorithm::ES384, EncodingKey::from_ec_pem),
        (Algorithm::EdDSA, EncodingKey::from_ed_pem),
    ];
    let pem = the_key_alone(pem)?;
    FORMS.iter().find_map(|(algorithm, parse)| {
        let key = parse(pem.expose_secret().as_bytes()).ok()?;
        // The PEM readers accept keys that fail when they sign: an RSA key that is too short, a key of another curve.
        jsonwebtoken::crypto::sign(b"", &key, *algorithm).ok().map(|_| (*algorithm, key))
    })
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
