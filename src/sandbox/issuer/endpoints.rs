//! The issuer's endpoints: discovery, keys, tokens, introspection.

use std::sync::Mutex;

use axum::body::Bytes;
use axum::http::{HeaderValue, Method, Request, StatusCode, header};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};

use super::caller_token;
use super::form::{CALLER, Form, jwt_part};
use super::state::{Behaviour, State, TOKEN_LIFETIME, lock};
use crate::sandbox::http::{Answer, json_answer, text_answer};

/// Answers one request.
pub fn answer(state: &Mutex<State>, request: &Request<Bytes>) -> Answer {
    let mut state = lock(state);
    match state.behaviour {
        Behaviour::Normal => {}
        Behaviour::Unavailable => return text_answer(503, "text/plain", "down".to_owned()),
        Behaviour::Throttling => {
            state.jwks_requests += usize::from(request.uri().path() == "/jwks");
            let mut answer = text_answer(429, "text/plain", "too often".to_owned());
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
            return answer;
        }
    }
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let issuer = format!("http://{host}");
    match request.uri().path() {
        "/.well-known/openid-configuration" => json_answer(
            200,
            &json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/jwks"), "token_endpoint": format!("{issuer}/token") }),
        ),
        "/jwks" => {
            state.jwks_requests += 1;
            let keys: Vec<Value> =
                state.extra_keys.iter().cloned().chain(state.keys.iter().map(|key| key.jwk.clone())).collect();
            json_answer(200, &json!({ "keys": keys }))
        }
        "/token" if request.method() == Method::OPTIONS => with_cors(no_content()),
        "/token" => with_cors(token(&mut state, request)),
        "/introspect" => introspect(&mut state, request),
        _ => text_answer(404, "text/plain", "no such path".to_owned()),
    }
}

/// What a page of another origin needs to ask for a token: the docs page of a service is one (Fetch standard, CORS protocol).
fn with_cors(mut answer: Answer) -> Answer {
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "POST"),
        // Swagger UI sends the last one.
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, x-requested-with"),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ] {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}

fn no_content() -> Answer {
    let mut answer = Answer::default();
    *answer.status_mut() = StatusCode::NO_CONTENT;
    answer
}

/// Client credentials (RFC 6749 §4.4), with the client's secret in the header or in the body; and assertions about a user
/// (RFC 7523 §2.1) that a known key has signed. The caller of the service gets a JWT for it, other clients one for 11VMS.
fn token(state: &mut State, request: &Request<Bytes>) -> Answer {
    state.token_requests += 1;
    let form = Form::of(request);
    state.last_form = Some(form.clone());
    let refusal = match form.get("grant_type").as_str() {
        "client_credentials" => (!form.is_authenticated()).then_some((401, "invalid_client")),
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => {
            (!is_assertion(state, &form.get("assertion"))).then_some((400, "invalid_grant"))
        }
        _ => Some((400, "unsupported_grant_type")),
    };
    if let Some((status, error)) = refusal {
        // As some servers do, it repeats the request: the service must not log that.
        let request = String::from_utf8_lossy(request.body());
        return json_answer(status, &json!({ "error": error, "error_description": request }));
    }
    if form.client() == Some(CALLER.0) {
        return caller_token::answer(state, &form);
    }
    let token = uuid::Uuid::new_v4().to_string();
    state.issued.insert(token.clone());
    // Salesforce's answers have no lifetime.
    match &state.instance_url {
        Some(instance) => {
            json_answer(200, &json!({ "access_token": token, "token_type": "Bearer", "instance_url": instance }))
        }
        None => {
            json_answer(200, &json!({ "access_token": token, "token_type": "Bearer", "expires_in": TOKEN_LIFETIME }))
        }
    }
}

/// RFC 7662 §2.2; the answers are those of `set_introspection`.
fn introspect(state: &mut State, request: &Request<Bytes>) -> Answer {
    state.introspection_requests += 1;
    let form = Form::of(request);
    state.last_form = Some(form.clone());
    if !form.is_authenticated() {
        return json_answer(401, &json!({ "error": "invalid_client" }));
    }
    let mut response = state.opaque.get(&form.get("token")).cloned().unwrap_or_else(|| json!({ "active": false }));
    if let Some(members) = response.as_object_mut() {
        members.entry("active").or_insert(json!(true));
    }
    json_answer(200, &response)
}

/// Whether the known key has signed it, and it has the claims of RFC 7523 §3.
fn is_assertion(state: &State, assertion: &str) -> bool {
    let Some(jwk) = state.assertion_key.as_ref().and_then(|jwk| serde_json::from_value::<Jwk>(jwk.clone()).ok()) else {
        return false;
    };
    let header = jwt_part(assertion, 0);
    let algorithm = header.get("alg").and_then(Value::as_str).and_then(|name| name.parse::<Algorithm>().ok());
    let (Some(algorithm), Ok(key)) = (algorithm, DecodingKey::from_jwk(&jwk)) else { return false };
    let mut validation = Validation::new(algorithm);
    validation.set_required_spec_claims(&["exp", "iss", "sub", "aud"]);
    // A test checks the audience by `last_form`.
    validation.validate_aud = false;
    jsonwebtoken::decode::<Value>(assertion, &key, &validation).is_ok()
}
