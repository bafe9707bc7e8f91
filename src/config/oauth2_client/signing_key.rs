//! The private key with which a client signs its assertions, and how they name it.

use std::sync::Arc;

use jsonwebtoken::Algorithm;
use secrecy::ExposeSecret as _;
use url::Url;

use super::ClientKeys;
use crate::certificate::read_private_key;
use crate::config::algorithm::{ALGORITHMS, asymmetric_algorithm};
use crate::config::identity::Identity;
use crate::config::reader::Reader;
use crate::config::secret::Secret;
use crate::private_key;

/// A private key for assertions.
#[derive(Debug, Clone)]
pub struct SigningKey {
    /// In PEM, read anew for every assertion.
    pub pem: Secret,
    /// The setting that has it.
    pub setting: String,
    /// `alg`; if absent, the first one that fits the key.
    pub algorithm: Option<Algorithm>,
    /// `kid`, where the server knows several keys of the client.
    pub key_id: Option<String>,
    /// The thumbprint that names the key, where the server knows its certificate.
    pub thumbprint: Option<CertificateThumbprint>,
    /// `aud` of the assertion.
    pub audience: String,
}

/// A certificate that names the key of an assertion.
#[derive(Debug, Clone)]
pub struct CertificateThumbprint {
    /// The header that has the thumbprint.
    pub kind: AssertionKey,
    /// The certificate, and the key that has to be its own; read anew for every assertion.
    pub identity: Identity,
}

/// What names the key in the header of an assertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssertionKey {
    /// `kid` (RFC 7515 §4.1.4)
    KeyId,
    /// `x5t` (§4.1.7): SHA-1 of the certificate.
    Sha1,
    /// `x5t#S256` (§4.1.8): SHA-256 of the certificate.
    Sha256,
}

impl SigningKey {
    /// Reads the key and what goes into its assertions; their audience is the endpoint unless it is set.
    pub fn from_reader(reader: &mut Reader, keys: &ClientKeys, endpoint: Option<&Url>) -> Option<Self> {
        let expected = format!("{ALGORITHMS}, one that fits the key");
        let algorithm = reader.optional(&keys.assertion_algorithm, &expected, asymmetric_algorithm);
        let chosen = algorithm.flatten();
        let pem = reader.required_secret(&keys.private_key).filter(|pem| {
            let problem = pem.read().ok().and_then(|text| signing_problem(text.expose_secret(), chosen));
            if let Some((setting, problem)) = &problem {
                let place = match setting {
                    Fault::Key => reader.secret_key(&keys.private_key),
                    Fault::Algorithm => keys.assertion_algorithm.clone(),
                };
                reader.report(&place, problem);
            }
            problem.is_none()
        });
        let key_id = reader.optional(&keys.key_id, "the key's id", |text| Some(text.to_owned()));
        let thumbprint = read_thumbprint(reader, keys, pem.as_ref());
        let audience = reader.optional(&keys.assertion_audience, "a text", |text| Some(text.to_owned()));
        let audience = audience?.or_else(|| endpoint.map(Url::to_string));
        Some(Self {
            pem: pem?,
            setting: keys.private_key.clone(),
            algorithm: algorithm?,
            key_id: key_id?,
            thumbprint: thumbprint?,
            audience: audience?,
        })
    }
}

/// Reads how the key is named, and the certificate that this needs.
#[expect(clippy::option_option, reason = "the outer option is the mistake, the inner one the absence")]
fn read_thumbprint(
    reader: &mut Reader,
    keys: &ClientKeys,
    pem: Option<&Secret>,
) -> Option<Option<CertificateThumbprint>> {
    let kinds = [("kid", AssertionKey::KeyId), ("x5t", AssertionKey::Sha1), ("x5t#S256", AssertionKey::Sha256)];
    let kind = reader.choice(&keys.assertion_key, "kid", &kinds)?;
    if kind == AssertionKey::KeyId {
        return Some(None);
    }
    let certificate = reader.optional_secret(&keys.certificate)?;
    let identity = Identity { certificate, key: pem?.clone(), names: Arc::clone(&keys.identity) }.checked(reader)?;
    Some(Some(CertificateThumbprint { kind, identity }))
}

/// The setting that a key and an algorithm which do not fit each other are reported at.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Key,
    Algorithm,
}

/// Why a text has no key that can sign, as far as its content tells; `None` if it has one.
fn signing_problem(pem: &str, algorithm: Option<Algorithm>) -> Option<(Fault, String)> {
    let Some(usual) = private_key::parse(pem) else {
        const EXPECTED: &str =
            "expected a private key in PEM (PKCS#8): RSA of 2048 bits or more, EC (P-256, P-384) or Ed25519";
        const CURE: &str = "`openssl pkcs8 -topk8 -nocrypt -in FILE -out NEW` makes PKCS#8 of other forms";
        // A key in whole PEM is one of a form or a length that is not expected.
        let problem = read_private_key(pem.as_bytes()).err();
        return Some((Fault::Key, format!("{EXPECTED}; {}", problem.as_deref().unwrap_or(CURE))));
    };
    let chosen = algorithm?;
    if private_key::parse_for(pem, chosen).is_some() {
        return None;
    }
    let problem =
        format!("the private key can't sign {chosen:?}; expected an algorithm of its kind, such as {:?}", usual.0);
    Some((Fault::Algorithm, problem))
}
