//! An OAuth2 issuer: discovery, JWKS, client credentials, and tokens of any shape for tests.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use axum::body::Bytes;
use axum::http::{Request, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use url::Url;

use super::{Answer, Listening};
use crate::clock::{Clock as _, SystemClock};

/// The audience of tokens for the service.
pub const AUDIENCE: &str = "purchase-order-webhook";

/// Every scope that the service knows.
pub const SCOPES: &str = "purchase-orders.write purchase-orders.read purchase-orders.operate";

/// The clients and their secrets: SRM, and the service itself on its way to 11VMS.
pub const CLIENTS: [(&str, &str); 2] = [("srm7", "srm7-secret"), ("purchase-order-webhook", "webhook-secret")];

/// Seconds that a token of the token endpoint lives.
const LIFETIME: i64 = 3600;

/// A signing key.
#[derive(Clone)]
struct SigningKey {
    kid: String,
    key: EncodingKey,
    jwk: Value,
}

/// How the issuer behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// As it should.
    Well,
    /// Every request gets 503.
    Down,
}

struct State {
    keys: Vec<SigningKey>,
    extra_keys: Vec<Value>,
    mood: Mood,
    latency: Duration,
    issued: BTreeSet<String>,
    jwks_requests: usize,
    token_requests: usize,
}

/// An issuer on 127.0.0.1 that lives as long as this handle.
#[derive(Clone)]
pub struct Issuer {
    server: Arc<Listening>,
    state: Arc<Mutex<State>>,
}

impl std::fmt::Debug for Issuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issuer").field("url", &self.server.url).finish_non_exhaustive()
    }
}

impl Issuer {
    /// Starts an issuer with one RSA key of 2048 bits.
    ///
    /// # Errors
    /// If no port or no key can be had.
    pub async fn start() -> io::Result<Self> {
        let state = State {
            keys: vec![rsa_key("key-1")?],
            extra_keys: Vec::new(),
            mood: Mood::Well,
            latency: Duration::ZERO,
            issued: BTreeSet::new(),
            jwks_requests: 0,
            token_requests: 0,
        };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let server = super::listen(move |request| {
            let state = Arc::clone(&shared);
            async move {
                let latency = lock(&state).latency;
                tokio::time::sleep(latency).await;
                Ok(answer(&state, &request))
            }
        })
        .await?;
        Ok(Self { server: Arc::new(server), state })
    }

    /// The issuer's identifier.
    pub fn url(&self) -> String {
        self.server.url.as_str().trim_end_matches('/').to_owned()
    }

