//! The approved shopping cart (SRM 7, BUS2121) as its sender spelled it, read into one form.
//!
//! Owns SAP's JSON: names, initial values, GUIDs, sections, joins. Knows nothing of orders, tables or HTTP.
//! Every serializer's spelling of a name is the same name ([`Name`]), and every value keeps the text in which it
//! arrived: a decimal never passes through a float.

mod fingerprint;
mod join;
mod parse;

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

pub use join::{Item, JoinedCart, Scope, Selection};
pub use parse::CartError;

use crate::digest;
use crate::message::{Message, MessageCode, quoted};

/// How much a cart may hold: the limit on its bytes alone would let through far more than any cart has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Lists and objects inside of each other; carts of SRM have some six, wrappers included.
    pub depth: usize,
    /// Rows of one section; carts of SRM have a handful.
    pub rows: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { depth: 32, rows: 1_000 }
    }
}

/// A cart number is CHAR10 (BBP_PDS_SC_HEADER_D-OBJECT_ID).
const CART_NUMBER_CHARS: usize = 10;

/// A section's or field's name in the one form that all spellings share: `OBJECT_ID`, `objectId`, `ObjectId` and
/// `objectid` are all `OBJECTID`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// Normalises a spelling: underscores go, letters become upper case.
    pub fn of(spelling: &str) -> Self {
        Self(spelling.chars().filter(|c| *c != '_').map(|c| c.to_ascii_uppercase()).collect())
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A field's value, in the text in which it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar {
    /// A JSON string.
    Text(String),
    /// A JSON number, digit for digit.
    Number(String),
    /// `true`, or `false`.
    Flag(bool),
    /// An object or a list, which no field of a cart is; kept to be refused where the mapping asks for it.
    Nested,
}

impl Scalar {
    /// The value's text without surrounding blanks; a true flag is `X`, as ABAP writes it.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Number(text) => text.trim(),
            Self::Flag(true) => "X",
            Self::Flag(false) => "",
            Self::Nested => "{…}",
        }
    }

    /// ABAP's initial value. Serializers drop initial values, so initial and missing mean the same.
    pub fn is_initial(&self) -> bool {
        is_initial(self.text())
    }
}

/// Empty, zero in any width, or an initial date or time (`0000-00-00`, and `--`, `::` of old patch levels).
pub fn is_initial(text: &str) -> bool {
    let digits = text.trim().trim_start_matches('-').trim_end_matches('-');
    match text.trim() {
        "" | "--" | "::" | "0000-00-00" | "00:00:00" => true,
        _ => digits.contains('0') && digits.chars().all(|c| c == '0' || c == '.') && digits.matches('.').count() <= 1,
    }
}

/// Digits without their leading zeros; any other text as it is. SAP pads purely numeric ids (ALPHA conversion).
pub fn without_leading_zeros(text: &str) -> &str {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return text;
    }
    match text.trim_start_matches('0') {
        "" => "0",
        stripped => stripped,
    }
}

/// Bytes of a RAW16.
const GUID_BYTES: usize = 16;

/// A RAW16 GUID in any spelling as 32 lower-case hex digits: hex, hex with dashes (RFC 9562), or base64, whose
/// trailing zero bytes asJSON drops. `None` if the text is no GUID.
pub fn guid(text: &str) -> Option<String> {
    hex_guid(text).or_else(|| {
        let bytes = BASE64.decode(text.trim()).ok();
        let mut bytes = bytes.filter(|bytes| !bytes.is_empty() && bytes.len() <= GUID_BYTES)?;
        bytes.resize(GUID_BYTES, 0);
        Some(digest::hex(&bytes))
    })
}

/// A GUID in hex, with or without dashes, and in nothing else: short base64 looks like a cart number.
pub fn hex_guid(text: &str) -> Option<String> {
    let text = text.trim();
    let dashed = text.len() == 36 && [8, 13, 18, 23].iter().all(|at| text.as_bytes().get(*at) == Some(&b'-'));
    let plain = if dashed { text.replace('-', "") } else { text.to_owned() };
    let is_hex = plain.len() == GUID_BYTES * 2 && plain.bytes().all(|b| b.is_ascii_hexdigit());
    is_hex.then(|| plain.to_ascii_lowercase())
}

/// What identifies a cart: its GUID as 32 lower-case hex digits, else its cart number without leading zeros.
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

/// One row of a section.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    fields: BTreeMap<Name, Scalar>,
}

impl Row {
    /// The field's value, unless it is missing or initial.
    pub fn get(&self, field: &Name) -> Option<&Scalar> {
        self.fields.get(field).filter(|value| !value.is_initial())
    }

