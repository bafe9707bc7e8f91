//! Client authentication at token and introspection endpoints: by a shared secret (RFC 6749 §2.3.1), by an assertion (RFC 7523
//! §2.2), or by the certificate of the connection (RFC 8705 §2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::RequestBuilder;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName};
use secrecy::{ExposeSecret as _, SecretString};
use url::form_urlencoded::Serializer;

use super::assertion::Signer;
use super::echo::Echo;
use crate::config::{ClientAuth, Credentials};

/// RFC 7523 §2.2
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Says that id and secret are encoded, as RFC 6749 §2.3.1 wants it. UAA, and so XSUAA, decodes them only then; to others it
/// says nothing.
const ENCODED: HeaderName = HeaderName::from_static("x-cf-encoded-credentials");

/// Characters that the form encoding changes. A blank becomes `%20` and no plus, which is read by servers of both kinds: those
/// that decode forms, and those that decode parts of URLs.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*');

/// A client, and its proof.
#[derive(Debug)]
pub struct AuthenticatingClient {
    id: String,
    credentials: Credentials,
    /// For the assertions of the credentials.
    signer: Option<Signer>,
}

impl AuthenticatingClient {
    /// Reads a private key; a secret is read for each request.
    pub fn new(id: String, credentials: Credentials) -> Self {
        let signer = match &credentials {
            Credentials::PrivateKeyJwt(key) => Some(Signer::new(key.clone())),
            _ => None,
        };
        Self { id, credentials, signer }
    }

    /// Makes the form a request's body, with the client's id and its proof, which is added to `sent` in all its forms.
    ///
    /// # Errors
    /// If the secret or the key can't be read; nothing of it.
    pub fn authenticate(
        &self,
        request: RequestBuilder,
        mut form: Serializer<'_, String>,
        now: Timestamp,
        sent: &mut Echo,
    ) -> Result<RequestBuilder, String> {
        let request = match &self.credentials {
            Credentials::Secret(secret, ClientAuth::Basic) => {
                let secret = secret.read()?;
                sent.add(secret.expose_secret());
                let pair = encoded_pair(&self.id, &secret, sent);
                request.header(AUTHORIZATION, format!("Basic {}", pair.expose_secret())).header(ENCODED, "true")
            }
            Credentials::Secret(secret, ClientAuth::Post) => {
                let secret = secret.read()?;
                sent.add(secret.expose_secret());
                form.append_pair("client_id", &self.id).append_pair("client_secret", secret.expose_secret());
                request
            }
            Credentials::PrivateKeyJwt(key) => {
                let signer = self.signer.as_ref().ok_or_else(|| format!("{} is missing", key.setting))?;
                let assertion = signer.sign(&self.id, &self.id, now)?;
                sent.add(assertion.expose_secret());
                form.append_pair("client_id", &self.id).append_pair("client_assertion_type", ASSERTION_TYPE);
                form.append_pair("client_assertion", assertion.expose_secret());
                request
            }
            // The handshake is the proof.
            Credentials::Mtls(_) => {
                form.append_pair("client_id", &self.id);
                request
            }
            // The assertion of the grant names the client.
            Credentials::None => request,
        };
        Ok(request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.finish()))
    }
}

/// What `Authorization: Basic` has: id and secret are encoded before they are joined. Each step is a form of the secret.
fn encoded_pair(client_id: &str, secret: &SecretString, sent: &mut Echo) -> SecretString {
    let encoded = |text: &str| SecretString::from(utf8_percent_encode(text, RESERVED).to_string());
    let secret = encoded(secret.expose_secret());
    sent.add(secret.expose_secret());
    let pair = format!("{}:{}", encoded(client_id).expose_secret(), secret.expose_secret());
    let pair = SecretString::from(STANDARD.encode(SecretString::from(pair).expose_secret()));
    // Padding is no part of what it says.
    sent.add(pair.expose_secret().trim_end_matches('='));
    pair
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_and_secret_are_encoded_before_they_are_joined() {
        for (id, secret, joined) in [
            ("a:b", "c%+ä", "a%3Ab:c%25%2B%C3%A4"),
            ("sb-clone!b12|app!t3", "x$y=+/z ~", "sb-clone%21b12%7Capp%21t3:x%24y%3D%2B%2Fz%20%7E"),
        ] {
            let mut sent = Echo::default();
            let pair = encoded_pair(id, &SecretString::from(secret), &mut sent);
            assert_eq!(pair.expose_secret(), STANDARD.encode(joined));
            let encoded = joined.split_once(':').unwrap().1;
            for repeated in [pair.expose_secret(), pair.expose_secret().trim_end_matches('='), encoded] {
                assert!(sent.is_in(&format!("wrong: {repeated}")), "{repeated}");
            }
        }
    }
}
