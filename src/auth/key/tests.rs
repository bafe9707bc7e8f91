//! Published keys in every spelling that issuers use, and those that are left out, each with its reason.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

use super::*;

fn encoded(octets: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(octets)
}

/// The modulus of a new key, and the key in PEM.
fn rsa() -> (Vec<u8>, String) {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let public = pair.public_key();
    let modulus = public.modulus().big_endian_without_leading_zero().to_vec();
    let der = AsDer::<PublicKeyX509Der<'_>>::as_der(public).unwrap();
    (modulus, pem(der.as_ref()))
}

fn pem(der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let lines: Vec<&str> = base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----", lines.join("\n"))
}

/// The coordinates of a key, and the key in PEM.
fn elliptic(algorithm: &'static EcdsaSigningAlgorithm) -> (Vec<u8>, Vec<u8>, String) {
    let pair = EcdsaKeyPair::generate(algorithm).unwrap();
    let point = pair.public_key().as_ref().to_vec();
    let (x, y) = point[1..].split_at(point.len() / 2);
    let der = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).unwrap();
    (x.to_vec(), y.to_vec(), pem(der.as_ref()))
}

/// A key whose first coordinate begins with a zero octet, which some issuers leave out.
fn elliptic_with_a_short_x() -> (Vec<u8>, Vec<u8>) {
    loop {
        let (x, y, _) = elliptic(&ECDSA_P256_SHA256_FIXED_SIGNING);
        if x[0] == 0 {
            return (x, y);
        }
    }
}

#[test]
fn an_rsa_key_is_the_same_in_every_spelling() {
    let (n, pem) = rsa();
    let zero = |number: &[u8]| encoded(&[[0].as_slice(), number].concat());
    let one_line = pem.replace('\n', "");
    let key = |n: &str, e: &str| json!({ "kty": "RSA", "n": n, "e": e });
    let table = [
        ("as RFC 7518 has it", key(&encoded(&n), "AQAB")),
        ("a leading zero octet, as XSUAA writes it", key(&zero(&n), "AQAB")),
        ("leading zero octets in the exponent", key(&encoded(&n), &encoded(&[0, 0, 1, 0, 1]))),
        ("padding", key(&format!("{}==", encoded(&n)), "AQAB")),
        ("the standard alphabet", key(&STANDARD.encode(&n), "AQAB")),
        ("the standard alphabet, and a zero octet", key(&STANDARD.encode([[0].as_slice(), &n].concat()), "AAEAAQ==")),
        ("with what UAA has beside it", json!({ "kty": "RSA", "n": zero(&n), "e": "AQAB", "value": "x", "alg": null })),
        ("in PEM alone", json!({ "kty": "RSA", "value": pem })),
        ("in PEM without line breaks", json!({ "kty": "RSA", "value": one_line, "n": null })),
        ("in PEM with escaped line breaks", json!({ "kty": "RSA", "value": pem.replace('\n', "\\n") })),
        ("with use, key_ops and alg", {
            json!({ "kty": "RSA", "n": encoded(&n), "e": "AQAB", "use": "sig", "key_ops": ["verify"], "alg": "" })
        }),
    ];
    let digests: Vec<(&str, String)> =
        table.into_iter().map(|(what, jwk)| (what, Key::parse(&jwk.to_string()).expect(what).digest)).collect();
    for (what, digest) in &digests {
        assert_eq!(*digest, digests[0].1, "{what}");
    }
}

#[test]
fn a_key_of_a_curve_is_the_same_with_zero_octets_more_or_fewer() {
    let (x, y) = elliptic_with_a_short_x();
    let key = |x: &[u8], y: &[u8]| json!({ "kty": "EC", "crv": "P-256", "x": encoded(x), "y": encoded(y) });
    let expected = Key::parse(&key(&x, &y).to_string()).unwrap().digest;
    let longer = [[0, 0].as_slice(), &x].concat();
    for jwk in [key(&x[1..], &y), key(&longer, &y), key(&x, &[[0].as_slice(), &y].concat())] {
        assert_eq!(Key::parse(&jwk.to_string()).unwrap().digest, expected, "{jwk}");
    }
    let standard =
        json!({ "kty": "EC", "crv": "P-256", "x": STANDARD.encode(&x), "y": STANDARD.encode(&y), "alg": "ES256" });
    assert_eq!(Key::parse(&standard.to_string()).unwrap().digest, expected);
}

