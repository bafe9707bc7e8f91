//! Many carts in one text: a JSON array, or NDJSON.

use std::fmt;

use serde::de::{Deserializer as _, SeqAccess, Visitor};
use serde_json::Deserializer;
use serde_json::value::RawValue;
use thiserror::Error;

use crate::cart::CartError;

/// How the carts of a batch follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchFormat {
    /// A JSON array.
    JsonArray,
    /// One cart a line; blank lines are skipped.
    Ndjson,
}

/// Why a batch can't be taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SplitError {
    /// The text is no JSON array.
    #[error(transparent)]
    Malformed(#[from] CartError),
    /// The batch has more carts than the limit, which is given.
    #[error("the batch has more than {0} carts")]
    TooMany(usize),
}

/// One cart of a batch, unread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawCart<'t> {
    /// The cart's text.
    pub text: &'t str,
    /// The text of the batch before the cart.
    before: &'t str,
}

impl RawCart<'_> {
    /// Counts the place of a mistake in the cart from the start of the whole batch.
    pub fn place_in_batch(self, error: CartError) -> CartError {
        let CartError::Malformed { line, column, detail } = error else { return error };
        let lines = self.before.matches('\n').count();
        let columns = self.before.len() - self.before.rfind('\n').map_or(0, |at| at + 1);
        CartError::Malformed { line: line + lines, column: if line == 1 { column + columns } else { column }, detail }
    }
}

/// Takes a batch apart into at most `limit` carts.
///
/// # Errors
/// [`SplitError`]
pub fn split(text: &str, format: BatchFormat, limit: usize) -> Result<Vec<RawCart<'_>>, SplitError> {
    let carts = match format {
        BatchFormat::JsonArray => elements(text, limit)?,
        BatchFormat::Ndjson => lines(text, limit),
    };
    if carts.len() > limit {
        return Err(SplitError::TooMany(limit));
    }
    let before = |cart: &str| text.get(..(cart.as_ptr() as usize).saturating_sub(text.as_ptr() as usize));
    Ok(carts.into_iter().map(|cart| RawCart { text: cart, before: before(cart).unwrap_or_default() }).collect())
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
            CartError::Malformed { line, column, detail: format!("{detail}; expected an array of carts") }
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
        f.write_str("an array of carts")
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
    fn a_mistake_is_placed_in_the_whole_batch() {
        let text = "[1,\n {\"x\":}]";
        let malformed = |line, column| CartError::Malformed { line, column, detail: String::new() };
        let carts = split("[1,\n 22, 33]", BatchFormat::JsonArray, 3).unwrap();
        assert_eq!(carts[1].place_in_batch(malformed(1, 2)), malformed(2, 3));
        assert_eq!(carts[1].place_in_batch(malformed(2, 2)), malformed(3, 2));
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