    fn text(&self, field: &str) -> Option<&str> {
        self.fields.get(field).filter(|value| !value.is_initial()).map(Scalar::text)
    }

    /// GUIDs are compared in one spelling; what is no GUID is compared as it stands.
    fn guid(&self, field: &str) -> Option<String> {
        let text = self.text(field)?;
        let guid = guid(text).unwrap_or_else(|| text.to_owned());
        (!is_initial(&guid)).then_some(guid)
    }
}

/// The rows of a section, or why they can't be read: a mistake only if somebody asks for the section.
type Section = Result<Vec<Row>, Message>;

/// An approved cart: a header, and sections with rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cart {
    header: Row,
    sections: BTreeMap<Name, Section>,
}

impl Cart {
    /// Reads a cart from JSON text, in the spelling of any of SAP's serializers, wrapped in an object or not.
    ///
    /// # Errors
    /// [`CartError::Malformed`] with line and column if the text is no JSON (RFC 8259) with unique names;
    /// [`CartError::Invalid`] with every mistake if it is JSON but no cart.
    pub fn parse(json: &str) -> Result<Self, CartError> {
        Self::parse_within(json, Bounds::default())
    }

    /// The same within other bounds.
    ///
    /// # Errors
    /// [`CartError`]
    pub fn parse_within(json: &str, bounds: Bounds) -> Result<Self, CartError> {
        parse::cart(json, bounds)
    }

    /// The cart number as sent (OBJECT_ID), empty if there is none.
    pub fn number(&self) -> &str {
        self.header.text("OBJECTID").unwrap_or_default()
    }

    /// What identifies the cart: its GUID as 32 hex digits, else its cart number without leading zeros.
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

    /// SHA-256 over the cart's normalised content, as hex. Spelling, field order, row order, serializer and initial
    /// values make no difference.
    pub fn fingerprint(&self) -> String {
        fingerprint::of(self)
    }

    fn rows(&self, section: &str) -> &[Row] {
        self.sections.get(section).and_then(|rows| rows.as_ref().ok()).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_spelling_of_a_name_is_the_same_name() {
        for spelling in ["G_L_ACCT", "gLAcct", "GLAcct", "glacct", "g_l_acct"] {
            assert_eq!(Name::of(spelling), Name::of("G_L_ACCT"));
        }
    }

    #[test]
    fn initial_values_of_every_type_are_known() {
        for initial in ["", "  ", "0", "0000000000", "0.00", "-0", "0.00-", "--", "::", "0000-00-00", "00:00:00"] {
            assert!(is_initial(initial), "{initial:?}");
        }
        for value in ["-", ".", "A", "10", "0.01", "0A", "1-", "00-00", "0.0.0"] {
            assert!(!is_initial(value), "{value:?}");
        }
    }

    #[test]
    fn a_guid_is_the_same_in_hex_with_dashes_and_in_base64() {
        let hex = "005056a207c81ed1bfc6b69e72f50550";
        for spelling in [
            hex,
            "005056A207C81ED1BFC6B69E72F50550",
            "005056a2-07c8-1ed1-bfc6-b69e72f50550",
            "AFBWogfIHtG/xraecvUFUA==",
        ] {
            assert_eq!(guid(spelling).as_deref(), Some(hex), "{spelling}");
        }
    }

    #[test]
    fn what_is_no_guid_is_not_read_as_one() {
        for text in [
            "",
            "1000004711",
            "AFBWogfIHtG/xraecvUFUAAA",
            "005056a207c81ed1bfc6b69e72f5055g",
            "AFBWogfIHtG_xraecvUFUA==",
        ] {
            assert_eq!(guid(text), None, "{text}");
        }
    }

    #[test]
    fn a_cart_is_known_by_its_guid_or_else_by_its_number() {
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

    proptest! {
        #[test]
        fn a_guid_survives_base64_with_its_trailing_zero_bytes_dropped(bytes in prop::array::uniform16(any::<u8>()), zeros in 0usize..15) {
            let mut bytes = bytes;
            bytes.iter_mut().rev().take(zeros).for_each(|b| *b = 0);
            let kept = bytes.iter().rposition(|b| *b != 0).map_or(1, |last| last + 1);
            let short = BASE64.encode(&bytes[..kept]);
            prop_assert_eq!(guid(&short), Some(digest::hex(&bytes)));
        }

        #[test]
        fn leading_zeros_go_and_digits_stay(number in 1u64.., zeros in 0usize..10) {
            let padded = format!("{}{number}", "0".repeat(zeros));
            prop_assert_eq!(without_leading_zeros(&padded), number.to_string());
        }
    }
}
