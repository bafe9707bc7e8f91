//! Many carts in one text: a JSON array, in one root object or not, or NDJSON. And one cart as a list of one.

use std::fmt;

use serde::de::{Deserializer as _, SeqAccess, Visitor};
use serde_json::Deserializer;
use serde_json::value::RawValue;
use thiserror::Error;

use super::raw_cart::RawCart;
use super::root_object::{Content, content};
use crate::cart::CartError;

/// The forms of a batch, for a sender that has sent another one.
const EXPECTED: &str = "expected an array of carts, alone or in one root object such as {\"CARTS\":[…]} or {\"d\":{\"results\":[…]}}; or one cart with its HEADER";

/// How the carts of a batch follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchFormat {
    /// A JSON array, alone or in one root object; or one cart.
    JsonArray,
    /// One cart a line; blank lines are skipped.
    Ndjson,
}

/// Why a batch can't be taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SplitError {
    /// The text is no JSON, or holds no list of carts.
    #[error(transparent)]
    Malformed(#[from] CartError),
    /// The root object holds several lists or carts, whose paths are given.
    #[error("the body holds several lists or carts: {}; {EXPECTED}", .0.join(", "))]
    Ambiguous(Vec<String>),
    /// The list is not whole; what says so is given.
    #[error("the list is not whole: {0}; expected all carts")]
    Incomplete(String),
    /// The batch has more carts than the limit, which is given.
    #[error("the batch has more than {0} carts")]
    TooMany(usize),
}

/// Takes a batch apart into at most `limit` carts.
///
/// # Errors
/// [`SplitError`]
pub fn split(text: &str, format: BatchFormat, limit: usize) -> Result<Vec<RawCart<'_>>, SplitError> {
    let carts = match format {
        BatchFormat::JsonArray => carts_of(text, limit)?,
        BatchFormat::Ndjson => lines(text, limit),
    };
    if carts.len() > limit {
        return Err(SplitError::TooMany(limit));
    }
    Ok(carts.into_iter().map(|cart| RawCart::in_text(text, cart)).collect())
}

/// The carts of a JSON text; one more than the limit, at most.
pub(super) fn carts_of(text: &str, limit: usize) -> Result<Vec<&str>, SplitError> {
    if !text.trim_start().starts_with('{') {
        return Ok(elements(text, limit)?);
    }
    match content(text)? {
        Content::Cart => Ok(vec![text]),
        Content::List(list) => Ok(elements(list, limit)?),
        Content::Several(paths) => Err(SplitError::Ambiguous(paths)),
        Content::Incomplete(gap) => Err(SplitError::Incomplete(gap)),
        Content::Nothing => {
            let detail = format!("the object holds neither a list of carts nor a cart; {EXPECTED}");
            Err(CartError::Malformed { line: 1, column: 1, detail }.into())
        }
    }
}

/// The lines that hold a cart; one more than the limit, at most.
fn lines(text: &str, limit: usize) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).take(limit.saturating_add(1)).collect()
}

/// The elements of an array; one more than the limit, at most.
fn elements(text: &str, limit: usize) -> Result<Vec<&str>, CartError> {
    let mut deserializer = Deserializer::from_str(text);
    let carts = deserializer.deserialize_seq(Elements { limit }).and_then(|carts| deserializer.end().map(|()| carts));
    carts.map_err(|error| match CartError::from(error) {
        CartError::Malformed { line, column, detail } => {
            CartError::Malformed { line, column, detail: format!("{detail}; {EXPECTED}") }
        }
        other @ CartError::Invalid(_) => other,
    })
}

struct Elements {
    limit: usize,
}

impl<'de> Visitor<'de> for Elements {
    type Value = Vec<&'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list or an object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut carts = Vec::new();
        while let Some(cart) = elements.next_element::<&RawValue>()? {
            if carts.len() <= self.limit {
                carts.push(cart.get());
            }
        }
        Ok(carts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str, format: BatchFormat) -> Vec<&str> {
        split(text, format, 3).unwrap().into_iter().map(|cart| cart.text).collect()
    }

