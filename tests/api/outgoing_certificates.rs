//! Files of certificates for outgoing calls that do not hold what they must: refused at the start, and live, while the ones
//! before stay in use. The mistake, or the warning, names setting and file.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::Algorithm;
use purchase_order_webhook::sandbox::issuer::{Issuer, SigningKey};
use purchase_order_webhook::sandbox::vms::SandboxVms;

use crate::certificates::{Ca, Files, Kind, Pair};
use crate::http2_failures::{created, start};
use crate::log_lines::LogLines;
use crate::raw_server::{RawAnswer, RawServer};
use crate::support::{Service, cart};

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// Contents without a certificate, each with what is said of it.
fn without_certificate(pair: &Pair) -> Vec<(Vec<u8>, &'static str)> {
    let certificate = read(&pair.certificate);
    let utf16 = certificate.encode_utf16().flat_map(u16::to_le_bytes);
    vec![
        (Vec::new(), "it is empty"),
        (b"\r\n".to_vec(), "it is empty"),
        (b"nonsense".to_vec(), "it is no PEM"),
        (read(&pair.key).into_bytes(), "it has a private key, and no certificate"),
        (pair.der(), "DER"),
        ([0xFF, 0xFE].into_iter().chain(utf16).collect(), "UTF-16"),
        (certificate.as_bytes()[..certificate.len() / 2].to_vec(), "it is cut off"),
        (certificate.replace("MII", "AAA").into_bytes(), "its certificate number 1 can't be read"),
        (format!("{certificate}{}", &certificate[..certificate.len() / 2]).into_bytes(), "it is cut off"),
        (
            b"-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n".to_vec(),
            "it has a request for a certificate",
        ),
    ]
}

