//! The members of a JWK (RFC 7517 §4), as they were published.

use serde_json::{Map, Value};

use super::number::octets;
use super::unfit::Unfit;

/// The members of a JWK; `null` is absent.
#[derive(Debug)]
pub struct Members<'j>(pub &'j Map<String, Value>);

impl<'j> Members<'j> {
    pub fn get(&self, name: &str) -> Option<&'j Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub fn text(&self, name: &str, problem: &'static str) -> Result<Option<&'j str>, Unfit> {
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
