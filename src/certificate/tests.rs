//! Certificates as OpenSSL makes them, and contents that hold none.

use proptest::prelude::*;

use super::content::private_key_problem;
use super::*;

/// Made by OpenSSL: valid for 100 days, until 2027-03-08.
pub const USUAL: &str = "-----BEGIN CERTIFICATE-----\n\
    MIIB1DCCAXugAwIBAgIUFQFbYhCF4kvA/P4fh5+TNvMXMbIwCgYIKoZIzj0EAwIw\n\
    QDELMAkGA1UEBhMCREUxFTATBgNVBAoMDEdyw7bDn2UgR21iSDEaMBgGA1UEAwwR\n\
    d2ViaG9vay5hY21lLnRlc3QwHhcNMjYxMTI4MDQxNTM1WhcNMjcwMzA4MDQxNTM1\n\
    WjBAMQswCQYDVQQGEwJERTEVMBMGA1UECgwMR3LDtsOfZSBHbWJIMRowGAYDVQQD\n\
    DBF3ZWJob29rLmFjbWUudGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABOQ2\n\
    Z6um6JdYLLwauv9ujntMynpiEvrMLpFJQxOqhuBhdaw+oDkImUBOme9CF9kWW7Hz\n\
    cipKEdCMVwT315utflmjUzBRMB0GA1UdDgQWBBTOrIA6WavuPmncu2g/18befycp\n\
    rDAfBgNVHSMEGDAWgBTOrIA6WavuPmncu2g/18befycprDAPBgNVHRMBAf8EBTAD\n\
    AQH/MAoGCCqGSM49BAMCA0cAMEQCIDHDg1g0EFOvricCsrO55NmapSgI1LdJxbx7\n\
    6MFGJK1oAiBiOTebf48iH/jQjxD+zqMOPAQMhDaThQVTjpSqka+8Ew==\n\
    -----END CERTIFICATE-----\n";

/// Without a subject, with an end after 2050, which has another form (RFC 5280 §4.1.2.5.2).
const NAMELESS: &str = "-----BEGIN CERTIFICATE-----\n\
    MIIBZTCCAQugAwIBAgIUC3v9/1pAht3G/h9Ekb0BXLJhETEwCgYIKoZIzj0EAwIw\n\
    ADAgFw0yNjExMjgwNDE1MDJaGA8yMDgxMDgzMTA0MTUwMlowADBZMBMGByqGSM49\n\
    AgEGCCqGSM49AwEHA0IABPyQWCgHIOXYugYN6P7PVpIkjqEv1/w3UN5Owa3zF7jC\n\
    NltfoSLuWXFUew9S9LAHMwMfhNjgEgmNWlIrZyxd5XmjYTBfMB0GA1UdDgQWBBSe\n\
    nYKpntogZ4Q3mi7lFr+STdHjdDAfBgNVHSMEGDAWgBSenYKpntogZ4Q3mi7lFr+S\n\
    TdHjdDAPBgNVHRMBAf8EBTADAQH/MAwGA1UdEQQFMAOCAXgwCgYIKoZIzj0EAwID\n\
    SAAwRQIhAPM/8OR+g4uQcLN2Xk0KFFLS8dcoikZAL/XF8sMVKpZtAiAk9FGOTuYY\n\
    BkJSkYY5zbzs1J6TujmxOkUU2Q9IQGLPPQ==\n\
    -----END CERTIFICATE-----\n";

