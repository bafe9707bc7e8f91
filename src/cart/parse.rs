//! From JSON text to a [`Cart`]: strict about JSON, tolerant about who wrote it.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use thiserror::Error;

use super::{Bounds, Cart, Name, Row, Scalar, Section};
use crate::message::{Message, MessageCode};

/// Wrappers that gateways and `CALL TRANSFORMATION` put around a cart (`{"CART":{…}}`, `{"d":{"CART":{…}}}`).
const MAX_WRAPPERS: usize = 3;

/// Why a text is no cart.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CartError {
    /// The text is no JSON, or names a field twice.
    #[error("line {line}, column {column}: {detail}")]
    Malformed {
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in bytes.
        column: usize,
        /// What is wrong there.
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
        // Behind a line break, and in an empty text, serde_json counts from 0.
        Self::Malformed { line, column: column.max(1), detail: detail.to_owned() }
    }
}

type Members<'j> = BTreeMap<Name, &'j RawValue>;

pub(super) fn cart(json: &str, bounds: Bounds) -> Result<Cart, CartError> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    Strict { most: bounds.depth, left: bounds.depth }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    let read = |(name, raw): (Name, &RawValue)| {
        let rows = section(&name, raw, bounds.rows);
        (name, rows)
    };
    let mut sections: BTreeMap<Name, Section> = unwrapped(json)?.into_iter().map(read).collect();
    let header = sections.remove("HEADER").unwrap_or_else(|| Ok(Vec::new()));
    let mut header = header.map_err(|mistake| CartError::Invalid(vec![mistake]))?;
    let found = header.len();
    match header.pop() {
        Some(header) if found == 1 => Ok(Cart { header, sections }),
        _ => Err(CartError::Invalid(vec![shape("HEADER", &format!("expected one object, found {found}"))])),
    }
}

/// The members of the object that holds HEADER, under whatever wrappers.
fn unwrapped(json: &str) -> Result<Members<'_>, CartError> {
    let mut found = Vec::new();
    find(json, MAX_WRAPPERS, &mut found);
    let several = found.len() > 1;
    found.pop().filter(|_| !several).ok_or_else(|| {
        let expected = "expected a cart as SRM sends it: an object with HEADER, ITEM, ACCOUNT, PARTNER, ORGDATA";
        let problem = if several { "there are several carts" } else { "missing" };
        CartError::Invalid(vec![shape("HEADER", &format!("{problem}; {expected}"))])
    })
}

/// Every object that holds a HEADER, down to a depth; two are enough to know that there is not one.
fn find<'j>(text: &'j str, depth: usize, found: &mut Vec<Members<'j>>) {
    let Some(members) = object(text) else { return };
    if members.contains_key("HEADER") {
        return found.push(members);
    }
    for inner in members.into_values().map(RawValue::get).filter(|inner| depth > 0 && inner.starts_with('{')) {
        if found.len() < 2 {
            find(inner, depth - 1, found);
        }
    }
}

/// The members of a JSON object by normalised name; `None` if the text is anything else.
fn object(text: &str) -> Option<Members<'_>> {
    let members: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(text).ok()?;
    Some(members.into_iter().map(|(name, value)| (Name::of(&name), value)).collect())
}

/// A section is a list of rows, a single row (gateways collapse lists of one), or OData's `{"results":[…]}`.
fn section(name: &Name, raw: &RawValue, most: usize) -> Section {
    let rows: Vec<&RawValue> = match raw.get().as_bytes().first() {
        Some(b'[') => serde_json::from_str(raw.get()).unwrap_or_default(),
        Some(b'{') => match object(raw.get()).and_then(|members| only_results(&members)) {
            Some(results) => results,
            None => vec![raw],
        },
        _ if matches!(raw.get(), "null" | "\"\"") => Vec::new(),
        _ => return Err(shape(&name.to_string(), "expected a list of objects")),
    };
    if rows.len() > most {
        let text = format!("{name} has {} rows; at most {most} are taken", rows.len());
        return Err(Message::new(MessageCode::TooManyRows, text).at(&name.to_string(), "", 0));
    }
    let row = |(index, raw): (usize, &RawValue)| {
        object(raw.get())
            .map(row)
            .ok_or_else(|| shape(&name.to_string(), &format!("entry {}: expected an object", index + 1)))
    };
    rows.into_iter().enumerate().map(row).collect()
}

fn only_results<'j>(members: &Members<'j>) -> Option<Vec<&'j RawValue>> {
    match members.get("RESULTS") {
        Some(results) if members.len() == 1 => serde_json::from_str(results.get()).ok(),
        _ => None,
    }
}

fn row(members: Members<'_>) -> Row {
    let fields = members.into_iter().filter_map(|(name, raw)| Some((name, scalar(raw.get())?))).collect();
    Row { fields }
}

/// `None` for `null`, which is the same as a missing field.
fn scalar(raw: &str) -> Option<Scalar> {
    match raw.as_bytes().first()? {
        b'"' => serde_json::from_str(raw).ok().map(Scalar::Text),
        b't' => Some(Scalar::Flag(true)),
        b'f' => Some(Scalar::Flag(false)),
        b'n' => None,
        b'{' | b'[' => Some(Scalar::Nested),
        _ => Some(Scalar::Number(raw.to_owned())),
    }
}

fn shape(section: &str, expected: &str) -> Message {
    Message::new(MessageCode::Section, format!("{section}: {expected}")).at(section, "", 0)
}

/// JSON whose nesting is bounded and whose objects name nothing twice, in any spelling: a field that two readers could
/// read differently is refused before anything is read.
#[derive(Clone, Copy)]
struct Strict {
    /// How many lists and objects may open inside of each other.
    most: usize,
    /// How many still may.
    left: usize,
}

impl Strict {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        let too_deep =
            || E::custom(format!("nested too deep; at most {} lists and objects inside of each other", self.most));
        Ok(Self { left: self.left.checked_sub(1).ok_or_else(too_deep)?, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let inside = self.deeper()?;
        while list.next_element_seed(inside)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let inside = self.deeper()?;
        let mut seen = HashSet::new();
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            if !seen.insert(Name::of(&name)) {
                return Err(A::Error::custom(format!("the name {name:?} stands twice in one object")));
            }
            map.next_value_seed(inside)?;
        }
        Ok(())
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
    fn a_text_that_ends_behind_a_line_break_ends_in_the_first_column() {
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
    fn the_depth_that_is_set_is_taken_and_one_more_is_not() {
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
    fn what_is_json_but_no_cart_is_told_so() {
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
