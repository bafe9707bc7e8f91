//! The token endpoint and the introspection endpoint.

use axum::body::Bytes;
use axum::http::{Request, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};

use super::{CLIENTS, LIFETIME, State};
use crate::sandbox::{Answer, json as answer};

/// What a client has sent, and how it has said who it is.
#[derive(Debug, Clone)]
pub struct Form {
    fields: Vec<(String, String)>,
    /// Id and secret of `Authorization: Basic`, decoded (RFC 6749 §2.3.1).
    pub basic: Option<(String, String)>,
}

impl Form {
    fn of(request: &Request<Bytes>) -> Self {
        Self { fields: url::form_urlencoded::parse(request.body()).into_owned().collect(), basic: basic(request) }
    }

    /// A field; empty if it is not there.
    pub fn get(&self, name: &str) -> String {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// The claims of the JWT in a field.
    pub fn claims(&self, name: &str) -> Value {
        part(&self.get(name), 1)
    }

    /// The header of the JWT in a field.
    pub fn header(&self, name: &str) -> Value {
        part(&self.get(name), 0)
    }

    fn is_of_a_client(&self) -> bool {
        let (client, secret) = self.basic.clone().unwrap_or_else(|| (self.get("client_id"), self.get("client_secret")));
        CLIENTS.contains(&(client.as_str(), secret.as_str()))
    }
}

/// A part of a JWT.
fn part(token: &str, at: usize) -> Value {
    let bytes = token.split('.').nth(at).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// Client credentials (RFC 6749 §4.4), with the client's secret in the header or in the body; and assertions about a user
/// (RFC 7523 §2.1) that a key signed which the issuer knows.
pub fn token(state: &mut State, request: &Request<Bytes>) -> Answer {
    state.token_requests += 1;
    let form = Form::of(request);
    state.last_form = Some(form.clone());
    let refusal = match form.get("grant_type").as_str() {
        "client_credentials" => (!form.is_of_a_client()).then_some((401, "invalid_client")),
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => {
            (!is_assertion(state, &form.get("assertion"))).then_some((400, "invalid_grant"))
        }
        _ => Some((400, "unsupported_grant_type")),
    };
    if let Some((status, error)) = refusal {
        // As some servers do, it repeats what was sent: nobody may show that.
        let said = String::from_utf8_lossy(request.body());
        return answer(status, &json!({ "error": error, "error_description": said }));
    }
    let token = uuid::Uuid::new_v4().to_string();
    state.issued.insert(token.clone());
    // Salesforce gives no lifetime.
    match &state.instance_url {
        Some(instance) => {
            answer(200, &json!({ "access_token": token, "token_type": "Bearer", "instance_url": instance }))
        }
        None => answer(200, &json!({ "access_token": token, "token_type": "Bearer", "expires_in": LIFETIME })),
    }
}

/// RFC 7662 §2.2; what a token says was told when it was made.
pub fn introspect(state: &mut State, request: &Request<Bytes>) -> Answer {
    state.introspection_requests += 1;
    let form = Form::of(request);
    state.last_form = Some(form.clone());
    if !form.is_of_a_client() {
        return answer(401, &json!({ "error": "invalid_client" }));
    }
    let mut said = state.opaque.get(&form.get("token")).cloned().unwrap_or_else(|| json!({ "active": false }));
    if let Some(members) = said.as_object_mut() {
        members.entry("active").or_insert(json!(true));
    }
    answer(200, &said)
}

fn basic(request: &Request<Bytes>) -> Option<(String, String)> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
    let (client, secret) = text.split_once(':')?;
    let decoded = |text: &str| url::form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned());
    Some((decoded(client)?, decoded(secret)?))
}

/// Whether a known key has signed it, and it says what RFC 7523 §3 wants.
fn is_assertion(state: &State, assertion: &str) -> bool {
    let Some(jwk) = state.assertion_key.as_ref().and_then(|jwk| serde_json::from_value::<Jwk>(jwk.clone()).ok()) else {
        return false;
    };
    let header = part(assertion, 0);
    let algorithm = header.get("alg").and_then(Value::as_str).and_then(|name| name.parse::<Algorithm>().ok());
    let (Some(algorithm), Ok(key)) = (algorithm, DecodingKey::from_jwk(&jwk)) else { return false };
    let mut validation = Validation::new(algorithm);
    validation.set_required_spec_claims(&["exp", "iss", "sub", "aud"]);
    // Whom it is for, a test may look at: `last_form`.
    validation.validate_aud = false;
    jsonwebtoken::decode::<Value>(assertion, &key, &validation).is_ok()
}