    #[test]
    fn both_formats_are_taken_apart() {
        assert_eq!(texts("[{\"a\":1}, 2 ,\n[]]", BatchFormat::JsonArray), ["{\"a\":1}", "2", "[]"]);
        assert_eq!(texts("{\"a\":1}\r\n\n  2\n", BatchFormat::Ndjson), ["{\"a\":1}", "2"]);
        assert_eq!(texts("[]", BatchFormat::JsonArray), Vec::<&str>::new());
    }

    #[test]
    fn a_batch_comes_in_one_root_object_too_and_one_cart_is_a_batch() {
        const CART: &str = r#"{"CART":{"HEADER":{}}}"#;
        for text in [
            r#"{"CARTS":[{"a":1},2]}"#,
            r#"{"d":{"__count":"2","results":[{"a":1},2]}}"#,
            r#" {"CARTS":{"item":[{"a":1}, 2]},"version":"1.0"}"#,
        ] {
            assert_eq!(texts(text, BatchFormat::JsonArray), [r#"{"a":1}"#, "2"], "{text}");
        }
        assert_eq!(texts(CART, BatchFormat::JsonArray), [CART]);
        assert_eq!(texts(r#"{"CARTS":[]}"#, BatchFormat::JsonArray), Vec::<&str>::new());
        let four = r#"{"CARTS":[{},{},{},{}]}"#;
        assert_eq!(split(four, BatchFormat::JsonArray, 3), Err(SplitError::TooMany(3)));
    }

    #[test]
    fn an_object_that_is_no_batch_is_refused_with_what_is_expected() {
        for (text, named) in [
            (r#"{"A":[{}],"B":[{}]}"#, "A, B"),
            (r#"{"CART1":{"HEADER":{}},"CART2":{"HEADER":{}}}"#, "CART1, CART2"),
            (r#"{"d":{"results":[{}],"__next":"https://x"}}"#, "d.__next leads to another page of it"),
            (r#"{"value":[{}],"@odata.count":2}"#, "@odata.count says that there are 2 carts"),
            ("{}", "expected an array of carts"),
            (r#"{"CARTS":["1"]}"#, "expected an array of carts"),
        ] {
            let error = split(text, BatchFormat::JsonArray, 3).unwrap_err().to_string();
            assert!(error.contains(named) && error.contains("expected"), "{text}: {error}");
        }
    }

    #[test]
    fn a_mistake_is_placed_in_the_whole_batch() {
        let text = "[1,\n {\"x\":}]";
        let malformed = |line, column| CartError::Malformed { line, column, detail: String::new() };
        let wrapped = split("{\"CARTS\":\n [{},{}]}", BatchFormat::JsonArray, 3).unwrap();
        assert_eq!(wrapped[1].place_in_text(malformed(1, 2)), malformed(2, 7));
        let carts = split("[1,\n 22, 33]", BatchFormat::JsonArray, 3).unwrap();
        assert_eq!(carts[1].place_in_text(malformed(1, 2)), malformed(2, 3));
        assert_eq!(carts[1].place_in_text(malformed(2, 2)), malformed(3, 2));
        let Err(SplitError::Malformed(CartError::Malformed { line, detail, .. })) =
            split(text, BatchFormat::JsonArray, 3)
        else {
            panic!("{text} is no JSON");
        };
        assert_eq!((line, detail.contains("expected an array of carts")), (2, true), "{detail}");
    }

    #[test]
    fn more_carts_than_the_limit_are_refused() {
        for (text, format) in [("[1,2,3,4]", BatchFormat::JsonArray), ("1\n2\n3\n4", BatchFormat::Ndjson)] {
            assert_eq!(split(text, format, 3), Err(SplitError::TooMany(3)));
        }
    }
}