#[test]
fn keys_of_curves_are_read_from_pem_where_they_have_no_numbers() {
    for (algorithm, curve, expected) in [
        (&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256", Algorithm::ES256),
        (&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384", Algorithm::ES384),
    ] {
        let (x, y, pem) = elliptic(algorithm);
        let numbers =
            Key::parse(&json!({ "kty": "EC", "crv": curve, "x": encoded(&x), "y": encoded(&y) }).to_string()).unwrap();
        for jwk in [
            json!({ "kty": "EC", "kid": "uaa", "use": "sig", "value": pem }),
            json!({ "kty": "EC", "crv": curve, "alg": format!("{expected:?}"), "value": pem.replace('\n', "") }),
        ] {
            let key = Key::parse(&jwk.to_string()).unwrap();
            assert_eq!((&key.digest, &key.algorithms), (&numbers.digest, &vec![expected]), "{jwk}");
        }
    }
    let random = SystemRandom::new();
    let pkcs8 = aws_lc_rs::signature::Ed25519KeyPair::generate_pkcs8(&random).unwrap();
    let pair = aws_lc_rs::signature::Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
    let der = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).unwrap();
    let x = encoded(pair.public_key().as_ref());
    let in_pem = Key::parse(&json!({ "kty": "OKP", "value": pem(der.as_ref()) }).to_string()).unwrap();
    for alg in [json!(null), json!("EdDSA"), json!("Ed25519")] {
        let key = Key::parse(&json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "alg": alg }).to_string()).unwrap();
        assert_eq!((&key.digest, key.algorithms), (&in_pem.digest, vec![Algorithm::EdDSA]), "{alg}");
    }
}

#[test]
fn every_other_key_is_left_out_with_its_reason() {
    let (n, pem) = rsa();
    let (x, y, pem_of_curve) = elliptic(&ECDSA_P256_SHA256_FIXED_SIGNING);
    let good = json!({ "kty": "RSA", "n": encoded(&n), "e": "AQAB", "kid": "k" });
    let with = |name: &str, value: Value| {
        let mut jwk = good.clone();
        jwk[name] = value;
        jwk
    };
    let elliptic = |curve: &str, x: &[u8]| json!({ "kty": "EC", "crv": curve, "x": encoded(x), "y": encoded(&y) });
    let mut even = n.clone();
    *even.last_mut().unwrap() &= 0xFE;
    let table = [
        (json!(7), "it is no JSON object"),
        (json!(null), "it is no JSON object"),
        (json!("key"), "it is no JSON object"),
        (json!([good]), "it is no JSON object"),
        (json!({}), "its kind (kty) is missing"),
        (with("kty", json!(5)), "its kty is no text"),
        (with("kty", json!("future")), "its kind (kty) is not supported"),
        (json!({ "kty": "oct", "k": "c2VjcmV0" }), "it is symmetric: whoever can check a token could make one"),
        (with("kid", json!(1)), "its kid is no text"),
        (with("use", json!("enc")), "it is not for signatures (use)"),
        (with("key_ops", json!(["sign"])), "it may not verify signatures (key_ops)"),
        (with("key_ops", json!("verify")), "it may not verify signatures (key_ops)"),
        (with("alg", json!("RSA-OAEP")), "it is for an algorithm (alg) that can't verify tokens with it"),
        (with("alg", json!("ES256")), "it is for an algorithm (alg) that can't verify tokens with it"),
        (with("alg", json!("HS256")), "it is for an algorithm (alg) that can't verify tokens with it"),
        (with("alg", json!(7)), "its alg is no text"),
        (with("d", json!("AQAB")), "it is a private key: whoever reads it can sign tokens"),
        (
            with("value", json!("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----")),
            "it is a private key: whoever reads it can sign tokens",
        ),
        (
            json!({ "kty": "OKP", "crv": "Ed25519", "x": encoded(&[0; 32]) }),
            "it is a point of small order: anybody can sign with it",
        ),
        (with("n", json!(12345)), "one of its numbers is no text"),
        (with("n", json!("???")), "one of its numbers is no base64url"),
        (with("n", json!("")), "its modulus has less than 2048 bits"),
        (with("n", json!(encoded(&n[1..]))), "its modulus has less than 2048 bits"),
        (with("n", json!(encoded(&[0xFF; 1025]))), "its modulus has more than 8192 bits"),
        (with("n", json!(encoded(&even))), "its modulus or its exponent is none of an RSA key"),
        (with("e", json!("AQ")), "its modulus or its exponent is none of an RSA key"),
        (with("e", json!("Ag")), "its modulus or its exponent is none of an RSA key"),
        (with("e", json!("")), "its modulus or its exponent is none of an RSA key"),
        (with("e", json!(encoded(&[0xFF; 6]))), "its modulus or its exponent is none of an RSA key"),
        (json!({ "kty": "RSA" }), "its numbers n and e are missing"),
        (json!({ "kty": "RSA", "value": "x" }), "its value is no public key in PEM"),
        (json!({ "kty": "RSA", "value": pem_of_curve }), "its value is a key of another kind than its kty"),
        (json!({ "kty": "EC", "value": pem }), "its value is a key of another kind than its kty"),
        (json!({ "kty": "EC", "crv": "P-384", "value": pem_of_curve }), "its value is of another curve than its crv"),
        (elliptic("P-521", &x), "its curve is not supported"),
        (elliptic("secp256k1", &x), "its curve is not supported"),
        (json!({ "kty": "EC", "x": encoded(&x), "y": encoded(&y) }), "its curve (crv) is missing"),
        (elliptic("P-256", &[[1].as_slice(), &x].concat()), "a coordinate is too large for its curve"),
        (elliptic("P-256", &y), "its point is not on its curve"),
        (elliptic("P-384", &x), "its point is not on its curve"),
        (json!({ "kty": "OKP", "crv": "X25519", "x": encoded(&x) }), "its curve is not supported"),
        (json!({ "kty": "OKP", "crv": "Ed25519", "x": encoded(&x[1..]) }), "a key of Ed25519 has 32 octets"),
        (json!({ "kty": "OKP", "crv": "Ed25519" }), "its key x is missing"),
    ];
    for (jwk, reason) in &table {
        assert_eq!(Key::parse(&jwk.to_string()).map(|_| ()).unwrap_err().reason.to_string(), *reason, "{jwk}");
    }
    let mut all: Vec<Value> = table.iter().map(|(jwk, _)| jwk.clone()).collect();
    all.insert(20, good);
    let set = JwkSet::parse(json!({ "keys": all }).to_string().as_bytes()).unwrap();
    let (keys, left_out) = set.read();
    assert_eq!((keys.len(), left_out.len()), (1, table.len()), "they take no other away");
}

