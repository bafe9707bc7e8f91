//! Keys of the issuer, of every kind that signs tokens.

use std::io;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

/// A private key, and the public one as a JWK.
#[derive(Clone)]
pub struct SigningKey {
    /// The `kid`.
    pub kid: String,
    /// The algorithm that the key is for.
    pub algorithm: Algorithm,
    /// The private key in PEM (PKCS#8).
    pub pem: String,
    /// The public key (RFC 7517).
    pub jwk: Value,
    key: EncodingKey,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// A new key: RSA of 2048 bits, P-256, P-384 or Ed25519.
    ///
    /// # Errors
    /// If no key can be generated.
    pub fn generate(algorithm: Algorithm, kid: &str) -> io::Result<Self> {
        type Read = fn(&[u8]) -> jsonwebtoken::errors::Result<EncodingKey>;
        let random = SystemRandom::new();
        let (der, read): (Vec<u8>, Read) = match algorithm {
            Algorithm::ES256 => (
                EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
                    .map_err(io::Error::other)?
                    .as_ref()
                    .to_vec(),
                EncodingKey::from_ec_pem,
            ),
            Algorithm::ES384 => (
                EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &random)
                    .map_err(io::Error::other)?
                    .as_ref()
                    .to_vec(),
                EncodingKey::from_ec_pem,
            ),
            Algorithm::EdDSA => (
                Ed25519KeyPair::generate_pkcs8v1(&random).map_err(io::Error::other)?.as_ref().to_vec(),
                EncodingKey::from_ed_pem,
            ),
            _ => (
                KeyPair::generate(KeySize::Rsa2048)
                    .and_then(|pair| pair.as_der())
                    .map_err(io::Error::other)?
                    .as_ref()
                    .to_vec(),
                EncodingKey::from_rsa_pem,
            ),
        };
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der));
        let key = read(pem.as_bytes()).map_err(io::Error::other)?;
        let jwk = Jwk::from_encoding_key(&key, algorithm).map_err(io::Error::other)?;
        let mut jwk = serde_json::to_value(&jwk).map_err(io::Error::other)?;
        if let Some(members) = jwk.as_object_mut() {
            members.insert("kid".to_owned(), json!(kid));
            members.insert("use".to_owned(), json!("sig"));
        }
        Ok(Self { kid: kid.to_owned(), algorithm, pem, jwk, key })
    }

    /// The public key with a member replaced; `null` removes it.
    pub fn jwk_with(&self, name: &str, value: Value) -> Value {
        let mut jwk = self.jwk.clone();
        if let Some(members) = jwk.as_object_mut() {
            match value {
                Value::Null => members.remove(name),
                value => members.insert(name.to_owned(), value),
            };
        }
        jwk
    }

    /// Signs any header and claims; the signature is empty if the algorithm does not fit the key.
    pub fn sign(&self, algorithm: Algorithm, header: &Value, claims: &Value) -> String {
        self.sign_parts(algorithm, &header.to_string(), &claims.to_string())
    }

    /// Signs texts that need not be JSON.
    pub fn sign_parts(&self, algorithm: Algorithm, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.key, algorithm).unwrap_or_default();
        format!("{message}.{signature}")
    }
}
