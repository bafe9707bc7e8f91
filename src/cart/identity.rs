//! The identity of a cart: its GUID, or else its number.

use std::fmt;

use super::guid::{GuidBytes, guid_bytes};
use super::name::Name;
use super::sections::Cart;
use super::standard::STANDARD;
use super::value::{is_initial, without_leading_zeros};
use crate::digest::hex;
use crate::message::{Message, MessageCode, quoted};

/// A cart number is CHAR10 (BBP_PDS_SC_HEADER_D-OBJECT_ID).
const CART_NUMBER_CHARS: usize = 10;

/// A number that is longer is none that people know the cart by, be it that zeros were put before it, or that a GUID is the
/// cart's identity.
const LABEL_CHARS: usize = 32;

/// What is kept of a number: more than is taken, so that a longer one is not taken for another cart's.
pub(super) const KEPT_CHARS: usize = LABEL_CHARS * 2;

/// LOGSYS is CHAR10; a customer's own field may hold a host or a system with its client.
const SYSTEM_CHARS: usize = 32;

/// A cart's identity: its GUID as 32 lower-case hex digits, else its cart number without leading zeros, after the
/// system's name and a colon where the header names one.
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

impl Cart<'_> {
    /// The cart number as sent (OBJECT_ID), a whole number as its digits; empty if there is none. Of one that no cart has,
    /// the first 64 characters.
    pub fn number(&self) -> &str {
        &self.number
    }

    /// The cart's identity: its GUID as 32 hex digits, else its number without leading zeros. Where the header names the
    /// system that the cart comes from, in LOGSYS or else in `system_field`, the number is that system's:
    /// `SRMCLNT100:4711`.
    ///
    /// # Errors
    /// A message naming the field if neither can serve.
    pub fn identity(&self, system_field: Option<&Name>) -> Result<CartId, Message> {
        let header = self.header();
        let mistake =
            |field: &str, problem: String| Message::new(MessageCode::Identity, problem).at("HEADER", field, 0);
        let flag = |field: &Name| {
            mistake(field.spelling(), format!("HEADER.{field} is true; expected a text, and no boolean"))
        };
        if self.number().chars().count() > LABEL_CHARS {
            let problem = format!("HEADER.OBJECT_ID is {}; expected at most 32 characters", quoted(self.number()));
            return Err(mistake("OBJECT_ID", problem));
        }
        if header.is_flag(&STANDARD.guid) {
            return Err(flag(&STANDARD.guid));
        }
        if let Some(text) = header.text(&STANDARD.guid).filter(|text| !is_initial(text)) {
            let bytes = guid_bytes(&text).ok_or_else(|| {
                mistake("GUID", format!("HEADER.GUID is {}; expected 16 bytes as hex or base64", quoted(&text)))
            })?;
            if bytes != GuidBytes::default() {
                return Ok(CartId(hex(&bytes)));
            }
        }
        if header.is_flag(&STANDARD.object_id) {
            return Err(flag(&STANDARD.object_id));
        }
        let number = without_leading_zeros(self.number());
        if number.is_empty() {
            let problem =
                "HEADER.GUID and HEADER.OBJECT_ID are both missing or initial; one of them has to identify the cart";
            return Err(mistake("OBJECT_ID", problem.into()));
        }
        if !fits(number, CART_NUMBER_CHARS) {
            let problem = format!("HEADER.OBJECT_ID is {}; expected at most 10 letters, digits, - _ /", quoted(number));
            return Err(mistake("OBJECT_ID", problem));
        }
        let system_of = |field| header.text(field).map(|system| (field, system));
        let system = system_of(&STANDARD.logical_system).or_else(|| system_field.and_then(system_of));
        match system {
            None => Ok(CartId(number.to_owned())),
            Some((field, _)) if header.is_flag(field) => Err(flag(field)),
            Some((_, system)) if fits(&system, SYSTEM_CHARS) => Ok(CartId(format!("{system}:{number}"))),
            Some((field, system)) => {
                let (field, system) = (field.spelling(), quoted(&system));
                let problem = format!(
                    "HEADER.{field} is {system}; expected a system's name of at most 32 letters, digits, - _ /"
                );
                Err(mistake(field, problem))
            }
        }
    }
}

