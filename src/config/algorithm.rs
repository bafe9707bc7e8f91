//! The names of JWS algorithms, all of them asymmetric (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2).

use jsonwebtoken::Algorithm;

/// The names that settings take, for tokens and for assertions.
pub const ALGORITHMS: &str = "RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, Ed25519 or EdDSA";

/// The asymmetric algorithm of a name. `Ed25519` is what RFC 9864 calls `EdDSA` with a key of that curve, the only one that
/// is supported: both names are one algorithm.
pub fn asymmetric_algorithm(name: &str) -> Option<Algorithm> {
    if name == "Ed25519" {
        return Some(Algorithm::EdDSA);
    }
    let algorithm: Algorithm = name.parse().ok()?;
    let symmetric = matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512);
    (!symmetric).then_some(algorithm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_names_of_ed25519_are_one_algorithm_and_symmetric_ones_have_none() {
        for (name, algorithm) in [
            ("EdDSA", Some(Algorithm::EdDSA)),
            ("Ed25519", Some(Algorithm::EdDSA)),
            ("RS256", Some(Algorithm::RS256)),
            ("HS256", None),
            ("none", None),
            ("ed25519", None),
            ("Ed448", None),
            ("", None),
        ] {
            assert_eq!(asymmetric_algorithm(name), algorithm, "{name}");
        }
    }
}
