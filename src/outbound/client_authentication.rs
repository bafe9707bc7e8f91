//! Client authentication with a shared secret (RFC 6749 §2.3.1), as token and introspection endpoints want it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::RequestBuilder;
use reqwest::header::AUTHORIZATION;
use secrecy::{ExposeSecret as _, SecretString};
use url::form_urlencoded::Serializer;

use crate::config::ClientAuth;

/// Adds a client's id and secret to the request's header, or to the form itself.
pub fn add_client_credentials(
    request: RequestBuilder,
    form: &mut Serializer<'_, String>,
    client_id: &str,
    secret: &SecretString,
    method: ClientAuth,
) -> RequestBuilder {
    match method {
        ClientAuth::Basic => request.header(AUTHORIZATION, basic(client_id, secret).expose_secret()),
        ClientAuth::Post => {
            form.append_pair("client_id", client_id).append_pair("client_secret", secret.expose_secret());
            request
        }
    }
}

/// The value of `Authorization: Basic`; id and secret are encoded before they are joined.
fn basic(client_id: &str, secret: &SecretString) -> SecretString {
    let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = SecretString::from(format!("{}:{}", encoded(client_id), encoded(secret.expose_secret())));
    format!("Basic {}", STANDARD.encode(pair.expose_secret())).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_and_secret_are_encoded_before_they_are_joined() {
        let value = basic("a:b", &SecretString::from("c%+ä"));
        assert_eq!(value.expose_secret(), format!("Basic {}", STANDARD.encode("a%3Ab:c%25%2B%C3%A4")));
    }
}