/// With a serial number of 23 bytes.
const LONG_SERIAL: &str = "-----BEGIN CERTIFICATE-----\n\
    MIIBcjCCARigAwIBAgIXEjRWeJASNFZ4kBI0VniQEjRWeJASNFYwCgYIKoZIzj0E\n\
    AwIwDDEKMAgGA1UEAwwBZDAgFw0yNjExMjgwNDE1MDJaGA80NzY0MTAyNTA0MTUw\n\
    MlowDDEKMAgGA1UEAwwBZDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABDBwc8Fr\n\
    ZZBu2uJEFtM0AvUCcruNenfvQXsK1tu75/cfYu/Z5kB5kSJzbpRFmnN2DTLKJGZ2\n\
    KKWdmXo+22wtt4ijUzBRMB0GA1UdDgQWBBRRAvaXEHuD4pUFEsBlVIW7T+ijbzAf\n\
    BgNVHSMEGDAWgBRRAvaXEHuD4pUFEsBlVIW7T+ijbzAPBgNVHRMBAf8EBTADAQH/\n\
    MAoGCCqGSM49BAMCA0gAMEUCIQD5axnyiGaggRUVcdvWdbAmkRkxX7UvWYBozK2F\n\
    nBKU3gIgNb6JMNb6hK5ewJWtvMcqTVqKbJzlnN+GS8fzKbC2M+U=\n\
    -----END CERTIFICATE-----\n";

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn certificates_have_a_subject_and_dates() {
    let all = Certificate::read_all(format!("some text\n{USUAL}{NAMELESS}{LONG_SERIAL}").as_bytes()).unwrap();
    let read: Vec<_> = all.iter().map(|one| (one.subject(), one.not_before(), one.not_after())).collect();
    let expected = [
        ("CN=webhook.acme.test,O=Größe GmbH,C=DE", "2026-11-28T04:15:35Z", "2027-03-08T04:15:35Z"),
        ("serial number 0B7BFDFF5A4086DDC6FE1F4491BD015CB2611131", "2026-11-28T04:15:02Z", "2081-08-31T04:15:02Z"),
        ("CN=d", "2026-11-28T04:15:02Z", "4764-10-25T04:15:02Z"),
    ];
    assert_eq!(read, expected.map(|(subject, from, to)| (subject, time(from), time(to))));
}

#[test]
fn a_certificate_expires_soon_thirty_days_before_its_end() {
    let read = Certificate::read_all(USUAL.as_bytes()).unwrap();
    let validity = |now: Timestamp| read[0].validity(now);
    let (begin, end, second) = (read[0].not_before(), read[0].not_after(), Duration::from_secs(1));
    for (now, expected) in [
        (begin - second, Validity::NotYetValid),
        (begin, Validity::Valid),
        (end - EXPIRES_SOON - second, Validity::Valid),
        (end - EXPIRES_SOON, Validity::ExpiresSoon),
        (end, Validity::ExpiresSoon),
        (end + second, Validity::Expired),
        (Timestamp::MAX, Validity::Expired),
        (Timestamp::MIN, Validity::NotYetValid),
    ] {
        assert_eq!(validity(now), expected, "{now}");
    }
}

