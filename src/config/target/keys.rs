//! The private key of the service at 11VMS for assertions.

use secrecy::ExposeSecret as _;
use url::Url;

use crate::certificate::read_private_key;
use crate::config::reader::Reader;
use crate::config::secret::Secret;
use crate::private_key;

/// The setting of the key, for assertions and for TLS.
pub const PRIVATE_KEY: &str = "target.oauth2.private_key";

/// A private key for assertions.
#[derive(Debug, Clone)]
pub struct SigningKey {
    /// In PEM, read anew for every assertion.
    pub pem: Secret,
    /// `kid`, where the server knows several keys of the client.
    pub key_id: Option<String>,
    /// `aud` of the assertion.
    pub audience: String,
}

impl SigningKey {
    /// Reads the key and what goes into its assertions; their audience is the token endpoint unless it is set.
    pub fn from_reader(reader: &mut Reader, token_url: Option<&Url>) -> Option<Self> {
        let pem = reader.required_secret(PRIVATE_KEY).filter(|pem| {
            let problem = pem.read().ok().and_then(|text| signing_problem(text.expose_secret()));
            if let Some(problem) = &problem {
                let expected = "expected a private key in PEM (PKCS#8): RSA of 2048 bits or more, EC (P-256, P-384) or Ed25519; \
                                `openssl pkcs8 -topk8 -nocrypt -in FILE -out NEW` makes PKCS#8 of other forms";
                reader.report(&reader.secret_key(PRIVATE_KEY), &format!("{expected}{problem}"));
            }
            problem.is_none()
        });
        let key_id = reader.optional("target.oauth2.key_id", "the key's id", |text| Some(text.to_owned()));
        let audience = reader.optional("target.oauth2.assertion_audience", "a text", |text| Some(text.to_owned()));
        let audience = audience?.or_else(|| token_url.map(Url::to_string));
        Some(Self { pem: pem?, key_id: key_id?, audience: audience? })
    }
}

/// Why a text has no key that can sign, as far as its content tells; `None` if it has one.
fn signing_problem(pem: &str) -> Option<String> {
    if private_key::parse(pem).is_some() {
        return None;
    }
    // A key in whole PEM is one of a form or a length that is not expected.
    Some(read_private_key(pem.as_bytes()).err().map(|problem| format!("; {problem}")).unwrap_or_default())
}
