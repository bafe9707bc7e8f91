//! What a file looks like that holds no certificate, or no private key: the usual mistakes have a name and a cure.

const CERTIFICATE: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// Beginnings of sections (RFC 7468, OpenSSL), and what they are instead of a certificate.
const NO_CERTIFICATE: [(&[u8], &str); 5] = [
    (b"PRIVATE KEY-----", "it has a private key, and no certificate"),
    (b"-----BEGIN CERTIFICATE REQUEST-----", "it has a request for a certificate, which an authority has to sign"),
    (b"-----BEGIN NEW CERTIFICATE REQUEST-----", "it has a request for a certificate, which an authority has to sign"),
    (b"-----BEGIN PKCS7-----", "it has PKCS #7; openssl pkcs7 -print_certs makes certificates in PEM of it"),
    (
        b"-----BEGIN TRUSTED CERTIFICATE-----",
        "it has OpenSSL's own form; openssl x509 makes a certificate in PEM of it",
    ),
];

/// The same for a private key.
const NO_PRIVATE_KEY: [(&[u8], &str); 4] = [
    (b"-----BEGIN ENCRYPTED PRIVATE KEY-----", ENCRYPTED),
    (b"Proc-Type: 4,ENCRYPTED", ENCRYPTED),
    (CERTIFICATE, "it has a certificate, and no private key"),
    (b"-----BEGIN PUBLIC KEY-----", "it has a public key, and no private one"),
];

/// A key with a passphrase.
pub const ENCRYPTED: &str =
    "its private key is encrypted, and the service has no passphrase; openssl pkey makes a plain one of it";

/// Why a file without a certificate has none.
pub fn certificates_problem(content: &[u8]) -> &'static str {
    problem(content, &NO_CERTIFICATE, "it is DER or PKCS #12; openssl makes PEM of it (x509 -inform der, pkcs12)")
}

/// Why the private key of a file can't be used, if its content tells.
pub fn private_key_problem(content: &[u8]) -> &'static str {
    problem(content, &NO_PRIVATE_KEY, "it is DER or PKCS #12; openssl makes PEM of it (pkey -inform der, pkcs12)")
}

fn problem(content: &[u8], sections: &[(&[u8], &'static str)], binary: &'static str) -> &'static str {
    let has = |part: &[u8]| content.windows(part.len()).any(|window| window == part);
    if content.iter().all(u8::is_ascii_whitespace) {
        return "it is empty";
    }
    // With a mark, or its beginning as PowerShell writes it without one.
    if [[0xFF, 0xFE].as_slice(), &[0xFE, 0xFF], b"-\0-\0", b"\0-\0-"].iter().any(|begin| content.starts_with(begin)) {
        return "it is text in UTF-16; PEM is ASCII";
    }
    // DER of certificates and keys is a SEQUENCE (X.690 §8.9), which is no text.
    if content.first() == Some(&0x30) && !content.is_ascii() {
        return binary;
    }
    let known = sections.iter().find(|(begin, _)| has(begin)).map(|(_, problem)| *problem);
    let otherwise = || match content.trim_ascii_start() {
        _ if has(b"-----BEGIN ") => "its sections are of another kind",
        // The base64 of a SEQUENCE with a length of two bytes.
        [b'M', b'I', b'I', ..] => "it is base64 without the lines -----BEGIN …----- and -----END …-----",
        _ => "it is no PEM",
    };
    known.unwrap_or_else(otherwise)
}