#[test]
fn a_content_without_a_whole_certificate_is_refused_by_what_it_is() {
    let der = Certificate::read_all(USUAL.as_bytes()).unwrap()[0].der().to_vec();
    let half = &USUAL[..USUAL.len() / 2];
    let utf16: Vec<u8> = format!("\u{feff}{USUAL}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let named = |kind: &str| format!("-----BEGIN {kind}-----\nMAA=\n-----END {kind}-----\n").into_bytes();
    let unmarked: Vec<u8> = USUAL.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for (content, expected) in [
        (Vec::new(), "it is empty"),
        (b"\n \r\n".to_vec(), "it is empty"),
        (unmarked, "UTF-16"),
        (der, "it is DER or PKCS #12"),
        (utf16, "UTF-16"),
        (b"nonsense".to_vec(), "it is no PEM"),
        (half.as_bytes().to_vec(), "it is cut off: the line -----END CERTIFICATE----- is missing"),
        (named("PRIVATE KEY"), "a private key, and no certificate"),
        (named("EC PRIVATE KEY"), "a private key, and no certificate"),
        (named("CERTIFICATE REQUEST"), "a request for a certificate"),
        (named("PKCS7"), "PKCS #7"),
        (named("TRUSTED CERTIFICATE"), "OpenSSL's own form"),
        (named("DH PARAMETERS"), "its sections are of another kind"),
        (named("CERTIFICATE"), "its certificate number 1 can't be read"),
        ([USUAL.as_bytes(), &named("CERTIFICATE")].concat(), "its certificate number 2 can't be read"),
        (
            [USUAL.as_bytes(), &named("TRUSTED CERTIFICATE")].concat(),
            "it has OpenSSL's own form; `openssl storeutl -certs -out NEW FILE` makes certificates in PEM of the whole file: entry 2 (TRUSTED CERTIFICATE, line 13)",
        ),
        ([USUAL.as_bytes(), &named("X509 CRL"), &named("PKCS7")].concat(), "revoked certificates"),
        ([USUAL.as_bytes(), &named("X509 CRL"), &named("PKCS7")].concat(), "; it has PKCS #7; `openssl"),
        (
            [USUAL.as_bytes(), &named("PGP MESSAGE")].concat(),
            "it has something that is no certificate: entry 2 (PGP MESSAGE, line 13)",
        ),
        ([USUAL, half].concat().into_bytes(), "it is cut off"),
        ([half, "\n", USUAL].concat().into_bytes(), "it is cut off: CERTIFICATE has no end"),
        (USUAL.replace("END CERTIFICATE", "END PRIVATE KEY").into_bytes(), "ends with -----END PRIVATE KEY-----"),
        (USUAL.replace("BEGIN CERTIFICATE-----", "BEGIN CERTIFICATE").into_bytes(), "does not end with -----"),
        (USUAL.replace('\n', " ").into_bytes(), "its lines are joined into one"),
        (
            USUAL.replace("MIIB", "!IIB").into_bytes(),
            "the base64 of a section can't be read: entry 1 (CERTIFICATE, line 1)",
        ),
        (
            USUAL.lines().filter(|line| !line.starts_with("---")).collect::<String>().into_bytes(),
            "it is base64 without",
        ),
    ] {
        let problem = Certificate::read_all(&content).unwrap_err();
        assert!(problem.contains(expected), "{expected}: {problem}");
    }
}

#[test]
fn a_content_without_a_usable_private_key_is_named_by_what_it_is() {
    let named = |kind: &str| format!("-----BEGIN {kind}-----\nMAA=\n-----END {kind}-----\n");
    for (content, expected) in [
        (String::new(), "it is empty"),
        (USUAL.to_owned(), "a certificate, and no private key"),
        (named("ENCRYPTED PRIVATE KEY"), "encrypted"),
        (format!("{}Proc-Type: 4,ENCRYPTED\n", named("RSA PRIVATE KEY")), "encrypted"),
        (named("PUBLIC KEY"), "a public key"),
        ("nonsense".to_owned(), "it is no PEM"),
    ] {
        assert!(private_key_problem(content.as_bytes()).contains(expected), "{expected}");
    }
}

#[test]
fn every_certificate_is_read_however_a_file_was_saved() {
    let key = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";
    let both = format!("{USUAL}{LONG_SERIAL}");
    for (name, content) in [
        ("marks", format!("\u{feff}{USUAL}\u{feff}{LONG_SERIAL}")),
        ("CR LF", both.replace('\n', "\r\n")),
        ("CR", both.replace('\n', "\r")),
        ("joined", format!("{}{LONG_SERIAL}", USUAL.trim_end())),
        ("attributes", format!("Bag Attributes\n\tlocalKeyID: 01\n{USUAL}{key}{LONG_SERIAL}")),
        ("old names", both.replace(" CERTIFICATE-", " X509 CERTIFICATE-")),
    ] {
        let subjects =
            |read: Result<Vec<Certificate>, String>| read.unwrap_or_else(|problem| panic!("{name}: {problem}")).len();
        assert_eq!(subjects(Certificate::read_all(content.as_bytes())), 2, "{name}");
        assert_eq!(subjects(Certificate::read_roots(content.as_bytes())), 2, "{name}");
    }
}

#[test]
fn of_several_private_keys_none_is_chosen() {
    let key = |kind: &str| format!("-----BEGIN {kind}-----\nMAA=\n-----END {kind}-----\n");
    let read = |content: String| read_private_key(content.as_bytes()).map(|_| ());
    let parameters = key("EC PARAMETERS");
    assert_eq!(read(format!("\u{feff}{parameters}{USUAL}{}", key("EC PRIVATE KEY"))), Ok(()));
    for (content, expected) in [
        (key("PRIVATE KEY") + &key("RSA PRIVATE KEY"), "it has 2 private keys, as its entry 1 (PRIVATE KEY, line 1)"),
        (key("DSA PRIVATE KEY"), "its entry 1 (DSA PRIVATE KEY, line 1) is of a form that can't be read"),
        (key("OPENSSH PRIVATE KEY"), "OpenSSH's own form; `ssh-keygen"),
        (key("ENCRYPTED PRIVATE KEY"), "encrypted"),
        (key("RSA PRIVATE KEY").replace("MAA=", "Proc-Type: 4,ENCRYPTED\n\nMAA="), "encrypted"),
        (key("PRIVATE KEY").replace("MAA=", "M!A="), "can't be read: entry 1 (PRIVATE KEY, line 1)"),
    ] {
        let problem = read(content).unwrap_err();
        assert!(problem.contains(expected), "{expected}: {problem}");
    }
}

proptest! {
    #[test]
    fn reading_certificates_never_panics(at in 0..USUAL.len(), byte: u8) {
        let mut content = USUAL.as_bytes().to_vec();
        content[at] = byte;
        let _ = Certificate::read_all(&content);
    }
}
