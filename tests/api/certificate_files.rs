//! Files of certificates and keys that do not hold what they must, or whose certificates are out of date: refused or named
//! by `check`, and refused live while the ones before stay in use.

use std::path::{Path, PathBuf};
use std::time::Duration;

use purchase_order_webhook::app::check_dates;
use reqwest::Client;

use crate::certificates::{Ca, Files, Kind, Pair};
use crate::support::{Service, defects, mistakes, parsed};

/// Contents that are neither a certificate nor a private key, each with what `check` says of it.
fn useless_contents(pair: &Pair) -> Vec<(Vec<u8>, &'static str)> {
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    let (certificate, key) = (read(&pair.certificate), read(&pair.key));
    let utf16 =
        |text: &str| -> Vec<u8> { format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect() };
    vec![
        (Vec::new(), "it is empty"),
        (b"\n\n".to_vec(), "it is empty"),
        (b"nonsense".to_vec(), "it is no PEM"),
        (utf16(&format!("{certificate}{key}")), "UTF-16"),
        (certificate.replace("-----END", "").into_bytes(), "PEM"),
        (pair.der(), "DER"),
        (b"-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n".to_vec(), ""),
        (b"-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n".to_vec(), ""),
    ]
}

fn tls(certificate: &Path, key: &Path) -> String {
    let (certificate, key) = (certificate.display(), key.display());
    format!("server.tls.certificate = \"{certificate}\"\nserver.tls.key = \"{key}\"\n")
}

#[test]
fn check_says_what_is_wrong_with_each_file_of_the_servers_tls() {
    let (ca, files) = (Ca::new(), Files::new());
    let pair = ca.server("server", Kind::Ec);
    for (content, expected) in useless_contents(&pair) {
        let useless = files.put("useless.pem", content);
        for (setting, settings) in [
            ("server.tls.certificate", tls(&useless, &pair.key)),
            ("server.tls.key", tls(&pair.certificate, &useless)),
            (
                "server.tls.client_ca",
                format!("{}server.tls.client_ca = {useless:?}\n", tls(&pair.certificate, &pair.key)),
            ),
        ] {
            let found = defects(&settings);
            assert_eq!(found.len(), 1, "{setting}, {expected}: {found:?}");
            let begin = format!("{setting} {}: ", useless.display());
            assert!(found[0].starts_with(&begin) && found[0].contains(expected), "{setting}, {expected}: {found:?}");
        }
        let all = defects(&format!("{}server.tls.client_ca = {useless:?}\n", tls(&useless, &useless)));
        assert_eq!(all.len(), 3, "every mistake at once: {all:?}");
    }
}

/// What editors, shells and Windows make of a file in PEM; with what `check` says of it, if it can't be read.
fn editions(pem: &str) -> Vec<(&'static str, Vec<u8>, Option<&'static str>)> {
    let (lines, marked) = (pem.lines().collect::<Vec<_>>(), format!("\u{feff}{pem}"));
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let half = lines[..lines.len() / 2].join("\n");
    vec![
        ("a byte order mark", marked.clone().into_bytes(), None),
        ("marks of joined files", pem.replace("-----BEGIN", "\u{feff}-----BEGIN").into_bytes(), None),
        ("line ends of Windows", marked.replace('\n', "\r\n").into_bytes(), None),
        ("indented", pem.replace("-----BEGIN", "  -----BEGIN").replace("-----END", "\t-----END").into_bytes(), None),
        ("cut in the middle", half.into_bytes(), Some("it is cut off: ")),
        ("cut at its begin", lines[1..].join("\n").into_bytes(), Some("it is cut off: ")),
        (
            "cut, and joined with a whole one",
            [lines[0], lines[1], pem].join("\n").into_bytes(),
            Some("it is cut off: "),
        ),
        ("in one line", lines.join(" ").into_bytes(), Some("its lines are joined into one")),
        ("with line breaks as \\n", lines.join("\\n").into_bytes(), Some("its lines are joined into one")),
        (
            "with other characters",
            pem.replace(lines[1], "*** ***").into_bytes(),
            Some("the base64 of a section can't be read: entry 1 ("),
        ),
        ("line ends of an old Mac", pem.replace('\n', "\r").into_bytes(), None),
        ("blanks behind", pem.replace('\n', " \t\n").into_bytes(), None),
        ("no last line break", pem.trim_end().as_bytes().to_vec(), None),
        ("joined with a note without a line break", format!("of 2026{pem}").into_bytes(), None),
        ("attributes", format!("Bag Attributes\n    localKeyID: 01\n{pem}\n").into_bytes(), None),
        ("in Windows-1252", [b"f\xFCr uns\n", pem.as_bytes()].concat(), None),
        ("UTF-16 with a mark", utf16(&marked), Some("UTF-16")),
        (
            "with a damaged entry behind",
            format!("{}-----BEGIN CERTIFICATE-----\nMII*\n-----END CERTIFICATE-----\n", pem.trim_end()).into_bytes(),
            Some("entry 2 (CERTIFICATE, line "),
        ),
        (
            "with dashes of a word processor behind",
            format!("{pem}{}", pem.replace("-----", "\u{2014}-")).into_bytes(),
            Some(" begins or ends no section"),
        ),
        ("UTF-16 without a mark", utf16(pem), Some("UTF-16")),
        ("base64 alone", lines[1..lines.len() - 1].join("\n").into_bytes(), Some("PEM")),
    ]
}

