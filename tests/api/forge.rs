//! Makes good and forged tokens of an issuer.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm::{HS256, RS256};
use jsonwebtoken::EncodingKey;
use purchase_order_webhook::sandbox::issuer::{Issuer, SigningKey};
use serde_json::{Value, json};

/// Makes tokens that differ from a good one in one thing.
pub struct Forge {
    pub key: SigningKey,
    pub header: Value,
    pub claims: Value,
}

/// Another value for a member; `null` takes it away.
pub fn with(object: &Value, name: &str, value: Value) -> Value {
    let mut object = object.clone();
    let members = object.as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name)
    } else {
        members.insert(name.to_owned(), value)
    };
    object
}

pub fn base64(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// The three parts of a token.
pub fn parts(token: &str) -> [String; 3] {
    let parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    parts.try_into().unwrap()
}

/// The same bytes for a lax reader: the last character carries bits that no byte needs.
pub fn with_stray_bits(part: &str) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (rest, last) = part.split_at(part.len() - 1);
    let next = ALPHABET.find(last).map(|at| &ALPHABET[at + 1..at + 2]).unwrap();
    assert_ne!(part.len() % 4, 0, "there is no stray bit in {part}");
    format!("{rest}{next}")
}

/// HS256 with a secret that everybody knows.
pub fn hmac(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let message = format!("{}.{}", base64(&header.to_string()), base64(&claims.to_string()));
    let key = EncodingKey::from_secret(secret);
    format!("{message}.{}", jsonwebtoken::crypto::sign(message.as_bytes(), &key, HS256).unwrap())
}

impl Forge {
    pub fn of(issuer: &Issuer) -> Self {
        let header = json!({ "alg": "RS256", "typ": "at+jwt", "kid": issuer.kid() });
        Self { key: issuer.key().unwrap(), header, claims: issuer.claims() }
    }

    pub fn good(&self) -> String {
        self.key.sign(RS256, &self.header, &self.claims)
    }

    pub fn header(&self, name: &str, value: Value) -> String {
        self.key.sign(RS256, &with(&self.header, name, value), &self.claims)
    }

    pub fn claim(&self, name: &str, value: Value) -> String {
        self.key.sign(RS256, &self.header, &with(&self.claims, name, value))
    }

    pub fn claim_text(&self, claims: &str) -> String {
        self.key.sign_parts(RS256, &self.header.to_string(), claims)
    }

    pub fn header_text(&self, header: &str) -> String {
        self.key.sign_parts(RS256, header, &self.claims.to_string())
    }
}
