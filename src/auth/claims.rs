//! The claims of a token (RFC 7519 §4, RFC 9068 §2.2, RFC 7662 §2.2), read in the forms in which SAP's and others'
//! servers write them. Judges nothing.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::AuthError;
use super::thumbprint::Thumbprint;

/// What a token is bound to (RFC 7800, `cnf`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Binding {
    /// Nothing: it is valid for any bearer.
    None,
    /// A client certificate (RFC 8705 §3.1).
    Certificate(Thumbprint),
    /// Something that can't be checked here, such as a DPoP key (RFC 9449 §7.2: never accepted as a bearer token).
    Other,
}

/// The claims of one token. Of a name that occurs twice, the last counts (RFC 7519 §4).
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Claims(Map<String, Value>);

impl Claims {
    /// A claim in any form.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Whether a claim is present, even as `null`.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether a claim is absent, `null` or an empty list.
    pub fn is_absent_or_empty(&self, name: &str) -> bool {
        self.get(name).is_none_or(|value| value.is_null() || value.as_array().is_some_and(Vec::is_empty))
    }

    /// A claim that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// A claim that is one text or a list of texts.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        match self.get(name) {
            Some(Value::String(text)) => vec![text],
            _ => self.list(name),
        }
    }

    /// The texts in a claim that is a list.
    pub fn list(&self, name: &str) -> Vec<&str> {
        let list = self.get(name).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// The scopes in a claim: one text in RFC 9068, a list in XSUAA's tokens.
    pub fn scopes(&self, claim: &str) -> Vec<&str> {
        match self.get(claim) {
            Some(Value::String(text)) => text.split_ascii_whitespace().collect(),
            _ => self.list(claim),
        }
    }

    /// The client that the token was issued to. Not `sub`: a user could have a client's name (RFC 9068 §5).
    pub fn client_id(&self) -> Option<&str> {
        ["client_id", "azp", "cid"].iter().find_map(|name| self.text(name))
    }

    /// What the token is bound to.
    pub fn binding(&self) -> Binding {
        let Some(confirmation) = self.get("cnf").filter(|confirmation| !confirmation.is_null()) else {
            return Binding::None;
        };
        let thumbprint = confirmation.get("x5t#S256").and_then(Value::as_str).and_then(Thumbprint::parse);
        // A token that is bound in two ways needs both proofs.
        let only_one = confirmation.as_object().is_some_and(|members| members.len() == 1);
        thumbprint.filter(|_| only_one).map_or(Binding::Other, Binding::Certificate)
    }

    /// A claim that is a NumericDate (RFC 7519 §2), which may have a fraction.
    ///
    /// # Errors
    /// [`AuthError::Invalid`] if it is present and no such time.
    pub fn numeric_date(&self, name: &str) -> Result<Option<Timestamp>, AuthError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let time = match (value.as_i64(), value.as_f64()) {
            (Some(seconds), _) => Timestamp::from_second(seconds).ok(),
            (None, Some(seconds)) => {
                SignedDuration::try_from_secs_f64(seconds).ok().and_then(|since| Timestamp::from_duration(since).ok())
            }
            (None, None) => None,
        };
        time.map(Some).ok_or(AuthError::Invalid("one of the token's times (exp, nbf, iat) can't be read"))
    }
}
