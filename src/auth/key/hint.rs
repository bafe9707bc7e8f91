//! What a token's header says of its key (RFC 7515 §4.1.4, §4.1.7, §4.1.8), and what keys are called.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::members::Members;
use super::number::octets;
use crate::digest::{sha1, sha256};

const SHA1_OCTETS: usize = 20;
const SHA256_OCTETS: usize = 32;

/// The names of a key. None of them is a secret, and none of them proves anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyNames {
    kid: Option<String>,
    /// SHA-1 of its certificate.
    x5t: Option<Vec<u8>>,
    /// SHA-256 of its certificate.
    x5t_s256: Option<Vec<u8>>,
}

impl KeyNames {
    /// The names that a JWK has, or that follow from its certificate (RFC 7517 §4.7 to §4.9).
    pub fn of(kid: Option<&str>, jwk: &Members) -> Self {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let chain = jwk.get("x5c").and_then(Value::as_array);
        let certificate = chain.and_then(|chain| STANDARD.decode(chain.first()?.as_str()?).ok());
        Self {
            kid: kid.map(str::to_owned),
            x5t: thumbprint(text("x5t"), SHA1_OCTETS).or_else(|| certificate.as_ref().map(|der| sha1(der).to_vec())),
            x5t_s256: thumbprint(text("x5t#S256"), SHA256_OCTETS)
                .or_else(|| certificate.as_ref().map(|der| sha256(der).to_vec())),
        }
    }
}

/// The key that a token names.
#[derive(Debug, Clone, Copy, Default)]
pub struct KeyHint<'t> {
    /// `kid`
    pub kid: Option<&'t str>,
    /// `x5t`
    pub x5t: Option<&'t str>,
    /// `x5t#S256`
    pub x5t_s256: Option<&'t str>,
}

/// How a key relates to a hint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// It is the one.
    Named,
    /// Nothing is known for or against it.
    Possible,
    /// It is another one.
    Other,
}

impl KeyHint<'_> {
    /// Whether a key is the one that the token names. `kid` decides alone; without it, the thumbprints of the certificate do,
    /// as far as the key has any.
    pub fn relation(&self, names: &KeyNames) -> Relation {
        if let Some(kid) = self.kid {
            return if names.kid.as_deref() == Some(kid) { Relation::Named } else { Relation::Other };
        }
        let of = |hint: Option<&str>, length: usize, known: &Option<Vec<u8>>| match (thumbprint(hint, length), known) {
            (Some(hint), Some(known)) if hint == *known => Relation::Named,
            (Some(_), Some(_)) => Relation::Other,
            _ => Relation::Possible,
        };
        let by_sha1 = of(self.x5t, SHA1_OCTETS, &names.x5t);
        let by_sha256 = of(self.x5t_s256, SHA256_OCTETS, &names.x5t_s256);
        match (by_sha1, by_sha256) {
            (Relation::Other, _) | (_, Relation::Other) => Relation::Other,
            (Relation::Named, _) | (_, Relation::Named) => Relation::Named,
            _ => Relation::Possible,
        }
    }
}

/// A thumbprint in any spelling; what has another length is none.
fn thumbprint(text: Option<&str>, length: usize) -> Option<Vec<u8>> {
    octets(text?).filter(|octets| octets.len() == length)
}
