//! What a file looks like that holds no certificate, or no private key: the usual mistakes have a name and a cure. Every command
//! is run by `tests/commands.rs`.

const CERTIFICATE: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// A key with a passphrase.
pub const ENCRYPTED: &str = "its private key is encrypted, and the service has no passphrase; `openssl pkey -in FILE -out NEW` makes a plain one of it";

/// A key as OpenSSH writes it (its PROTOCOL.key), which TLS libraries do not read.
pub const OPENSSH: &str = "its private key has OpenSSH's own form; `ssh-keygen -p -m PKCS8 -f FILE` turns one of RSA or EC into PKCS #8 in its \
                           place, if its new passphrase is left empty";

/// What a file has that holds no usable private key.
const NO_PRIVATE_KEY: [(&[u8], &str); 4] = [
    (b"-----BEGIN ENCRYPTED PRIVATE KEY-----", ENCRYPTED),
    (b"Proc-Type: 4,ENCRYPTED", ENCRYPTED),
    (CERTIFICATE, "it has a certificate, and no private key"),
    (b"-----BEGIN PUBLIC KEY-----", "it has a public key, and no private one"),
];

/// Sections that are found beside certificates, and are used elsewhere or not needed.
const BESIDE_CERTIFICATES: [&str; 5] =
    ["PUBLIC KEY", "RSA PUBLIC KEY", "EC PARAMETERS", "DH PARAMETERS", "DSA PARAMETERS"];

/// What a section is that stands where a certificate is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SectionKind {
    /// A certificate; the longer names are those of old programs (RFC 7468 §5.1).
    Certificate,
    /// Something that files of certificates may have, too.
    Beside,
    /// Something that was meant as a certificate and is none, with what to do.
    Other(&'static str),
}

impl SectionKind {
    /// By the name of the section.
    pub fn of(label: &str) -> Self {
        match label {
            "CERTIFICATE" | "X509 CERTIFICATE" | "X.509 CERTIFICATE" => Self::Certificate,
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => {
                Self::Other("a request for a certificate, which an authority has to sign")
            }
            "PKCS7" | "CMS" => {
                Self::Other("PKCS #7; `openssl pkcs7 -print_certs -in FILE -out NEW` makes certificates in PEM of it")
            }
            "TRUSTED CERTIFICATE" => Self::Other(
                "OpenSSL's own form; `openssl storeutl -certs -out NEW FILE` makes certificates in PEM of the whole file",
            ),
            "X509 CRL" => Self::Other("a list of revoked certificates, which the service does not read; remove it"),
            _ if label.ends_with("PRIVATE KEY") || BESIDE_CERTIFICATES.contains(&label) => Self::Beside,
            _ => Self::Other("something that is no certificate"),
        }
    }
}

/// Why a file without a certificate has none.
pub fn certificates_problem(content: &[u8]) -> &'static str {
    const PRIVATE_KEY: [(&[u8], &str); 1] = [(b"PRIVATE KEY-----", "it has a private key, and no certificate")];
    const BINARY: &str = "it is DER or PKCS #12; `openssl x509 -inform der -in FILE -out NEW` or \
                          `openssl pkcs12 -nodes -in FILE -out NEW` makes PEM of it";
    problem(content, &PRIVATE_KEY, BINARY)
}

/// Why the private key of a file can't be used, if its content tells.
pub fn private_key_problem(content: &[u8]) -> &'static str {
    const BINARY: &str = "it is DER or PKCS #12; `openssl pkey -inform der -in FILE -out NEW` or \
                          `openssl pkcs12 -nodes -in FILE -out NEW` makes PEM of it";
    problem(content, &NO_PRIVATE_KEY, BINARY)
}

fn problem(content: &[u8], sections: &[(&[u8], &'static str)], binary: &'static str) -> &'static str {
    let has = |part: &[u8]| content.windows(part.len()).any(|window| window == part);
    if content.iter().all(u8::is_ascii_whitespace) {
        return "it is empty";
    }
    // With a mark, or its beginning as some programs write it without one.
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
