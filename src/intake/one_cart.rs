//! A text that is to be one cart: the cart itself, or a list of one, as senders write whose language has lists alone.

use thiserror::Error;

use super::batch::carts_of;
use super::raw_cart::RawCart;
use super::root_object::{Content, content};
use crate::cart::{Bounds, Cart, CartError};

/// Why a text is not one cart.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OneCartError {
    /// The text is no JSON, or no cart.
    #[error(transparent)]
    Cart(#[from] CartError),
    /// The text is a list without a cart.
    #[error("the body is an empty list; expected one cart")]
    Empty,
    /// The text is a list that is not whole; what says so is given.
    #[error("the list is not whole: {0}; expected one cart")]
    Incomplete(String),
    /// The text is a list of several carts.
    #[error("the body is a list of several carts; expected one cart")]
    Several,
}

/// Reads one cart, alone or as a list of one.
///
/// # Errors
/// [`OneCartError`]
pub fn read_one(text: &str, bounds: Bounds) -> Result<Cart<'_>, OneCartError> {
    if text.trim_start().starts_with('[') {
        let carts = carts_of(text, 1).map_err(|_| ());
        return match carts.as_deref() {
            Ok([cart]) => Ok(read_part(text, cart, bounds)?),
            Ok([]) => Err(OneCartError::Empty),
            Ok(_) => Err(OneCartError::Several),
            // What is no JSON is explained as in every cart.
            Err(()) => Ok(Cart::parse_within(text, bounds)?),
        };
    }
    match Cart::parse_within(text, bounds) {
        Err(CartError::Invalid(mistakes)) => match wrapped_list(text)?.as_deref() {
            Some([cart]) => Ok(read_part(text, cart, bounds)?),
            Some(_) => Err(OneCartError::Several),
            None => Err(CartError::Invalid(mistakes).into()),
        },
        read => Ok(read?),
    }
}

/// The carts of a list in one root object. A list of anything else may be a section of a cart that has no HEADER.
fn wrapped_list(text: &str) -> Result<Option<Vec<&str>>, OneCartError> {
    match content(text) {
        Ok(Content::List(_)) => {}
        Ok(Content::Incomplete(gap)) => return Err(OneCartError::Incomplete(gap)),
        _ => return Ok(None),
    }
    let Ok(carts) = carts_of(text, 1) else { return Ok(None) };
    let holds_carts = carts.first().is_some_and(|first| content(first) == Ok(Content::Cart));
    Ok(holds_carts.then_some(carts))
}

fn read_part<'t>(text: &'t str, cart: &'t str, bounds: Bounds) -> Result<Cart<'t>, CartError> {
    Cart::parse_within(cart, bounds).map_err(|error| RawCart::in_text(text, cart).place_in_text(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fingerprint of what was read.
    fn read(text: &str) -> Result<String, OneCartError> {
        read_one(text, Bounds::default()).map(|cart| cart.fingerprint())
    }

    #[test]
    fn a_list_of_one_is_its_cart() {
        const CART: &str = r#"{"HEADER":{"OBJECT_ID":"7"},"ITEM":[{"UNIT":"H"}]}"#;
        let plain = read(CART).unwrap();
        for text in [
            format!("[{CART}]"),
            format!(" [ {{\"CART\":{CART}}} ] "),
            format!("{{\"CARTS\":[{CART}]}}"),
            format!("{{\"d\":{{\"results\":[{CART}]}}}}"),
            format!("{{\"CARTS\":{{\"item\":[{CART}]}}}}"),
        ] {
            assert_eq!(read(&text), Ok(plain.clone()), "{text}");
        }
    }

    #[test]
    fn any_other_list_is_refused_for_what_it_is() {
        for (text, expected) in [
            ("[]", OneCartError::Empty),
            (r#"[{"HEADER":{}},{"HEADER":{}}]"#, OneCartError::Several),
            ("[1,2,3]", OneCartError::Several),
            (r#"{"CARTS":[{"HEADER":{}},{"HEADER":{}}]}"#, OneCartError::Several),
            (r#"{"d":{"results":[{"CART":{"HEADER":{}}},{}]}}"#, OneCartError::Several),
            (
                r#"{"d":{"results":[{"HEADER":{}}],"__next":"x"}}"#,
                OneCartError::Incomplete("d.__next leads to another page of it".to_owned()),
            ),
            (
                r#"{"value":[{"HEADER":{}}],"@odata.count":3}"#,
                OneCartError::Incomplete("@odata.count says that there are 3 carts, and 1 were sent".to_owned()),
            ),
        ] {
            assert_eq!(read(text), Err(expected), "{text}");
        }
        for no_cart in ["[1]", r#"{"ITEM":[{},{}]}"#, r#"{"ITEM":[{}]}"#, r#"{"CARTS":[]}"#, "{}", "[[]]"] {
            assert!(matches!(read(no_cart), Err(OneCartError::Cart(CartError::Invalid(_)))), "{no_cart}");
        }
        for broken in ["[", "[{}", "[{}] []", r#"[{"HEADER":{"A":1,"A":2}}]"#] {
            assert!(matches!(read(broken), Err(OneCartError::Cart(CartError::Malformed { .. }))), "{broken}");
        }
    }

    #[test]
    fn a_mistake_in_a_list_of_one_is_placed_in_the_body() {
        let text = "[\n {\"HEADER\":{\"A\":1,\"A\":2}}]";
        let Err(OneCartError::Cart(CartError::Malformed { line, column, .. })) = read(text) else { panic!() };
        assert_eq!((line, column), (2, 19));
    }
}