/// Settings with a file in one of them.
type With<'s> = Box<dyn Fn(&Path) -> String + 's>;

#[test]
fn every_setting_takes_pem_as_windows_writes_it_and_says_what_else_it_is_in_words() {
    let (ca, files) = (Ca::new(), Files::new());
    let pair = ca.server("server", Kind::Ec);
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    let (certificate, key) = (read(&pair.certificate), read(&pair.key));
    let mtls = |certificate: &Path, key: &Path| {
        format!(
            "target.oauth2.auth = \"mtls\"\ntarget.oauth2.certificate_file = {certificate:?}\ntarget.oauth2.private_key_file = {key:?}\n"
        )
    };
    let otlp = |certificate: &Path, key: &Path| {
        format!(
            "telemetry.otlp_endpoint = \"https://collector.example\"\ntelemetry.otlp_certificate = {certificate:?}\ntelemetry.otlp_key = {key:?}\n"
        )
    };
    let settings: [(&str, &str, With<'_>); 12] = [
        ("server.tls.certificate", &certificate, Box::new(|file| tls(file, &pair.key))),
        ("server.tls.key", &key, Box::new(|file| tls(&pair.certificate, file))),
        (
            "server.tls.client_ca",
            &certificate,
            Box::new(|file| format!("{}server.tls.client_ca = {file:?}\n", tls(&pair.certificate, &pair.key))),
        ),
        ("target.ca", &certificate, Box::new(|file| format!("target.ca = {file:?}\n"))),
        ("auth.ca", &certificate, Box::new(|file| format!("auth.ca = {file:?}\n"))),
        ("alerts.ca", &certificate, Box::new(|file| format!("alerts.ca = {file:?}\n"))),
        (
            "telemetry.otlp_ca",
            &certificate,
            Box::new(|file| {
                format!("telemetry.otlp_endpoint = \"https://collector.example\"\ntelemetry.otlp_ca = {file:?}\n")
            }),
        ),
        ("target.oauth2.certificate_file", &certificate, Box::new(|file| mtls(file, &pair.key))),
        ("target.oauth2.private_key_file", &key, Box::new(|file| mtls(&pair.certificate, file))),
        ("telemetry.otlp_certificate", &certificate, Box::new(|file| otlp(file, &pair.key))),
        ("telemetry.otlp_key", &key, Box::new(|file| otlp(&pair.certificate, file))),
        (
            "target.oauth2.private_key_file",
            &key,
            Box::new(|file| {
                format!("target.oauth2.auth = \"private_key_jwt\"\ntarget.oauth2.private_key_file = {file:?}\n")
            }),
        ),
    ];
    for (setting, pem, settings) in settings {
        // No piece of a key is shown.
        let secret = pem.lines().nth(1).unwrap();
        for (edition, content, expected) in editions(pem) {
            let settings = settings(&files.put("edition.pem", &content));
            let found = mistakes(&settings);
            // The reader of keys that sign JWTs takes that.
            let expected = expected.filter(|_| !(edition == "in one line" && settings.contains("private_key_jwt")));
            match expected {
                None => assert_eq!(found, Vec::<String>::new(), "{setting}, {edition}"),
                Some(expected) => {
                    let [mistake] = &found[..] else { panic!("{setting}, {edition}: {found:?}") };
                    assert!(mistake.contains(setting) && mistake.contains(expected), "{setting}, {edition}: {mistake}");
                    assert!(
                        !mistake.contains("45, 45") && !mistake.contains(secret),
                        "{setting}, {edition}: {mistake}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn a_certificate_of_version_1_is_a_root_and_no_identity() {
    let ca = Ca::old();
    let old = ca.of_version_1("old");
    let trusted = |setting: &str| format!("{setting} = {:?}\n", ca.certificate());
    for settings in [trusted("target.ca"), trusted("auth.ca")] {
        assert_eq!(mistakes(&settings), Vec::<String>::new(), "{settings}");
    }
    let mtls = format!(
        "target.oauth2.auth = \"mtls\"\ntarget.oauth2.certificate_file = {:?}\ntarget.oauth2.private_key_file = {:?}\n",
        old.certificate, old.key
    );
    for (setting, settings) in
        [("server.tls.certificate", tls(&old.certificate, &old.key)), ("target.oauth2.certificate_file", mtls)]
    {
        let found = mistakes(&settings);
        let expected = "CN=old is X.509 version 1; a certificate of version 3 is expected";
        assert!(found.len() == 1 && found[0].contains(setting) && found[0].contains(expected), "{setting}: {found:?}");
    }
    // Each side trusts the other by it.
    let server = ca.server("server", Kind::Ec);
    let settings = format!("{}{}", tls(&server.certificate, &server.key), trusted("server.tls.client_ca"));
    let service = Service::start_with(&settings).await;
    let client = Client::builder().no_proxy().tls_certs_only([ca.trusted()]).identity(ca.client("caller").identity());
    let answer = client.build().unwrap().get(format!("https://{}/livez", service.address)).send().await;
    assert_eq!(answer.unwrap().status().as_u16(), 200);
}

#[test]
fn check_says_which_certificate_and_key_do_not_go_together() {
    let (ca, files) = (Ca::new(), Files::new());
    let (pair, other) = (ca.server("server", Kind::Ec), ca.server("other", Kind::Rsa));
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    let root = read(ca.certificate());
    let chain = files.put("chain.pem", format!("{}{root}", read(&pair.certificate)));
    assert_eq!(defects(&tls(&chain, &pair.key)), Vec::<String>::new());
    let both = files.put("both.pem", pair.pem());
    assert_eq!(defects(&tls(&both, &both)), Vec::<String>::new(), "one file for both");

    let reversed = files.put("reversed.pem", format!("{root}{}", read(&pair.certificate)));
    let found = defects(&tls(&reversed, &pair.key));
    assert!(found[0].contains("server.tls.key belongs to CN=server, which is not the first in the file"), "{found:?}");
    let found = defects(&tls(&pair.certificate, &other.key));
    assert!(found[0].starts_with("server.tls.certificate and server.tls.key can't be used together"), "{found:?}");
    let broken = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    let broken = files.put("broken.pem", format!("{}{broken}", read(&pair.certificate)));
    let found = defects(&tls(&broken, &pair.key));
    assert!(found[0].contains("its certificate number 2 can't be read"), "a broken intermediate: {found:?}");
    let encrypted = files
        .put("encrypted.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n");
    let found = defects(&tls(&pair.certificate, &encrypted));
    assert!(found[0].starts_with("server.tls.key ") && found[0].contains("encrypted"), "{found:?}");
}

#[tokio::test]
async fn a_changed_file_without_what_it_must_hold_leaves_the_one_before_in_use() {
    let (ca, files) = (Ca::new(), Files::new());
    let pair = ca.server("server", Kind::Ec);
    let read = |path: &Path| std::fs::read(path).unwrap();
    let good = [read(&pair.certificate), read(&pair.key), read(ca.certificate())];
    let names = ["certificate.pem", "key.pem", "client-ca.pem"];
    let paths: Vec<PathBuf> = names.iter().zip(&good).map(|(name, content)| files.put(name, content)).collect();
    let settings = format!("{}server.tls.client_ca = {:?}\n", tls(&paths[0], &paths[1]), paths[2]);
    let service = Service::start_with(&settings).await;
    let identity = ca.client("caller").identity();
    let get = async || {
        let client = Client::builder().no_proxy().tls_certs_only([ca.trusted()]).identity(identity.clone());
        client
            .build()
            .unwrap()
            .get(format!("https://{}/livez", service.address))
            .send()
            .await
            .map(|answer| answer.status().as_u16())
    };
    assert_eq!(get().await.unwrap(), 200);
    for (content, _) in useless_contents(&pair) {
        for (name, before) in names.iter().zip(&good) {
            files.put(name, &content);
            service.clock.advance(Duration::from_secs(3));
            tokio::time::sleep(Duration::from_millis(10)).await;
            assert_eq!(get().await.unwrap(), 200, "{name}: {}", String::from_utf8_lossy(&content));
            files.put(name, before);
        }
    }
}

/// A day before or after today, as OpenSSL's tools take it.
fn day(offset: i64) -> String {
    let now = crate::support::now();
    let day = now + jiff::SignedDuration::from_hours(24 * offset);
    day.to_zoned(jiff::tz::TimeZone::UTC).strftime("%Y%m%d").to_string()
}

fn dashed(day: &str) -> String {
    format!("{}-{}-{}", &day[..4], &day[4..6], &day[6..])
}

#[test]
fn check_names_certificates_that_have_expired_or_are_about_to() {
    let (ca, files) = (Ca::new(), Files::new());
    let [expired, soon, later, valid] = [
        ca.server_between("expired", &day(-90), &day(-3)),
        ca.server_between("soon", &day(-90), &day(20)),
        ca.server_between("later", &day(2), &day(90)),
        ca.server_between("valid", &day(-90), &day(90)),
    ];
    let read = |pair: &Pair| std::fs::read_to_string(&pair.certificate).unwrap();
    let own = |pair: &Pair| tls(&pair.certificate, &pair.key);
    let trusted = |setting: &str, pairs: &[&Pair]| {
        let bundle: String = pairs.iter().map(|pair| read(pair)).collect();
        let stems: Vec<_> = pairs.iter().map(|pair| pair.certificate.file_stem().unwrap().to_str().unwrap()).collect();
        format!("{setting} = {:?}\n", files.put(&format!("{setting}-{}.pem", stems.join("-")), bundle))
    };
    let mtls = |pair: &Pair| {
        format!(
            "target.oauth2.auth = \"mtls\"\ntarget.oauth2.certificate_file = {:?}\ntarget.oauth2.private_key_file = {:?}\n",
            pair.certificate, pair.key
        )
    };
    let database = |parameters: String| {
        format!("ledger.url = \"postgres://user@127.0.0.1/orders?sslmode=verify-full&{parameters}\"\n")
    };
    let roots = |pair: &Pair| database(format!("sslrootcert={}", pair.certificate.display()));
    let client = |pair: &Pair| {
        let (certificate, key) = (pair.certificate.display(), pair.key.display());
        database(format!("sslrootcert={}&sslcert={certificate}&sslkey={key}", valid.certificate.display()))
    };
    let none = None::<(&str, &str)>;
    for (settings, mistake, warning) in [
        (own(&valid), none, none),
        (own(&expired), Some(("server.tls.certificate ", "CN=expired has expired: it was valid until")), none),
        (own(&later), Some(("server.tls.certificate ", "CN=later is not valid yet: it is valid from")), none),
        (own(&soon), none, Some(("server.tls.certificate ", "CN=soon expires soon: it is valid until"))),
        (trusted("target.ca", &[&valid]), none, none),
        (trusted("target.ca", &[&expired]), Some(("target.ca ", "CN=expired has expired")), none),
        (trusted("target.ca", &[&valid, &expired]), none, Some(("target.ca ", "CN=expired has expired"))),
        (trusted("auth.ca", &[&expired]), Some(("auth.ca ", "CN=expired has expired")), none),
        (trusted("auth.ca", &[&soon]), none, Some(("auth.ca ", "CN=soon expires soon"))),
        (
            own(&valid) + &trusted("server.tls.client_ca", &[&expired]),
            Some(("server.tls.client_ca ", "CN=expired has expired")),
            none,
        ),
        (mtls(&expired), Some(("target.oauth2.certificate_file ", "CN=expired has expired")), none),
        (mtls(&soon), none, Some(("target.oauth2.certificate_file ", "CN=soon expires soon"))),
        (roots(&expired), Some(("ledger.url, sslrootcert ", "CN=expired has expired")), none),
        (client(&soon), none, Some(("ledger.url, sslcert ", "CN=soon expires soon"))),
    ] {
        for (found, expected) in [(defects(&settings), mistake), (check_dates(&parsed(&settings)), warning)] {
            let is_expected = match expected {
                None => found.is_empty(),
                Some((begin, text)) => found.len() == 1 && found[0].starts_with(begin) && found[0].contains(text),
            };
            assert!(is_expected, "{settings}\nexpected {expected:?}, found {found:?}");
        }
    }
    let found = defects(&own(&expired));
    let expected = format!("server.tls.certificate {}: CN=expired", expired.certificate.display());
    assert!(found[0].starts_with(&expected) && found[0].ends_with(&dashed(&day(-3))), "file and date: {found:?}");
}

#[tokio::test]
async fn an_expired_certificate_does_not_stop_the_service() {
    let ca = Ca::new();
    let expired = ca.server_between("expired", &day(-90), &day(-3));
    let service = Service::start_with(&tls(&expired.certificate, &expired.key)).await;
    let ready = reqwest::get(format!("http://{}/readyz", service.management)).await.unwrap();
    assert_eq!(ready.status(), 200);
}