/// Whether a text can be a part of an id, which is a part of URLs too.
fn fits(text: &str, most: usize) -> bool {
    text.chars().count() <= most && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guid_identifies_a_cart_or_else_its_number() {
        let identity = |header: &str| {
            let json = format!("{{\"HEADER\":{header}}}");
            let field = Name::of("ZZ_SYSTEM");
            Cart::parse(&json).unwrap().identity(Some(&field)).map(String::from).map_err(|m| m.field)
        };
        assert_eq!(
            identity(r#"{"GUID":"AFBWogfIHtG/xraecvUFUA==","OBJECT_ID":"1"}"#).unwrap(),
            "005056a207c81ed1bfc6b69e72f50550"
        );
        assert_eq!(identity(r#"{"GUID":"","OBJECT_ID":"0000004711"}"#).unwrap(), "4711");
        assert_eq!(identity(r#"{"GUID":"AAAAAAAAAAAAAAAAAAAAAA==","OBJECT_ID":4711}"#).unwrap(), "4711");
        assert_eq!(identity(r#"{"GUID":"not one"}"#).unwrap_err(), "GUID");
        assert_eq!(identity(r#"{"OBJECT_ID":3.000000013E9}"#).unwrap(), "3000000013");
        assert_eq!(identity(r#"{"OBJECT_ID":4711.0,"GUID":0.0}"#).unwrap(), "4711");
        assert_eq!(identity(r#"{"OBJECT_ID":true}"#).unwrap_err(), "OBJECT_ID");
        assert_eq!(identity(r#"{"GUID":true,"OBJECT_ID":"1"}"#).unwrap_err(), "GUID");
        assert_eq!(identity(r#"{"LOGSYS":true,"OBJECT_ID":"1"}"#).unwrap_err(), "LOGSYS");
        assert_eq!(identity(r#"{"ZZ_SYSTEM":true,"OBJECT_ID":"1"}"#).unwrap_err(), "ZZ_SYSTEM");
        assert_eq!(identity(r#"{"GUID":false,"LOGSYS":false,"OBJECT_ID":"1"}"#).unwrap(), "1");
        assert_eq!(identity(r#"{"OBJECT_ID":4711.5}"#).unwrap_err(), "OBJECT_ID");
        assert_eq!(identity(r#"{"OBJECT_ID":"47\u000011"}"#).unwrap_err(), "OBJECT_ID");
        for number in ["", "0", "12345678901", "ÄÖ1", "47 11", "47\\n11", "..", "."] {
            assert_eq!(identity(&format!("{{\"OBJECT_ID\":\"{number}\"}}")).unwrap_err(), "OBJECT_ID", "{number}");
        }
    }

    #[test]
    fn a_long_number_is_not_cut_to_the_number_of_another_cart() {
        for (zeros, expected) in
            [(6, Some("4711")), (28, Some("4711")), (29, None), (60, None), (62, None), (900_000, None)]
        {
            for system in ["", r#","LOGSYS":"SRM""#] {
                let json = format!(r#"{{"HEADER":{{"OBJECT_ID":"{}4711"{system}}}}}"#, "0".repeat(zeros));
                let found =
                    Cart::parse(&json).unwrap().identity(None).map(String::from).map_err(|mistake| mistake.field);
                let prefix = if system.is_empty() { "" } else { "SRM:" };
                let expected = expected.map(|number| format!("{prefix}{number}")).ok_or("OBJECT_ID".to_owned());
                assert_eq!(found, expected, "{zeros} zeros");
            }
        }
    }

    #[test]
    fn beside_a_guid_a_number_is_a_label_that_has_a_limit() {
        let cart = |number: &str| {
            let json = format!(r#"{{"HEADER":{{"GUID":"005056a207c81ed1bfc6b69e72f50550","OBJECT_ID":"{number}"}}}}"#);
            let cart = Cart::parse(&json).unwrap();
            (cart.identity(None).map(String::from).map_err(|mistake| mistake.message), cart.number().to_owned())
        };
        for number in ["", "3000000001", "SC 3000000001 (copy)", &"ü".repeat(32)] {
            assert_eq!(cart(number), (Ok("005056a207c81ed1bfc6b69e72f50550".to_owned()), number.to_owned()));
        }
        for length in [33, 64, 65, 900_000] {
            let (identity, kept) = cart(&"ü".repeat(length));
            let mistake = identity.unwrap_err();
            assert!(mistake.starts_with("HEADER.OBJECT_ID is ") && mistake.len() < 300, "{mistake}");
            assert_eq!(kept, "ü".repeat(length.min(64)));
        }
    }

    #[test]
    fn the_number_of_one_system_is_not_that_of_another() {
        let identity = |fields: &str| {
            let json = format!("{{\"HEADER\":{{\"OBJECT_ID\":\"0000004711\",{fields}}}}}");
            let field = Name::of("ZZ_SYSTEM");
            Cart::parse(&json).unwrap().identity(Some(&field)).map(String::from).map_err(|m| m.field)
        };
        assert_eq!(identity(r#""LOGSYS":"SRMCLNT100""#).unwrap(), "SRMCLNT100:4711");
        assert_eq!(identity(r#""logsys":"SRMCLNT200","zzSystem":"X""#).unwrap(), "SRMCLNT200:4711");
        assert_eq!(identity(r#""LOGSYS":" ","ZZ_SYSTEM":"X-1""#).unwrap(), "X-1:4711");
        assert_eq!(identity(r#""ZZ_SYSTEM":"a:b""#).unwrap_err(), "ZZ_SYSTEM");
        assert_eq!(identity(r#""LOGSYS":"SRM 100""#).unwrap_err(), "LOGSYS");
        let guid = r#""LOGSYS":"SRMCLNT100","GUID":"005056a207c81ed1bfc6b69e72f50550""#;
        assert_eq!(identity(guid).unwrap(), "005056a207c81ed1bfc6b69e72f50550", "a GUID is one of the whole world");
    }
}
