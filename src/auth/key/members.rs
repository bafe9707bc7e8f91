//! The members of a JWK (RFC 7517 §4), as they were published.

use serde_json::{Map, Value};

use super::number::octets;
use super::unfit::Unfit;
use crate::outbound::RawMembers;

/// The members of a JWK; `null` is absent.
#[derive(Debug)]
pub struct Members(Map<String, Value>);

impl Members {
    /// Reads each member. One that can't be read, such as a number that is too large, is there, and of no form that a key has.
    pub fn of(raw: &RawMembers) -> Self {
        let unreadable = || Value::Object(Map::new());
        let read = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| unreadable());
        Self(raw.iter().map(|(name, value)| (name.to_owned(), read(value.get()))).collect())
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub fn text(&self, name: &str, problem: &'static str) -> Result<Option<&str>, Unfit> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => value.as_str().map(Some).ok_or(Unfit::Defective(problem)),
        }
    }

    pub fn octets(&self, name: &str) -> Result<Option<Vec<u8>>, Unfit> {
        let Some(text) = self.text(name, "one of its numbers is no text")? else { return Ok(None) };
        octets(text).map(Some).ok_or(Unfit::Defective("one of its numbers is no base64url"))
    }
}