#[test]
fn a_key_that_no_reader_can_hold_takes_no_other_away() {
    let (n, _) = rsa();
    let n = encoded(&n);
    let key = |more: &str| format!("{{\"kty\":\"RSA\",\"kid\":\"a\",\"n\":\"{n}\",\"e\":\"AQAB\"{more}}}");
    for (more, reason) in [
        (r#","kid":"a""#, "it has a name twice"),
        (r#","\u006b\u0074\u0079":"RSA""#, "it has a name twice"),
        (r#","alg":1e400"#, "its alg is no text"),
        (r#","use":1e400"#, "it is not for signatures (use)"),
        (r#","d":1e400"#, "it is a private key: whoever reads it can sign tokens"),
        (r#","alg":"\ud800""#, "its alg is no text"),
        // What nobody reads is no reason.
        (r#","x":1e400"#, ""),
        (r#","x5t":1e400,"x5c":["\ud800"]"#, ""),
        (r#","more":{"a":1,"a":2}"#, ""),
    ] {
        let text = format!("{{\"keys\":[{},{}],\"keys_of\":1e400,\"a\":1,\"a\":2}}", key(more), key(""));
        let (keys, left_out) = JwkSet::parse(text.as_bytes()).unwrap().read();
        let reasons: Vec<String> = left_out.iter().map(|key| format!("{}: {}", key.kid, key.reason)).collect();
        if reason.is_empty() {
            assert_eq!((keys.len(), reasons.len()), (2, 0), "{more}: {reasons:?}");
        } else {
            assert_eq!((keys.len(), reasons), (1, vec![format!("a: {reason}")]), "{more}");
        }
    }
    assert!(JwkSet::parse(br#"{"keys":[],"keys":[]}"#).is_none(), "the set itself has to be one");
}

#[test]
fn a_token_chooses_its_key_by_kid_or_by_the_thumbprint_of_a_certificate() {
    let (n, _) = rsa();
    let certificate = STANDARD.encode(b"a certificate");
    let sha256 = encoded(&sha256(b"a certificate"));
    let sha1 =
        encoded(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, b"a certificate").as_ref());
    let key = |more: Value| {
        let mut jwk = json!({ "kty": "RSA", "n": encoded(&n), "e": "AQAB" });
        jwk.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Key::parse(&jwk.to_string()).unwrap()
    };
    let plain = key(json!({ "kid": "a" }));
    let stated = key(json!({ "kid": "a", "x5t": sha1, "x5t#S256": format!("{sha256}=") }));
    let certified = key(json!({ "x5c": [certificate] }));
    let another = encoded(&[7; 32]);
    let none = KeyHint::default();
    let x5t = KeyHint { x5t: Some(&sha1), ..none };
    let x5t_s256 = KeyHint { x5t_s256: Some(&sha256), ..none };
    for (what, hint, expected) in [
        ("nothing", none, [Relation::Possible; 3]),
        ("the kid", KeyHint { kid: Some("a"), ..none }, [Relation::Named, Relation::Named, Relation::Other]),
        ("another kid", KeyHint { kid: Some("b"), ..x5t }, [Relation::Other; 3]),
        ("x5t", x5t, [Relation::Possible, Relation::Named, Relation::Named]),
        ("x5t#S256", x5t_s256, [Relation::Possible, Relation::Named, Relation::Named]),
        ("another x5t#S256", KeyHint { x5t_s256: Some(&another), ..x5t }, {
            [Relation::Possible, Relation::Other, Relation::Other]
        }),
        ("no thumbprint at all", KeyHint { x5t: Some("?"), ..none }, [Relation::Possible; 3]),
    ] {
        let relations = [&plain, &stated, &certified].map(|key| key.relation(hint));
        assert_eq!(relations, expected, "{what}");
    }
}
