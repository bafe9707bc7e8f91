//! One key of the issuer (RFC 7517), and the algorithms that it may verify.
//!
//! Reads what issuers publish, in their spelling, once: from here on there is one spelling of each key.

mod hint;
mod material;
mod members;
mod number;
mod pem;
mod roca;
mod set;
mod small_order;
mod unfit;

use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

use crate::config::asymmetric_algorithm;
use crate::digest::{hex, sha256};
use crate::outbound::RawMembers;
use hint::KeyNames;
pub use hint::{KeyHint, Relation};
use material::{Curve, Material};
use members::Members;
pub use set::JwkSet;
pub use unfit::{LeftOutKey, Unfit};

/// Most characters of a `kid` in a log.
const MAX_KID_CHARS: usize = 100;

/// A key that may verify tokens.
#[derive(Debug, Clone)]
pub struct Key {
    /// What tokens call it.
    names: KeyNames,
    /// SHA-256 of the key in its one spelling.
    digest: String,
    /// The algorithms that it may verify: those of its kind, or only `alg` if the issuer names it.
    pub algorithms: Vec<Algorithm>,
    /// The key itself.
    pub decoding: DecodingKey,
}

impl Key {
    /// Names, key and algorithms as one text: if it changes, tokens have to be verified again.
    pub fn identity(&self) -> String {
        format!("{:?} {} {:?}", self.names, self.digest, self.algorithms)
    }

    /// How it relates to what a token says of its key.
    pub fn relation(&self, hint: KeyHint<'_>) -> Relation {
        hint.relation(&self.names)
    }

    /// Reads a public signature key.
    ///
    /// # Errors
    /// [`LeftOutKey`] for every other key: symmetric and private ones, keys for encryption, weak ones.
    pub fn parse(jwk: &str) -> Result<Self, LeftOutKey> {
        let Ok(members) = serde_json::from_str::<RawMembers>(jwk) else {
            return Err(LeftOutKey { kid: String::new(), reason: Unfit::Defective("it is no JSON object") });
        };
        let read = Members::of(&members);
        let key = if members.has_repeated() { Err(Unfit::Defective("it has a name twice")) } else { Self::read(&read) };
        key.map_err(|reason| LeftOutKey { kid: printable_kid(&read), reason })
    }

    fn read(jwk: &Members) -> Result<Self, Unfit> {
        let kid = jwk.text("kid", "its kid is no text")?;
        check_purpose(jwk)?;
        let material = material(jwk)?;
        let algorithms = match jwk.text("alg", "its alg is no text")?.filter(|name| !name.is_empty()) {
            None => material.algorithms.to_vec(),
            Some(name) => {
                let pinned = asymmetric_algorithm(name);
                material.algorithms.iter().filter(|one| pinned == Some(**one)).copied().collect()
            }
        };
        if algorithms.is_empty() {
            return Err(Unfit::OtherPurpose("it is for an algorithm (alg) that can't verify tokens with it"));
        }
        let digest = hex(&sha256(&material.canonical));
        Ok(Self { names: KeyNames::of(kid, jwk), digest, algorithms, decoding: material.decoding })
    }
}

/// RFC 7517 §4.2 and §4.3, and the members that no public key has (RFC 7518 §6).
fn check_purpose(jwk: &Members) -> Result<(), Unfit> {
    if jwk.get("use").is_some_and(|usage| usage != "sig") {
        return Err(Unfit::OtherPurpose("it is not for signatures (use)"));
    }
    let may_verify =
        |operations: &Value| operations.as_array().is_some_and(|all| all.iter().any(|one| one == "verify"));
    if jwk.get("key_ops").is_some_and(|operations| !may_verify(operations)) {
        return Err(Unfit::OtherPurpose("it may not verify signatures (key_ops)"));
    }
    let in_pem = jwk.get("value").and_then(Value::as_str).is_some_and(|value| value.contains("PRIVATE KEY-----"));
    if in_pem || ["d", "p", "q", "dp", "dq", "qi", "oth"].into_iter().any(|name| jwk.get(name).is_some()) {
        return Err(Unfit::Defective("it is a private key: whoever reads it can sign tokens"));
    }
    Ok(())
}

fn material(jwk: &Members) -> Result<Material, Unfit> {
    match jwk.text("kty", "its kty is no text")? {
        Some("RSA") => match (jwk.octets("n")?, jwk.octets("e")?) {
            (Some(modulus), Some(exponent)) => Material::rsa(&modulus, &exponent),
            _ => in_pem(jwk, "RSA", "its numbers n and e are missing"),
        },
        Some("EC") => match (jwk.octets("x")?, jwk.octets("y")?) {
            (Some(x), Some(y)) => Material::elliptic(curve(jwk)?, &x, &y),
            _ => in_pem(jwk, "EC", "its numbers x and y are missing"),
        },
        Some("OKP") => match (jwk.octets("x")?, jwk.text("crv", "its crv is no text")?) {
            (Some(octets), Some("Ed25519")) => Material::ed25519(&octets),
            (Some(_), _) => Err(Unfit::OtherPurpose("its curve is not supported")),
            _ => in_pem(jwk, "OKP", "its key x is missing"),
        },
        Some("oct") => Err(Unfit::OtherPurpose("it is symmetric: whoever can check a token could make one")),
        Some(_) => Err(Unfit::OtherPurpose("its kind (kty) is not supported")),
        None => Err(Unfit::Defective("its kind (kty) is missing")),
    }
}

fn curve(jwk: &Members) -> Result<Curve, Unfit> {
    let name = jwk.text("crv", "its crv is no text")?.ok_or(Unfit::Defective("its curve (crv) is missing"))?;
    Curve::by_name(name).ok_or(Unfit::OtherPurpose("its curve is not supported"))
}

/// The key in `value`, where UAA has it for keys of EC, and beside the numbers for those of RSA.
fn in_pem(jwk: &Members, kind: &str, problem: &'static str) -> Result<Material, Unfit> {
    let text = jwk.text("value", "its value is no text")?.ok_or(Unfit::Defective(problem))?;
    let material = pem::read(text)?;
    if !material.canonical.starts_with(kind.as_bytes()) {
        return Err(Unfit::Defective("its value is a key of another kind than its kty"));
    }
    // A curve that is named has to be that of the value.
    match jwk.text("crv", "its crv is no text")? {
        Some(name) if !is_curve_of(name, &material) => {
            Err(Unfit::Defective("its value is of another curve than its crv"))
        }
        _ => Ok(material),
    }
}

fn is_curve_of(name: &str, material: &Material) -> bool {
    let algorithm = match name {
        "P-256" => Algorithm::ES256,
        "P-384" => Algorithm::ES384,
        "Ed25519" => Algorithm::EdDSA,
        _ => return false,
    };
    material.algorithms.contains(&algorithm)
}

/// A `kid` for a log; empty if it is no text.
fn printable_kid(members: &Members) -> String {
    let kid = members.get("kid").and_then(Value::as_str).unwrap_or_default();
    kid.chars().filter(|c| !c.is_control()).take(MAX_KID_CHARS).collect()
}

#[cfg(test)]
mod tests;
