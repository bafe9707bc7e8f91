//! An OAuth2 issuer: discovery, JWKS, token and introspection endpoints, and tokens of any shape for tests.

mod endpoints;
mod key;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderValue, Request, header};
use jiff::Timestamp;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use url::Url;

use super::{Answer, Listening};
use crate::clock::{Clock as _, SystemClock};
pub use endpoints::Form;
pub use key::SigningKey;

/// The audience of tokens for the service.
pub const AUDIENCE: &str = "purchase-order-webhook";

/// Every scope that the service knows.
pub const SCOPES: &str = "purchase-orders.write purchase-orders.read purchase-orders.operate";

/// The clients and their secrets: SRM, the service itself on its way to 11VMS, and one whose names have to be encoded.
pub const CLIENTS: [(&str, &str); 3] =
    [("srm7", "srm7-secret"), ("purchase-order-webhook", "webhook-secret"), ("odd:b%+ä", "s&cret=%ü+")];

/// Seconds that a token of the token endpoint lives.
const LIFETIME: i64 = 3600;

/// How the issuer behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// As it should.
    Well,
    /// Every request gets 503.
    Down,
    /// Every request gets 429 with a Retry-After of a minute, as XSUAA throttles.
    Throttling,
}

struct State {
    keys: Vec<SigningKey>,
    extra_keys: Vec<Value>,
    mood: Mood,
    latency: Duration,
    issued: BTreeSet<String>,
    opaque: BTreeMap<String, Value>,
    assertion_key: Option<Value>,
    instance_url: Option<String>,
    last_form: Option<Form>,
    jwks_requests: usize,
    token_requests: usize,
    introspection_requests: usize,
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
            keys: vec![SigningKey::generate(Algorithm::RS256, "key-1")?],
            extra_keys: Vec::new(),
            mood: Mood::Well,
            latency: Duration::ZERO,
            issued: BTreeSet::new(),
            opaque: BTreeMap::new(),
            assertion_key: None,
            instance_url: None,
            last_form: None,
            jwks_requests: 0,
            token_requests: 0,
            introspection_requests: 0,
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
        state.keys = vec![SigningKey::generate(Algorithm::RS256, &kid)?];
        Ok(())
    }

    /// Replaces the signing key under its name; the old one is no longer published.
    ///
    /// # Errors
    /// If no key can be made.
    pub fn replace_key(&self) -> io::Result<()> {
        let key = SigningKey::generate(Algorithm::RS256, &self.kid())?;
        self.state().keys = vec![key];
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

    /// How often the key set was asked for.
    pub fn jwks_requests(&self) -> usize {
        self.state().jwks_requests
    }

    /// How often a token was asked for.
    pub fn token_requests(&self) -> usize {
        self.state().token_requests
    }

    /// What was last sent to its token or introspection endpoint.
    pub fn last_form(&self) -> Option<Form> {
        self.state().last_form.clone()
    }

    /// How often it was asked about a token.
    pub fn introspection_requests(&self) -> usize {
        self.state().introspection_requests
    }

    /// Its introspection endpoint.
    pub fn introspection_url(&self) -> Url {
        let mut url = self.server.url.clone();
        url.set_path("/introspect");
        url
    }

    /// Says this of a token that is no JWT; `active` is added where it is missing.
    pub fn say_of(&self, token: &str, said: Value) {
        self.state().opaque.insert(token.to_owned(), said);
    }

    /// Takes assertions about users that this key has signed.
    pub fn trust_assertions_of(&self, jwk: Value) {
        self.state().assertion_key = Some(jwk);
    }

    /// Names an instance in every answer of its token endpoint, and no lifetime.
    pub fn set_instance_url(&self, url: &str) {
        self.state().instance_url = Some(url.to_owned());
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
        self.claims_at(SystemClock.now())
    }

    /// The same, issued at another time.
    pub fn claims_at(&self, now: Timestamp) -> Value {
        let now = now.as_second();
        json!({ "iss": self.url(), "aud": AUDIENCE, "sub": "srm7", "client_id": "srm7", "scope": SCOPES, "iat": now, "exp": now + LIFETIME })
    }

    /// A good token for the service.
    pub fn token(&self) -> String {
        // The key once: it may be rotated in this moment.
        let signed = |key: SigningKey| {
            key.sign(Algorithm::RS256, &json!({ "alg": "RS256", "typ": "at+jwt", "kid": key.kid }), &self.claims())
        };
        self.key().map(signed).unwrap_or_default()
    }

    /// The `kid` of the current key.
    pub fn kid(&self) -> String {
        self.state().keys.first().map(|key| key.kid.clone()).unwrap_or_default()
    }

    /// The current key itself.
    pub fn key(&self) -> Option<SigningKey> {
        self.state().keys.first().cloned()
    }

    /// Any header and any claims, signed RS256 with the current key.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        self.key().map(|key| key.sign(Algorithm::RS256, header, claims)).unwrap_or_default()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(state: &Mutex<State>, request: &Request<Bytes>) -> Answer {
    let mut state = lock(state);
    match state.mood {
        Mood::Well => {}
        Mood::Down => return super::text(503, "text/plain", "down".to_owned()),
        Mood::Throttling => {
            state.jwks_requests += usize::from(request.uri().path() == "/jwks");
            let mut answer = super::text(429, "text/plain", "too often".to_owned());
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
            return answer;
        }
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
        "/token" => endpoints::token(&mut state, request),
        "/introspect" => endpoints::introspect(&mut state, request),
        _ => super::text(404, "text/plain", "no such path".to_owned()),
    }
}
