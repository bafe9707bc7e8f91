//! The state of an issuer: keys, tokens, counters, and how it behaves.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jsonwebtoken::Algorithm;
use serde_json::Value;

use super::form::Form;
use super::key::SigningKey;

/// Seconds until a token of the issuer expires.
pub const TOKEN_LIFETIME: i64 = 3600;

/// How the issuer behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// It answers.
    Normal,
    /// Every request gets 503.
    Unavailable,
    /// Every request gets 429 with a Retry-After of a minute, as XSUAA throttles.
    Throttling,
}

/// Keys, tokens and counters of one issuer.
pub struct State {
    /// The issuer's identifier; empty until its address is known.
    pub url: String,
    pub keys: Vec<SigningKey>,
    pub extra_keys: Vec<Value>,
    pub behaviour: Behaviour,
    pub latency: Duration,
    /// Tokens of the token endpoint.
    pub issued: BTreeSet<String>,
    /// Introspection responses by token.
    pub opaque: BTreeMap<String, Value>,
    /// The key that has to sign assertions.
    pub assertion_key: Option<Value>,
    pub instance_url: Option<String>,
    pub last_form: Option<Form>,
    pub rotations: usize,
    pub jwks_requests: usize,
    pub token_requests: usize,
    pub introspection_requests: usize,
}

impl State {
    pub const fn new(keys: Vec<SigningKey>) -> Self {
        Self {
            url: String::new(),
            keys,
            extra_keys: Vec::new(),
            behaviour: Behaviour::Normal,
            latency: Duration::ZERO,
            issued: BTreeSet::new(),
            opaque: BTreeMap::new(),
            assertion_key: None,
            instance_url: None,
            last_form: None,
            rotations: 0,
            jwks_requests: 0,
            token_requests: 0,
            introspection_requests: 0,
        }
    }

    /// A new key with a `kid` of its own, which is not published yet.
    ///
    /// # Errors
    /// If no key can be generated.
    pub fn next_key(&mut self) -> io::Result<SigningKey> {
        self.rotations += 1;
        SigningKey::generate(Algorithm::RS256, &format!("key-{}", self.rotations + 1))
    }
}

/// Locks the state; a panic in another request leaves it usable.
pub fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
