//! From JSON text to a [`Cart`], in the spelling of any of SAP's serializers.

use thiserror::Error;

use super::identity::KEPT_CHARS;
use super::json::{Document, Fault, Form, Value};
use super::sections::{Cart, Row, SectionPlace, section_mistake};
use super::shape::{Rows, annotated, is_metadata, rows};
use super::standard::STANDARD;
use super::value::is_initial;
use crate::message::Message;

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

impl From<Fault> for CartError {
    fn from(fault: Fault) -> Self {
        Self::Malformed { line: fault.line, column: fault.column, detail: fault.detail.into_owned() }
    }
}

impl<'j> Cart<'j> {
    /// Reads a cart from JSON text, in the spelling of any of SAP's serializers, wrapped in an object or not.
    ///
    /// # Errors
    /// [`CartError::Malformed`] with line and column if the text is no JSON (RFC 8259) with unique names;
    /// [`CartError::Invalid`] with every mistake if it is JSON but no cart.
    pub fn parse(json: &'j str) -> Result<Self, CartError> {
        Self::parse_within(json, Bounds::default())
    }

    /// Reads a cart within other bounds than the default ones.
    ///
    /// # Errors
    /// [`CartError`]
    pub fn parse_within(json: &'j str, bounds: Bounds) -> Result<Self, CartError> {
        let document = Document::scan(json, bounds.depth)?;
        let invalid = |problem: &str| CartError::Invalid(vec![section_mistake("HEADER", problem)]);
        let (cart, place) = find_cart(document.value(0)).map_err(|problem| invalid(&problem))?;
        let header = header(place).map_err(|problem| invalid(&problem))?;
        let (parts, annotations) = parts(cart, place, header);
        let number = Row::of(header).text(&STANDARD.object_id).filter(|number| !is_initial(number));
        let number = number.unwrap_or_default().chars().take(KEPT_CHARS).collect();
        let header = header.index();
        Ok(Self { document, header, number, parts, annotations, max_rows: bounds.rows })
    }
}

/// The object that holds HEADER, inside of any wrappers, and what stands in HEADER's place.
fn find_cart(root: Value<'_>) -> Result<(Value<'_>, Value<'_>), String> {
    let mut found = Vec::new();
    find_carts(root, MAX_WRAPPERS, &mut found);
    let expected = "expected a cart as SRM sends it: an object with HEADER, ITEM, ACCOUNT, PARTNER, ORGDATA";
    let [cart] = found.as_slice() else {
        let problem = if found.is_empty() { "missing" } else { "there are several carts" };
        return Err(format!("{problem}; {expected}"));
    };
    let headers = || cart.inside().filter(|member| member.is_named(&STANDARD.header));
    match (headers().next(), headers().nth(1)) {
        (Some(only), None) => Ok((*cart, only)),
        (Some(first), Some(second)) => {
            headers().find(|member| member.name() == STANDARD.header.spelling()).map(|exact| (*cart, exact)).ok_or_else(
                || format!("{} and {} are sent beside each other; expected one of them", first.name(), second.name()),
            )
        }
        _ => Err(format!("missing; {expected}")),
    }
}

/// Finds the objects that hold a HEADER, down to a depth; the search ends at the second, as a body holds one cart.
fn find_carts<'d>(value: Value<'d>, depth: usize, found: &mut Vec<Value<'d>>) {
    if value.form() != Form::Object {
        return;
    }
    if value.inside().any(|member| member.is_named(&STANDARD.header)) {
        return found.push(value);
    }
    if depth == 0 {
        return;
    }
    for inner in value.inside() {
        if found.len() < 2 {
            find_carts(inner, depth - 1, found);
        }
    }
}

fn header(place: Value<'_>) -> Result<Value<'_>, String> {
    let mut rows = rows(place).map_err(|problem| match problem.strip_prefix("expected a list of objects, ") {
        Some(found) => format!("expected one object, {found}"),
        None => problem,
    })?;
    match (rows.next(), rows.next()) {
        (Some(header), None) => Ok(header),
        (None, _) if place.form() == Form::Object => Ok(place),
        (first, second) => {
            let count = first.iter().chain(&second).count() + rows.count();
            Err(format!("expected one object, found {count}"))
        }
    }
}

/// The sections beside the header, inside of it, and inside of the items (senders of deep inserts nest them); and what
/// annotations say about them.
fn parts(cart: Value<'_>, header_place: Value<'_>, header: Value<'_>) -> (Vec<SectionPlace>, Vec<SectionPlace>) {
    let part = |item: Option<Value<'_>>| {
        let item = item.map(Value::index);
        move |member: Value<'_>| SectionPlace { place: member.index(), item }
    };
    let is_annotation = |member: &Value<'_>| annotated(&member.name()).is_some();
    let mut annotations: Vec<SectionPlace> = cart.inside().filter(is_annotation).map(part(None)).collect();
    annotations.extend(nesting(header).filter(is_annotation).map(part(None)));
    let beside = cart.inside().filter(|member| member.index() != header_place.index());
    let beside = beside.filter(|member| !member.is_named(&STANDARD.header) && !is_metadata(*member));
    let mut parts: Vec<SectionPlace> = beside.map(part(None)).collect();
    parts.extend(nested(header).map(part(None)));
    for index in 0..parts.len() {
        let Some(place) = parts.get(index).map(|part| part.place) else { break };
        let place = header.at(place);
        if place.is_named(&STANDARD.item) {
            for item in rows(place).unwrap_or(Rows::None) {
                parts.extend(nested(item).map(part(Some(item))));
                annotations.extend(nesting(item).filter(is_annotation).map(part(Some(item))));
            }
        }
    }
    (parts, annotations)
}

