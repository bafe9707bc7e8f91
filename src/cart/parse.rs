//! From JSON text to a [`Cart`], in the spelling of any of SAP's serializers.

mod json_check;
mod section;

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use thiserror::Error;

use super::name::Name;
use super::sections::{Cart, Section};
use crate::message::Message;
use json_check::check_json;
use section::{Members, object, section, section_mistake};

/// Wrappers that gateways and `CALL TRANSFORMATION` put around a cart (`{"CART":{…}}`, `{"d":{"CART":{…}}}`).
const MAX_WRAPPERS: usize = 3;

/// Limits on a cart's structure: its limit on bytes alone would allow far more than any cart has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Lists and objects inside of each other; carts of SRM have about six, wrappers included.
    pub depth: usize,
    /// Rows of one section; carts of SRM have a handful.
    pub rows: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { depth: 32, rows: 1_000 }
    }
}

/// A text that is no cart.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CartError {
    /// The text is no JSON, or names a field twice.
    #[error("line {line}, column {column}: {detail}")]
    Malformed {
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in bytes.
        column: usize,
        /// The problem at that place.
        detail: String,
    },
    /// The text is JSON, but no cart: every mistake.
    #[error("not a shopping cart: {} mistakes", .0.len())]
    Invalid(Vec<Message>),
}

impl From<serde_json::Error> for CartError {
    fn from(error: serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        let detail = text.rsplit_once(" at line ").map_or(text.as_str(), |(detail, _)| detail);
        // After a line break, and in an empty text, serde_json counts from 0.
        Self::Malformed { line, column: column.max(1), detail: detail.to_owned() }
    }
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

    /// Reads a cart within other bounds than the default ones.
    ///
    /// # Errors
    /// [`CartError`]
    pub fn parse_within(json: &str, bounds: Bounds) -> Result<Self, CartError> {
        check_json(json, bounds.depth)?;
        let read = |(name, json): (Name, &RawValue)| {
            let rows = section(&name, json, bounds.rows);
            (name, rows)
        };
        let mut sections: BTreeMap<Name, Section> = members_beside_header(json)?.into_iter().map(read).collect();
        let header = sections.remove("HEADER").unwrap_or_else(|| Ok(Vec::new()));
        let mut header = header.map_err(|mistake| CartError::Invalid(vec![mistake]))?;
        let found = header.len();
        match header.pop() {
            Some(header) if found == 1 => Ok(Cart { header, sections }),
            _ => {
                Err(CartError::Invalid(vec![section_mistake("HEADER", &format!("expected one object, found {found}"))]))
            }
        }
    }
}

/// The members of the object that holds HEADER, inside of any wrappers.
fn members_beside_header(json: &str) -> Result<Members<'_>, CartError> {
    let mut found = Vec::new();
    find_carts(json, MAX_WRAPPERS, &mut found);
    let several = found.len() > 1;
    found.pop().filter(|_| !several).ok_or_else(|| {
        let expected = "expected a cart as SRM sends it: an object with HEADER, ITEM, ACCOUNT, PARTNER, ORGDATA";
        let problem = if several { "there are several carts" } else { "missing" };
        CartError::Invalid(vec![section_mistake("HEADER", &format!("{problem}; {expected}"))])
    })
}

