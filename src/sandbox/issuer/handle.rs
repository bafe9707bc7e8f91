//! The handle of a running issuer: keys and behaviour in, counters out.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use jsonwebtoken::Algorithm;
use serde_json::Value;
use url::Url;

use super::endpoints::answer;
use super::form::Form;
use super::key::SigningKey;
use super::state::{Behaviour, State, lock};
use crate::sandbox::local_server::LocalServer;

/// An issuer on 127.0.0.1 that lives as long as this handle.
#[derive(Clone)]
pub struct Issuer {
    server: Arc<LocalServer>,
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
    /// If no port can be bound, or no key generated.
    pub async fn start() -> io::Result<Self> {
        let state = State::new(vec![SigningKey::generate(Algorithm::RS256, "key-1")?]);
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let server = LocalServer::start(move |request| {
            let state = Arc::clone(&shared);
            async move {
                let latency = lock(&state).latency;
                tokio::time::sleep(latency).await;
                Ok(answer(&state, &request))
            }
        })
        .await?;
        let issuer = Self { server: Arc::new(server), state };
        issuer.lock().url = issuer.url();
        Ok(issuer)
    }

    /// The issuer's identifier.
    pub fn url(&self) -> String {
        self.server.url.as_str().trim_end_matches('/').to_owned()
    }

    /// The token endpoint.
    pub fn token_url(&self) -> Url {
        let mut url = self.server.url.clone();
        url.set_path("/token");
        url
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Replaces the signing key; the old one is no longer published.
    ///
    /// # Errors
    /// If no key can be generated.
    pub fn rotate(&self) -> io::Result<()> {
        let mut state = self.lock();
        state.keys = vec![state.next_key()?];
        Ok(())
    }

    /// Replaces the signing key; the old one stays published, for as long as its tokens live.
    ///
    /// # Errors
    /// If no key can be generated.
    pub fn rotate_with_overlap(&self) -> io::Result<()> {
        let mut state = self.lock();
        let key = state.next_key()?;
        state.keys.insert(0, key);
        Ok(())
    }

    /// Replaces the signing key and keeps its `kid`; the old key is no longer published.
    ///
    /// # Errors
    /// If no key can be generated.
    pub fn replace_key(&self) -> io::Result<()> {
        let key = SigningKey::generate(Algorithm::RS256, &self.kid())?;
        self.lock().keys = vec![key];
        Ok(())
    }

    /// Publishes a further JWK of any form.
    pub fn publish(&self, jwk: Value) {
        self.lock().extra_keys.push(jwk);
    }

    /// Changes how the issuer behaves.
    pub fn set_behaviour(&self, behaviour: Behaviour) {
        self.lock().behaviour = behaviour;
    }

    /// Delays every answer by this.
    pub fn set_latency(&self, latency: Duration) {
        self.lock().latency = latency;
    }

    /// The current public key.
    pub fn jwk(&self) -> Value {
        self.lock().keys.first().map(|key| key.jwk.clone()).unwrap_or_default()
    }

    /// Number of requests for the key set.
    pub fn jwks_requests(&self) -> usize {
        self.lock().jwks_requests
    }

    /// Number of requests for a token.
    pub fn token_requests(&self) -> usize {
        self.lock().token_requests
    }

    /// The last request to the token or introspection endpoint.
    pub fn last_form(&self) -> Option<Form> {
        self.lock().last_form.clone()
    }

    /// Number of requests for introspection.
    pub fn introspection_requests(&self) -> usize {
        self.lock().introspection_requests
    }

    /// The introspection endpoint.
    pub fn introspection_url(&self) -> Url {
        let mut url = self.server.url.clone();
        url.set_path("/introspect");
        url
    }

    /// Sets the introspection response for a token that is no JWT; `active: true` is added where it is missing.
    pub fn set_introspection(&self, token: &str, response: Value) {
        self.lock().opaque.insert(token.to_owned(), response);
    }

    /// Accepts assertions about users that this key has signed.
    pub fn trust_assertion_key(&self, jwk: Value) {
        self.lock().assertion_key = Some(jwk);
    }

    /// Adds an instance to every token answer, and leaves the lifetime out, as Salesforce does.
    pub fn set_instance_url(&self, url: &str) {
        self.lock().instance_url = Some(url.to_owned());
    }

    /// Whether the token endpoint issued this token.
    pub fn has_issued(&self, token: &str) -> bool {
        self.lock().issued.contains(token)
    }

    /// Forgets every issued token: 11VMS then answers 401.
    pub fn revoke_all(&self) {
        self.lock().issued.clear();
    }
}
