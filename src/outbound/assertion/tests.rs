//! The certificate that an assertion names is that of the key that has signed it.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use jsonwebtoken::{DecodingKey, Validation, decode};

use super::*;
use crate::config::{Credentials, Settings};

fn openssl(arguments: &[&str]) -> Vec<u8> {
    let done = Command::new("openssl").args(arguments).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

#[test]
fn a_key_that_is_rotated_between_two_readings_signs_for_no_other_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (key, certificate) = (file("key.pem"), file("certificate.pem"));
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x"];
    openssl(&[&["req", "-x509"], curve.as_slice(), &["-keyout", &key, "-out", &certificate]].concat());
    let text = format!(
        "[auth]\nissuer = \"https://x.example\"\naudience = \"x\"\n[target]\nbase_url = \"https://x.example\"\n\
         [target.oauth2]\ntoken_url = \"https://x.example\"\nclient_id = \"x\"\nauth = \"private_key_jwt\"\n\
         private_key_file = {key:?}\ncertificate_file = {certificate:?}\nassertion_key = \"x5t#S256\"\n"
    );
    let settings = Settings::parse("test", &text, &BTreeMap::new()).unwrap();
    let Credentials::PrivateKeyJwt(settings) = settings.target.oauth2.credentials else { panic!("it is another") };
    let CertificateThumbprint { kind, identity } = settings.thumbprint.clone().unwrap();
    let (certificates, of_certificate) = identity.contents().unwrap();
    // The file has another key from now on.
    fs::write(&key, openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"])).unwrap();
    let (certificates, of_certificate) = (certificates.expose_secret(), of_certificate.expose_secret());
    let named = NamedKey::certified(certificates, of_certificate, &settings, kind, &identity).unwrap();
    let expected = openssl(&["x509", "-in", &certificate, "-outform", "DER"]);
    assert_eq!(named.header.x5t_s256, Some(URL_SAFE_NO_PAD.encode(sha256(&expected))));
    let token = encode(&named.header, &serde_json::json!({ "exp": 4_000_000_000_u64 }), &named.key).unwrap();
    let public = openssl(&["x509", "-in", &certificate, "-noout", "-pubkey"]);
    let verified = decode::<serde_json::Value>(
        &token,
        &DecodingKey::from_ec_pem(&public).unwrap(),
        &Validation::new(Algorithm::ES256),
    );
    assert!(verified.is_ok(), "{verified:?}");
    assert!(NamedKey::read(&settings).is_err(), "a certificate beside another's key is none");
}