/// Finds the objects that hold a HEADER, down to a depth; the search ends at the second, as a body holds one cart.
fn find_carts<'j>(text: &'j str, depth: usize, found: &mut Vec<Members<'j>>) {
    let Some(members) = object(text) else { return };
    if members.contains_key("HEADER") {
        return found.push(members);
    }
    for inner in members.into_values().map(RawValue::get).filter(|inner| depth > 0 && inner.starts_with('{')) {
        if found.len() < 2 {
            find_carts(inner, depth - 1, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn malformed(json: &str) -> (usize, usize, String) {
        match Cart::parse(json) {
            Err(CartError::Malformed { line, column, detail }) => (line, column, detail),
            other => panic!("expected malformed JSON, got {other:?}"),
        }
    }

    fn invalid(json: &str) -> Vec<String> {
        match Cart::parse(json) {
            Err(CartError::Invalid(mistakes)) => mistakes.into_iter().map(|m| m.message).collect(),
            other => panic!("expected an invalid cart, got {other:?}"),
        }
    }

    #[test]
    fn broken_json_is_named_with_line_and_column() {
        let (line, column, detail) = malformed("{\"HEADER\":\n{\"GUID\":}}");
        assert_eq!((line, column), (2, 9));
        assert_eq!(detail, "expected value");
    }

    #[test]
    fn a_text_that_ends_after_a_line_break_ends_in_the_first_column() {
        assert_eq!((malformed("{\n").0, malformed("{\n").1), (2, 1));
        assert_eq!((malformed("").0, malformed("").1), (1, 1));
    }

    #[test]
    fn deep_nesting_is_refused_without_using_the_stack() {
        let (_, _, detail) = malformed(&"[".repeat(100_000));
        assert_eq!(detail, "nested too deep; at most 32 lists and objects inside of each other");
        let (_, _, detail) = malformed(&format!("{{\"HEADER\":{{\"X\":{}", "[".repeat(100_000)));
        assert_eq!(detail, "nested too deep; at most 32 lists and objects inside of each other");
    }

    #[test]
    fn nesting_is_read_up_to_the_limit_and_refused_one_deeper() {
        let nested = |depth: usize| {
            let (open, close) = ("[".repeat(depth - 2), "]".repeat(depth - 2));
            format!("{{\"HEADER\":{{\"X\":{open}{close}}}}}")
        };
        for depth in [3, 10, 100] {
            let bounds = Bounds { depth, ..Bounds::default() };
            assert!(Cart::parse_within(&nested(depth), bounds).is_ok(), "{depth}");
            assert!(
                matches!(Cart::parse_within(&nested(depth + 1), bounds), Err(CartError::Malformed { .. })),
                "{depth}"
            );
        }
    }

    #[test]
    fn a_field_named_twice_in_two_spellings_is_refused() {
        let (_, _, detail) = malformed(r#"{"HEADER":{"OBJECT_ID":"1","objectId":"2"}}"#);
        assert!(detail.contains("objectId"), "{detail}");
    }

    #[test]
    fn json_that_is_no_cart_is_refused_with_what_is_expected() {
        for json in ["[]", "1", "{}", "\"x\"", r#"{"a":1,"b":2}"#, r#"{"CART":[]}"#] {
            assert!(invalid(json).join("").contains("HEADER"), "{json}");
        }
        assert_eq!(invalid(r#"{"HEADER":[{},{}]}"#), ["HEADER: expected one object, found 2"]);
    }

    #[test]
    fn two_carts_in_one_body_are_refused() {
        let two = invalid(r#"{"CART1":{"HEADER":{"OBJECT_ID":"1"}},"CART2":{"HEADER":{"OBJECT_ID":"2"}}}"#);
        assert!(two[0].contains("several carts"), "{two:?}");
    }

    #[test]
    fn wrappers_and_collapsed_lists_are_the_same_cart() {
        let plain = Cart::parse(r#"{"HEADER":{"OBJECT_ID":"7"},"ITEM":[{"UNIT":"H"}]}"#).unwrap();
        for json in [
            r#"{"CART":{"header":{"objectId":"7"},"item":{"unit":"H"}}}"#,
            r#"{"AAA":{},"version":"1.0","CART":{"HEADER":{"OBJECT_ID":"7"},"ITEM":[{"UNIT":"H"}]}}"#,
            r#"{"d":{"CART":{"Header":[{"ObjectId":"7"}],"Item":{"results":[{"Unit":"H"}]}}}}"#,
        ] {
            assert_eq!(Cart::parse(json).unwrap(), plain, "{json}");
        }
    }

    #[test]
    fn numbers_keep_every_digit() {
        let cart = Cart::parse(r#"{"HEADER":{"TOTAL_VALUE":12345678901234567890.123456789}}"#).unwrap();
        assert_eq!(cart.header.text("TOTALVALUE"), Some("12345678901234567890.123456789"));
    }
}