/// Contents without a private key, each with what is said of it.
fn without_key(pair: &Pair) -> Vec<(Vec<u8>, &'static str)> {
    let key = read(&pair.key);
    vec![
        (read(&pair.certificate).into_bytes(), "it has a certificate, and no private key"),
        (key.as_bytes()[..key.len() / 2].to_vec(), "it is cut off"),
        (b"nonsense".to_vec(), "it is no PEM"),
        (b"-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n".to_vec(), "it has a public key"),
        (b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n".to_vec(), "encrypted"),
        (b"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n".to_vec(), "its private key can't be used"),
    ]
}

/// The mistakes of settings, one a line.
fn mistakes(settings: &str) -> String {
    crate::support::mistakes(settings).join("\n")
}

fn mtls(certificate: &Path, key: &Path) -> String {
    let (certificate, key) = (certificate.display(), key.display());
    format!(
        "target.oauth2.auth = \"mtls\"\ntarget.oauth2.certificate_file = \"{certificate}\"\n\
         target.oauth2.private_key_file = \"{key}\"\n"
    )
}

#[test]
fn a_ca_file_without_certificates_is_refused_at_the_start() {
    let (ca, files) = (Ca::new(), Files::new());
    let pair = ca.server("vms", Kind::Ec);
    for (content, expected) in without_certificate(&pair) {
        let file = files.put("ca.pem", content);
        for setting in ["target.ca", "auth.ca"] {
            let found = mistakes(&format!("{setting} = \"{}\"\n", file.display()));
            let begin = format!("config.toml: {setting}: expected a file with certificates in PEM");
            let is_named = found.contains(&begin) && found.contains(file.to_str().unwrap());
            assert!(is_named && found.contains(expected), "{setting}, {expected}: {found}");
        }
    }
    let (root, own) = (read(ca.certificate()), read(&pair.certificate));
    for good in
        [root.clone(), format!("Test CA\n{root}"), format!("{own}\n\n{root}"), pair.pem(), root.replace('\n', "\r\n")]
    {
        let file = files.put("ca.pem", good);
        assert_eq!(mistakes(&format!("target.ca = \"{}\"\n", file.display())), "");
    }
}

#[test]
fn a_client_certificate_or_key_that_is_something_else_is_refused_at_the_start() {
    let (ca, files) = (Ca::new(), Files::new());
    let (pair, other) = (ca.client("service"), ca.client("other"));
    for (content, expected) in without_certificate(&pair).into_iter().filter(|(content, _)| content.len() > 2) {
        let file = files.put("certificate.pem", content);
        let found = mistakes(&mtls(&file, &pair.key));
        assert!(found.contains("target.oauth2.certificate_file: ") && found.contains(expected), "{expected}: {found}");
    }
    for (content, expected) in without_key(&pair) {
        let file = files.put("key.pem", content);
        let found = mistakes(&mtls(&pair.certificate, &file));
        assert!(found.contains("target.oauth2.private_key_file: ") && found.contains(expected), "{expected}: {found}");
    }
    let key_alone = format!(
        "target.oauth2.auth = \"mtls\"\ntarget.oauth2.private_key_file = \"{}\"\n",
        files.put("both.pem", read(&pair.key)).display()
    );
    assert!(mistakes(&key_alone).contains("it has a private key, and no certificate"), "{}", mistakes(&key_alone));
    let found = mistakes(&mtls(&pair.certificate, &other.key));
    assert!(found.contains("the private key is not that of the certificate"), "{found}");
    let reversed = files.put("reversed.pem", format!("{}{}", read(ca.certificate()), read(&pair.certificate)));
    let found = mistakes(&mtls(&reversed, &pair.key));
    assert!(found.contains("the private key belongs to CN=service, which is not the first certificate"), "{found}");
    assert_eq!(mistakes(&mtls(&pair.certificate, &pair.key)), "");
    assert!(!mistakes(&key_alone.replace("both.pem", "pair.pem")).is_empty(), "no such file");
    files.put("both.pem", pair.pem());
    assert_eq!(mistakes(&key_alone), "");
}

#[test]
fn a_signing_key_that_is_something_else_is_refused_at_the_start() {
    let (ca, files) = (Ca::new(), Files::new());
    let pair = ca.client("service");
    for (content, expected) in [
        (read(&pair.certificate).into_bytes(), "it has a certificate, and no private key"),
        (b"nonsense".to_vec(), "it is no PEM"),
        (b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n".to_vec(), "encrypted"),
        (pair.der(), "DER"),
    ] {
        let file = files.put("key.pem", content).display().to_string();
        let found = mistakes(&format!(
            "target.oauth2.auth = \"private_key_jwt\"\ntarget.oauth2.private_key_file = \"{file}\"\n"
        ));
        assert!(found.contains("target.oauth2.private_key_file: ") && found.contains(expected), "{expected}: {found}");
    }
}

#[test]
fn a_secret_file_may_begin_with_a_byte_order_mark_and_has_to_be_text() {
    let files = Files::new();
    let secret = |content: &[u8]| {
        let file = files.put("secret", content);
        purchase_order_webhook::config::Secret::File(file).read()
    };
    let text = |content: &[u8]| secrecy::ExposeSecret::expose_secret(&secret(content).unwrap()).to_owned();
    assert_eq!(text(b"\xEF\xBB\xBFhidden\r\n"), "hidden");
    for (content, expected) in
        [(b"\xFF\xFEh\0".as_slice(), "text in UTF-16"), (b"\x30\x82\xFF", "DER or PKCS #12"), (b"h\xFC", "no text")]
    {
        let problem = secret(content).unwrap_err();
        assert!(problem.contains(expected) && problem.contains("expected text in UTF-8"), "{problem}");
    }
}

#[tokio::test]
async fn a_changed_file_without_what_it_must_hold_leaves_the_one_before_in_use() {
    let lines = LogLines::default();
    let _guard = tracing::subscriber::set_default(lines.subscriber());
    let (ca, files) = (Ca::new(), Files::new());
    let (server, pair, other) = (ca.server("vms", Kind::Ec), ca.client("service"), ca.client("other"));
    // Every request has a connection of its own, and so a handshake.
    let vms = start(&server, 1, |streams| created(streams[0])).await;
    let good = [read(ca.certificate()), read(&pair.certificate), read(&pair.key)];
    let names = ["ca.pem", "certificate.pem", "key.pem"];
    let paths: Vec<PathBuf> = names.iter().zip(&good).map(|(name, content)| files.put(name, content)).collect();
    let token = "{\"access_token\":\"x\",\"token_type\":\"Bearer\",\"expires_in\":3600}";
    let tokens = RawServer::start(move |_| RawAnswer::whole(200, &[], token)).await;
    let settings = format!(
        "target.base_url = \"https://{vms}\"\ntarget.ca = \"{}\"\ntarget.oauth2.token_url = {:?}\nretry.attempts = 0\n{}",
        paths[0].display(),
        tokens.url(),
        mtls(&paths[1], &paths[2])
    );
    let service = Service::start_with(&settings).await;
    let mut number = 0;
    let mut order = async || {
        number += 1;
        service.clock.advance(Duration::from_secs(11));
        let answer = service.send(&cart(number)).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
    };
    order().await;
    let certificates =
        || without_certificate(&pair).into_iter().chain([(read(&other.certificate).into_bytes(), "is not that")]);
    let keys = || without_key(&pair).into_iter().chain([(read(&other.key).into_bytes(), "is not that")]);
    let bad = [
        certificates().filter(|(_, expected)| *expected != "is not that").collect(),
        certificates().collect(),
        keys().collect::<Vec<_>>(),
    ];
    for ((name, before), contents) in names.iter().zip(&good).zip(bad) {
        for (content, expected) in contents {
            lines.take();
            files.put(name, content);
            order().await;
            order().await;
            let warned = lines.take_with("changed certificates for outbound calls can't be used");
            assert_eq!(warned.len(), 1, "{name}, {expected}: once, {warned:?}");
            assert!(warned[0].contains(" WARN ") && warned[0].contains(expected), "{name}, {expected}: {warned:?}");
            assert!(warned[0].contains(files.path(name).to_str().unwrap()), "{warned:?}");
            files.put(name, before);
            order().await;
        }
    }
    files.put("certificate.pem", read(&other.certificate));
    files.put("key.pem", read(&other.key));
    lines.take();
    order().await;
    assert_eq!(lines.take_with("changed certificates for outbound calls are in use").len(), 1);
}

#[tokio::test]
async fn a_changed_signing_key_that_can_not_sign_leaves_the_one_before_in_use() {
    let lines = LogLines::default();
    let _guard = tracing::subscriber::set_default(lines.subscriber());
    let (old, new) = (
        SigningKey::generate(Algorithm::ES256, "old").unwrap(),
        SigningKey::generate(Algorithm::RS256, "new").unwrap(),
    );
    let issuer = Issuer::start().await.unwrap();
    let vms = SandboxVms::start(issuer.clone()).await.unwrap();
    issuer.trust_assertion_key(old.jwk.clone());
    let (files, ca) = (Files::new(), Ca::new());
    let pair = ca.client("service");
    let file = files.put("key.pem", &old.pem).display().to_string();
    let settings = format!(
        "target.oauth2.grant = \"jwt_bearer\"\ntarget.oauth2.subject = \"integration@acme.example\"\n\
         target.oauth2.private_key_file = \"{file}\"\nretry.attempts = 0\n"
    );
    let service = Service::start_beside(issuer, vms, Arc::new(tempfile::tempdir().unwrap()), &settings).await;
    let mut number = 0;
    let mut order = async || {
        number += 1;
        service.clock.advance(Duration::from_hours(2));
        let answer = service.send(&cart(number)).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
    };
    // None was fetched before: the key of the start counts.
    for (content, _) in [(Vec::new(), ""), (pair.der(), "")].into_iter().chain(without_key(&pair)) {
        lines.take();
        files.put("key.pem", content);
        order().await;
        let warned = lines.take_with("a changed private key can't be used; the one before stays in use");
        assert_eq!(warned.len(), 1, "{warned:?}");
        assert!(warned[0].contains("target.oauth2.private_key") && warned[0].contains(&file), "{warned:?}");
    }
    files.put("key.pem", &new.pem);
    service.issuer.trust_assertion_key(new.jwk);
    order().await;
    assert_eq!(lines.take_with("a changed private key can't be used").len(), 0);
}
