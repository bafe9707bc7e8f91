//! Project Wycheproof's JSON Web Signatures: every invalid one is refused, and of the valid ones only those that are meant to be.

use serde::Deserialize;
use serde_json::Value;

use super::*;
use crate::auth::key::Relation;

/// `tests/wycheproof/README.md` says where it is from.
const VECTORS: &str = include_str!("../../../tests/wycheproof/jws.json");

#[derive(Deserialize)]
struct Group {
    file: String,
    #[serde(rename = "group")]
    name: String,
    keys: Vec<Value>,
    tests: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    id: u32,
    comment: String,
    valid: bool,
    jws: String,
}

/// Every asymmetric algorithm, so that the keys decide.
const ALL: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// The way of a token up to its claims, which are no JSON here.
fn is_accepted(keys: &[Key], jws: &str) -> bool {
    let Some(Ok(header)) = Header::parse(jws) else { return false };
    let Ok(algorithm) = header.algorithm(&ALL) else { return false };
    let fitting = keys
        .iter()
        .filter(|key| key.relation(header.key_hint()) != Relation::Other && key.algorithms.contains(&algorithm));
    fitting.into_iter().any(|key| check_signature(jws, key, algorithm).is_ok())
}

/// Why a valid signature is refused all the same.
fn meant_to_be_refused(group: &Group, vector: &Vector) -> Option<&'static str> {
    let has = |name: &str, value: &str| group.keys.iter().any(|key| key[name] == value);
    match (group.name.as_str(), vector.comment.as_str()) {
        _ if has("kty", "oct") => Some("symmetric"),
        _ if has("crv", "P-521") => Some("a curve that is not supported"),
        // RFC 7520 §4.2 signs PS384; the key says that it is for PS256.
        ("rfc7520" | "rfc7520WithKeyOps", "Figure20") => Some("another algorithm than the key's"),
        _ => None,
    }
}

#[test]
fn every_invalid_signature_is_refused_and_every_valid_one_of_a_supported_kind_is_accepted() {
    let groups: Vec<Group> = serde_json::from_str(VECTORS).unwrap();
    let (mut wrong, mut refused, mut accepted, mut meant) = (Vec::new(), 0, 0, Vec::new());
    for group in &groups {
        let keys: Vec<Key> = group.keys.iter().filter_map(|key| Key::parse(&key.to_string()).ok()).collect();
        for vector in &group.tests {
            let exception = meant_to_be_refused(group, vector);
            let is_accepted = is_accepted(&keys, &vector.jws);
            match (vector.valid, is_accepted, exception) {
                (false, false, _) => refused += 1,
                (true, true, None) => accepted += 1,
                (true, false, Some(why)) => meant.push(why),
                _ => wrong.push(format!("{} {} {}: {}", group.file, vector.id, group.name, vector.comment)),
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    meant.sort_unstable();
    let of_a_kind = |kind: &str| meant.iter().filter(|why| **why == kind).count();
    assert_eq!((refused, accepted), (375, 32));
    assert_eq!((of_a_kind("symmetric"), of_a_kind("a curve that is not supported")), (13, 2));
    assert_eq!(of_a_kind("another algorithm than the key's"), 2);
}

/// Two of them can't be told from others by their signature, only by their key.
#[test]
fn signatures_of_a_broken_generator_and_of_the_exponent_one_are_valid_and_their_keys_are_not() {
    let groups: Vec<Group> = serde_json::from_str(VECTORS).unwrap();
    for (name, reason) in [("jws_rsa_roca_key", "ROCA"), ("exponentOne", "exponent"), ("keysize_too_small", "2048")] {
        let keys: Vec<&Value> =
            groups.iter().filter(|group| group.name == name).flat_map(|group| &group.keys).collect();
        assert!(!keys.is_empty(), "{name}");
        for key in keys {
            let left_out = Key::parse(&key.to_string()).unwrap_err().to_string();
            assert!(left_out.contains(reason), "{name}: {left_out}");
        }
    }
}
