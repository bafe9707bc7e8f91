//! The form of a request to the token or the introspection endpoint, and its client.

use axum::body::Bytes;
use axum::http::{Request, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

/// The client that calls the service, and its secret: SRM, or a developer in its place. It gets tokens for the service.
pub const CALLER: (&str, &str) = ("srm7", "srm7-secret");

/// The clients and their secrets: SRM, the service itself on its way to 11VMS, and one whose names have to be encoded.
pub const CLIENTS: [(&str, &str); 3] =
    [CALLER, ("purchase-order-webhook", "webhook-secret"), ("odd:b%+ä", "s&cret=%ü+")];

/// The form of a request, and how its client authenticated.
#[derive(Debug, Clone)]
pub struct Form {
    fields: Vec<(String, String)>,
    /// Id and secret of `Authorization: Basic`, decoded (RFC 6749 §2.3.1).
    pub basic: Option<(String, String)>,
}

impl Form {
    /// Reads a request.
    pub fn of(request: &Request<Bytes>) -> Self {
        Self { fields: url::form_urlencoded::parse(request.body()).into_owned().collect(), basic: basic(request) }
    }

    /// A field; empty if it is missing.
    pub fn get(&self, name: &str) -> String {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// The claims of the JWT in a field.
    pub fn claims(&self, name: &str) -> Value {
        jwt_part(&self.get(name), 1)
    }

    /// The header of the JWT in a field.
    pub fn header(&self, name: &str) -> Value {
        jwt_part(&self.get(name), 0)
    }

    /// Whether id and secret are those of a known client.
    pub fn is_authenticated(&self) -> bool {
        self.client().is_some()
    }

    /// The known client whose id and secret these are, in the header or in the body.
    pub fn client(&self) -> Option<&'static str> {
        let (client, secret) = self.basic.clone().unwrap_or_else(|| (self.get("client_id"), self.get("client_secret")));
        CLIENTS.iter().find(|known| **known == (client.as_str(), secret.as_str())).map(|(id, _)| *id)
    }
}

/// A part of a JWT: 0 is the header, 1 the claims.
pub fn jwt_part(token: &str, at: usize) -> Value {
    let bytes = token.split('.').nth(at).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

fn basic(request: &Request<Bytes>) -> Option<(String, String)> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
    let (client, secret) = text.split_once(':')?;
    let decoded = |text: &str| url::form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned());
    Some((decoded(client)?, decoded(secret)?))
}
