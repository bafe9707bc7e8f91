//! The key itself: its numbers, checked and in one spelling, whatever the issuer wrote.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ParsedPublicKey, VerificationAlgorithm};
use jsonwebtoken::{Algorithm, DecodingKey};

use super::number::{bits, significant, with_length};
use super::roca;
use super::small_order;
use super::unfit::Unfit;

/// Lengths of an RSA modulus that are accepted: RFC 7518 §3.3, and what the cryptography takes.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// Longest exponent of an RSA key: with a longer one, one verification costs as much as many.
const MAX_EXPONENT_BITS: usize = 33;

/// The octets of a key of Ed25519 (RFC 8032 §5.1.5).
const ED25519_OCTETS: usize = 32;

/// A curve of ECDSA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    P256,
    P384,
}

impl Curve {
    /// The curve of a `crv` (RFC 7518 §6.2.1.1).
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "P-256" => Some(Self::P256),
            "P-384" => Some(Self::P384),
            _ => None,
        }
    }

    /// The octets of a coordinate.
    pub const fn octets(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
        }
    }

    fn verification(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::P256 => &ECDSA_P256_SHA256_FIXED,
            Self::P384 => &ECDSA_P384_SHA384_FIXED,
        }
    }
}

/// A public key that can verify signatures.
#[derive(Debug, Clone)]
pub struct Material {
    /// For the cryptography.
    pub decoding: DecodingKey,
    /// The algorithms of its kind.
    pub algorithms: &'static [Algorithm],
    /// The same key has the same octets, however it was written.
    pub canonical: Vec<u8>,
}

const OF_RSA: [Algorithm; 6] =
    [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::PS256, Algorithm::PS384, Algorithm::PS512];

impl Material {
    /// An RSA key of a modulus and an exponent.
    ///
    /// # Errors
    /// [`Unfit`] for keys that are too short, or known to be weak.
    pub fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, Unfit> {
        let (modulus, exponent) = (significant(modulus), significant(exponent));
        if bits(modulus) < *RSA_BITS.start() {
            return Err(Unfit::Defective("its modulus has less than 2048 bits"));
        }
        if bits(modulus) > *RSA_BITS.end() {
            return Err(Unfit::Defective("its modulus has more than 8192 bits"));
        }
        let is_odd = |number: &[u8]| number.last().is_some_and(|octet| octet % 2 == 1);
        // With the exponent 1, the text itself would be its signature.
        if !is_odd(modulus) || !is_odd(exponent) || exponent == [1] || bits(exponent) > MAX_EXPONENT_BITS {
            return Err(Unfit::Defective("its modulus or its exponent is none of an RSA key"));
        }
        if roca::is_weak(modulus) {
            return Err(Unfit::Defective(
                "it is of a broken generator (ROCA, CVE-2017-15361): anybody can sign with it",
            ));
        }
        Ok(Self {
            decoding: DecodingKey::from_rsa_raw_components(modulus, exponent),
            algorithms: &OF_RSA,
            canonical: [b"RSA".as_slice(), modulus, b"/", exponent].concat(),
        })
    }

    /// A key of two coordinates.
    ///
    /// # Errors
    /// [`Unfit`] if there is no such point.
    pub fn elliptic(curve: Curve, x: &[u8], y: &[u8]) -> Result<Self, Unfit> {
        let too_large = Unfit::Defective("a coordinate is too large for its curve");
        let x = with_length(x, curve.octets()).ok_or(too_large)?;
        let y = with_length(y, curve.octets()).ok_or(too_large)?;
        let point = [[4].as_slice(), &x, &y].concat();
        if ParsedPublicKey::new(curve.verification(), &point).is_err() {
            return Err(Unfit::Defective("its point is not on its curve"));
        }
        let algorithms: &[Algorithm] = match curve {
            Curve::P256 => &[Algorithm::ES256],
            Curve::P384 => &[Algorithm::ES384],
        };
        let decoding = DecodingKey::from_ec_der(&point);
        Ok(Self { decoding, algorithms, canonical: [b"EC".as_slice(), &point].concat() })
    }

    /// A key of Ed25519. Its octets are no number: none may be missing, and none more.
    ///
    /// # Errors
    /// [`Unfit`]
    pub fn ed25519(octets: &[u8]) -> Result<Self, Unfit> {
        if octets.len() != ED25519_OCTETS {
            return Err(Unfit::Defective("a key of Ed25519 has 32 octets"));
        }
        if small_order::is_small(octets) {
            return Err(Unfit::Defective("it is a point of small order: anybody can sign with it"));
        }
        let decoding = DecodingKey::from_ed_der(octets);
        Ok(Self { decoding, algorithms: &[Algorithm::EdDSA], canonical: [b"OKP".as_slice(), octets].concat() })
    }
}