/// The members of a row in which a list of rows stands.
fn nested(row: Value<'_>) -> impl Iterator<Item = Value<'_>> {
    let is_section = |member: &Value<'_>| matches!(member.form(), Form::List | Form::Object) && !is_metadata(*member);
    nesting(row).filter(is_section)
}

/// The members of a row, if a list or an object is one of them.
fn nesting(row: Value<'_>) -> impl Iterator<Item = Value<'_>> {
    Some(row).filter(|row| row.is_nesting()).into_iter().flat_map(Value::inside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cart::Name;

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
    fn a_field_named_twice_in_one_spelling_is_refused() {
        let (_, column, detail) = malformed(r#"{"HEADER":{"OBJECT_ID":"1","OBJECT_ID":"2"}}"#);
        assert!(detail.contains("OBJECT_ID"), "{detail}");
        assert_eq!(column, 28);
    }

    #[test]
    fn json_that_is_no_cart_is_refused_with_what_is_expected() {
        for json in ["[]", "1", "{}", "\"x\"", r#"{"a":1,"b":2}"#, r#"{"CART":[]}"#] {
            assert!(invalid(json).join("").contains("HEADER"), "{json}");
        }
        assert_eq!(invalid(r#"{"HEADER":[{},{}]}"#), ["HEADER: expected one object, found 2"]);
        assert_eq!(invalid(r#"{"HEADER":"x"}"#), ["HEADER: expected one object, found a text"]);
        let list = ["HEADER: expected one object, found a list whose entry 1 is a number"];
        assert_eq!(invalid(r#"{"HEADER":[7]}"#), list);
    }

    #[test]
    fn two_carts_in_one_body_are_refused() {
        let two = invalid(r#"{"CART1":{"HEADER":{"OBJECT_ID":"1"}},"CART2":{"HEADER":{"OBJECT_ID":"2"}}}"#);
        assert!(two[0].contains("several carts"), "{two:?}");
    }

    #[test]
    fn a_header_in_two_spellings_is_refused_unless_one_is_exact() {
        let number = |json: &str| Cart::parse(json).map(|cart| cart.number().to_owned());
        assert_eq!(number(r#"{"header":{"OBJECT_ID":"1"},"HEADER":{"OBJECT_ID":"2"}}"#), Ok("2".to_owned()));
        let two = invalid(r#"{"header":{},"Header":{}}"#);
        assert!(two[0].contains("header and Header"), "{two:?}");
    }

    #[test]
    fn wrappers_and_collapsed_lists_are_the_same_cart() {
        let plain = Cart::parse(r#"{"HEADER":{"OBJECT_ID":"7"},"ITEM":[{"UNIT":"H"}]}"#).unwrap().fingerprint();
        for json in [
            r#"{"CART":{"header":{"objectId":"7"},"item":{"unit":"H"}}}"#,
            r#"{"AAA":{},"version":"1.0","CART":{"HEADER":{"OBJECT_ID":"7"},"ITEM":[{"UNIT":"H"}]}}"#,
            r#"{"d":{"CART":{"Header":[{"ObjectId":"7"}],"Item":{"results":[{"Unit":"H"}]}}}}"#,
            r#"{"HEADER":{"item":{"OBJECT_ID":"7"}},"ITEM":{"item":{"UNIT":"H"}}}"#,
            r#"{"HEADER":{"OBJECT_ID":"7","ITEM":[{"UNIT":"H"}]}}"#,
        ] {
            assert_eq!(Cart::parse(json).unwrap().fingerprint(), plain, "{json}");
        }
    }

    #[test]
    fn numbers_keep_every_digit() {
        let cart = Cart::parse(r#"{"HEADER":{"TOTAL_VALUE":12345678901234567890.123456789}}"#).unwrap();
        let value = cart.header().get(&Name::of("TOTAL_VALUE"));
        assert_eq!(value.unwrap().text(), "12345678901234567890.123456789");
    }
}
