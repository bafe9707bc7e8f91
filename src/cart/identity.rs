//! The identity of a cart: its GUID, or else its number.

use std::fmt;

use super::guid::guid;
use super::sections::Cart;
use super::value::{is_initial, without_leading_zeros};
use crate::message::{Message, MessageCode, quoted};

/// A cart number is CHAR10 (BBP_PDS_SC_HEADER_D-OBJECT_ID).
const CART_NUMBER_CHARS: usize = 10;

/// A cart's identity: its GUID as 32 lower-case hex digits, else its cart number without leading zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CartId(String);

impl CartId {
    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<CartId> for String {
    fn from(id: CartId) -> Self {
        id.0
    }
}

impl fmt::Display for CartId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Cart {
    /// The cart number as sent (OBJECT_ID), empty if there is none.
    pub fn number(&self) -> &str {
        self.header.text("OBJECTID").unwrap_or_default()
    }

    /// The cart's identity: its GUID as 32 hex digits, else its cart number without leading zeros.
    ///
    /// # Errors
    /// A message naming GUID or OBJECT_ID if neither can serve.
    pub fn identity(&self) -> Result<CartId, Message> {
        if let Some(text) = self.header.text("GUID") {
            let guid = guid(text).ok_or_else(|| {
                let text = format!("HEADER.GUID is {}; expected 16 bytes as hex or base64", quoted(text));
                Message::new(MessageCode::Identity, text).at("HEADER", "GUID", 0)
            })?;
            if !is_initial(&guid) {
                return Ok(CartId(guid));
            }
        }
        let number = without_leading_zeros(self.number());
        let problem = if number.is_empty() {
            "HEADER.GUID and HEADER.OBJECT_ID are both missing or initial; one of them has to identify the cart".into()
        } else if number.chars().count() > CART_NUMBER_CHARS
            || !number.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/'))
        {
            format!("HEADER.OBJECT_ID is {}; expected at most 10 letters, digits, - _ /", quoted(number))
        } else {
            return Ok(CartId(number.to_owned()));
        };
        Err(Message::new(MessageCode::Identity, problem).at("HEADER", "OBJECT_ID", 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guid_identifies_a_cart_or_else_its_number() {
        let identity = |header: &str| {
            Cart::parse(&format!("{{\"HEADER\":{header}}}")).unwrap().identity().map(String::from).map_err(|m| m.field)
        };
        assert_eq!(
            identity(r#"{"GUID":"AFBWogfIHtG/xraecvUFUA==","OBJECT_ID":"1"}"#).unwrap(),
            "005056a207c81ed1bfc6b69e72f50550"
        );
        assert_eq!(identity(r#"{"GUID":"","OBJECT_ID":"0000004711"}"#).unwrap(), "4711");
        assert_eq!(identity(r#"{"GUID":"AAAAAAAAAAAAAAAAAAAAAA==","OBJECT_ID":4711}"#).unwrap(), "4711");
        assert_eq!(identity(r#"{"GUID":"not one"}"#).unwrap_err(), "GUID");
        for number in ["", "0", "12345678901", "ÄÖ1", "47 11", "47\\n11", "..", "."] {
            assert_eq!(identity(&format!("{{\"OBJECT_ID\":\"{number}\"}}")).unwrap_err(), "OBJECT_ID", "{number}");
        }
    }
}
