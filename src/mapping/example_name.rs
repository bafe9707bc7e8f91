//! The names of the files of `examples/`.

use super::currency::Amounts;

/// The ending of a cart's file.
pub const CART: &str = ".cart.json";

/// The ending of the file with the order that the cart becomes.
pub const ORDER: &str = ".order.json";

/// The ending of the file with the messages that refuse the cart.
pub const REFUSAL: &str = ".refused.json";

/// How senders write the amounts of an example whose name ends in `.shifted` or `.unshifted`, whatever is configured.
pub fn amounts_of(name: &str) -> Option<Amounts> {
    match name.rsplit_once('.') {
        Some((_, "shifted")) => Some(Amounts::Shifted),
        Some((_, "unshifted")) => Some(Amounts::Unshifted),
        _ => None,
    }
}

/// The name and the ending of an example's file; `None` for any other file.
pub fn split_name(file: &str) -> Option<(&str, &'static str)> {
    [CART, ORDER, REFUSAL].into_iter().find_map(|ending| Some((file.strip_suffix(ending)?, ending)))
}
