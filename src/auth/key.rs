//! One key of the issuer (RFC 7517), and the algorithms that it may verify.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey};

/// Shortest RSA key that is accepted (RFC 7518 §3.3).
const MIN_RSA_BITS: usize = 2048;

/// A key that may verify tokens.
#[derive(Debug, Clone)]
pub struct Key {
    /// `kid`
    pub kid: Option<String>,
    /// RFC 7638
    thumbprint: String,
    /// The algorithms that it may verify: those of its kind, or only `alg` if the issuer names it.
    pub algorithms: Vec<Algorithm>,
    /// The key itself.
    pub decoding: DecodingKey,
}

impl Key {
    /// Name, key and algorithms as one text: if it changes, tokens have to be verified again.
    pub fn identity(&self) -> String {
        format!("{:?} {} {:?}", self.kid, self.thumbprint, self.algorithms)
    }

    /// Reads a public signature key. `None` for every other key: symmetric ones, encryption keys, short RSA keys.
    pub fn parse(jwk: &Jwk) -> Option<Self> {
        let common = &jwk.common;
        let is_for_signatures = common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature);
        let may_verify =
            common.key_operations.as_ref().is_none_or(|operations| operations.contains(&KeyOperations::Verify));
        if !is_for_signatures || !may_verify {
            return None;
        }
        let of_its_kind: &[Algorithm] = match &jwk.algorithm {
            AlgorithmParameters::RSA(rsa) if rsa_bits(&rsa.n) >= MIN_RSA_BITS => &[
                Algorithm::RS256,
                Algorithm::RS384,
                Algorithm::RS512,
                Algorithm::PS256,
                Algorithm::PS384,
                Algorithm::PS512,
            ],
            AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P256 => &[Algorithm::ES256],
            AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P384 => &[Algorithm::ES384],
            AlgorithmParameters::OctetKeyPair(okp) if okp.curve == EllipticCurve::Ed25519 => &[Algorithm::EdDSA],
            _ => return None,
        };
        let pinned = common.key_algorithm.map(|algorithm| algorithm.to_string());
        let is_allowed =
            |algorithm: &&Algorithm| pinned.as_ref().is_none_or(|pinned| *pinned == format!("{algorithm:?}"));
        let algorithms: Vec<Algorithm> = of_its_kind.iter().filter(is_allowed).copied().collect();
        let decoding = DecodingKey::from_jwk(jwk).ok()?;
        let thumbprint = jwk.thumbprint(ThumbprintHash::SHA256).ok()?;
        (!algorithms.is_empty()).then(|| Self { kid: common.key_id.clone(), thumbprint, algorithms, decoding })
    }
}

fn rsa_bits(modulus: &str) -> usize {
    let bytes = URL_SAFE_NO_PAD.decode(modulus.trim_end_matches('=')).unwrap_or_default();
    let significant = bytes.iter().skip_while(|byte| **byte == 0);
    let leading = significant.clone().next().map_or(0, |byte| byte.leading_zeros() as usize);
    (significant.count() * 8).saturating_sub(leading)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_an_rsa_key_is_the_size_of_its_modulus() {
        let modulus = |bytes: &[u8]| rsa_bits(&URL_SAFE_NO_PAD.encode(bytes));
        assert_eq!(modulus(&[0xFF; 256]), 2048);
        assert_eq!(modulus(&[[0].as_slice(), &[0x80; 256]].concat()), 2048);
        assert_eq!(modulus(&[[0x01].as_slice(), &[0; 255]].concat()), 2041);
        assert_eq!(rsa_bits("???"), 0);
    }
}