    /// Its token endpoint.
    pub fn token_url(&self) -> Url {
        let mut url = self.server.url.clone();
        url.set_path("/token");
        url
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Replaces the signing key; the old one is no longer published.
    ///
    /// # Errors
    /// If no key can be made.
    pub fn rotate(&self) -> io::Result<()> {
        let mut state = self.state();
        let kid = format!("key-{}", state.token_requests + state.jwks_requests + 2);
        state.keys = vec![rsa_key(&kid)?];
        Ok(())
    }

    /// Publishes a further JWK, whatever it is.
    pub fn publish(&self, jwk: Value) {
        self.state().extra_keys.push(jwk);
    }

    /// Changes how it behaves.
    pub fn set_mood(&self, mood: Mood) {
        self.state().mood = mood;
    }

    /// Every request takes this long.
    pub fn set_latency(&self, latency: Duration) {
        self.state().latency = latency;
    }

    /// The current public key.
    pub fn jwk(&self) -> Value {
        self.state().keys.first().map(|key| key.jwk.clone()).unwrap_or_default()
    }

    /// HS256 with the public key as the secret: what a verifier that trusts `alg` would take.
    pub fn sign_with_public_key(&self, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&json!({ "alg": "HS256", "kid": self.kid() })), part(claims));
        let modulus = self.jwk().get("n").and_then(Value::as_str).map(str::to_owned).unwrap_or_default();
        let key = EncodingKey::from_secret(&URL_SAFE_NO_PAD.decode(modulus).unwrap_or_default());
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256);
        format!("{message}.{}", signature.unwrap_or_default())
    }

    /// How often the key set was asked for.
    pub fn jwks_requests(&self) -> usize {
        self.state().jwks_requests
    }

    /// How often a token was asked for.
    pub fn token_requests(&self) -> usize {
        self.state().token_requests
    }

    /// Whether it issued this token at its token endpoint.
    pub fn knows(&self, token: &str) -> bool {
        self.state().issued.contains(token)
    }

    /// Forgets every token that it issued: 11VMS then answers 401.
    pub fn revoke_all(&self) {
        self.state().issued.clear();
    }

    /// The claims of a good token for the service, to be changed at will.
    pub fn claims(&self) -> Value {
        let now = SystemClock.now().as_second();
        json!({ "iss": self.url(), "aud": AUDIENCE, "sub": "srm7", "client_id": "srm7", "scope": SCOPES, "iat": now, "exp": now + LIFETIME })
    }

    /// A good token for the service.
    pub fn token(&self) -> String {
        self.sign(&json!({ "alg": "RS256", "typ": "at+jwt", "kid": self.kid() }), &self.claims())
    }

    /// The `kid` of the current key.
    pub fn kid(&self) -> String {
        self.state().keys.first().map(|key| key.kid.clone()).unwrap_or_default()
    }

    /// Any header and any claims, signed RS256 with the current key.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_with(Algorithm::RS256, header, claims)
    }

    /// The same with another algorithm for RSA keys.
    pub fn sign_with(&self, algorithm: Algorithm, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let key = self.state().keys.first().map(|key| key.key.clone());
        let signature = key.and_then(|key| jsonwebtoken::crypto::sign(message.as_bytes(), &key, algorithm).ok());
        format!("{message}.{}", signature.unwrap_or_default())
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(state: &Mutex<State>, request: &Request<Bytes>) -> Answer {
    let mut state = lock(state);
    if state.mood == Mood::Down {
        return super::text(503, "text/plain", "down".to_owned());
    }
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let issuer = format!("http://{host}");
    match request.uri().path() {
        "/.well-known/openid-configuration" => super::json(
            200,
            &json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/jwks"), "token_endpoint": format!("{issuer}/token") }),
        ),
        "/jwks" => {
            state.jwks_requests += 1;
            let keys: Vec<Value> =
                state.extra_keys.iter().cloned().chain(state.keys.iter().map(|key| key.jwk.clone())).collect();
            super::json(200, &json!({ "keys": keys }))
        }
        "/token" => issue(&mut state, request),
        _ => super::text(404, "text/plain", "no such path".to_owned()),
    }
}

/// Client credentials (RFC 6749 §4.4), with the client's secret in the header or in the body.
fn issue(state: &mut State, request: &Request<Bytes>) -> Answer {
    state.token_requests += 1;
    let form: Vec<(String, String)> = url::form_urlencoded::parse(request.body()).into_owned().collect();
    let parameter = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let (client, secret) = basic(request).unwrap_or_else(|| {
        (parameter("client_id").unwrap_or_default(), parameter("client_secret").unwrap_or_default())
    });
    if !CLIENTS.contains(&(client.as_str(), secret.as_str())) {
        return super::json(401, &json!({ "error": "invalid_client" }));
    }
    if parameter("grant_type").as_deref() != Some("client_credentials") {
        return super::json(400, &json!({ "error": "unsupported_grant_type" }));
    }
    let token = uuid::Uuid::new_v4().to_string();
    state.issued.insert(token.clone());
    super::json(200, &json!({ "access_token": token, "token_type": "Bearer", "expires_in": LIFETIME }))
}

fn basic(request: &Request<Bytes>) -> Option<(String, String)> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
    let (client, secret) = text.split_once(':')?;
    Some((client.to_owned(), secret.to_owned()))
}

fn rsa_key(kid: &str) -> io::Result<SigningKey> {
    let der = KeyPair::generate(KeySize::Rsa2048).and_then(|pair| pair.as_der()).map_err(io::Error::other)?;
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der.as_ref()));
    let key = EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(io::Error::other)?;
    let jwk = Jwk::from_encoding_key(&key, Algorithm::RS256).map_err(io::Error::other)?;
    let mut jwk = serde_json::to_value(&jwk).map_err(io::Error::other)?;
    if let Some(members) = jwk.as_object_mut() {
        members.insert("kid".to_owned(), json!(kid));
        members.insert("use".to_owned(), json!("sig"));
    }
    Ok(SigningKey { kid: kid.to_owned(), key, jwk })
}
