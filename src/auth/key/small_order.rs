//! The points of Ed25519 whose order divides 8: a signature that fits some texts can be made without a private key (RFC 8032 §8.1
//! leaves them to whoever accepts a key).

/// Their y coordinates in the 32 octets of RFC 8032 §5.1.2, little-endian, the sign of x left out: 0, 1, -1, the two of order 8,
/// and the spellings of 0 and 1 that are not reduced modulo p = 2²⁵⁵ - 19.
const Y_COORDINATES: [[u8; 32]; 7] = [
    with_ends(0x00, 0x00, 0x00),
    with_ends(0x01, 0x00, 0x00),
    with_ends(0xec, 0xff, 0x7f),
    with_ends(0xed, 0xff, 0x7f),
    with_ends(0xee, 0xff, 0x7f),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
        0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
        0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];

const SIGN: u8 = 0x80;

const fn with_ends(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let mut octets = [middle; 32];
    octets[0] = first;
    octets[31] = last;
    octets
}

/// Whether a public key is such a point.
pub fn is_small(key: &[u8]) -> bool {
    let Some((last, others)) = key.split_last() else { return false };
    Y_COORDINATES.iter().any(|[first @ .., of_sign]| first == others && *of_sign == last & !SIGN)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};

    use super::*;

    /// The identity as R, and 0 as S: with a key of small order, one text in eight has this signature.
    fn is_forged(key: &[u8]) -> bool {
        let mut signature = [0; 64];
        signature[0] = 1;
        (0_u32..200).any(|text| UnparsedPublicKey::new(&ED25519, key).verify(&text.to_be_bytes(), &signature).is_ok())
    }

    #[test]
    fn every_point_that_signs_for_anybody_is_small() {
        let mut forged = 0;
        for y in Y_COORDINATES {
            for sign in [0, SIGN] {
                let mut key = y;
                key[31] |= sign;
                assert!(is_small(&key), "{key:?}");
                forged += usize::from(is_forged(&key));
            }
        }
        assert!(forged >= 6, "the table is of such points: {forged}");
    }

    #[test]
    fn a_key_that_somebody_has_is_not() {
        use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
        let pair = Ed25519KeyPair::generate().unwrap();
        assert!(!is_small(pair.public_key().as_ref()) && !is_forged(pair.public_key().as_ref()));
    }
}
