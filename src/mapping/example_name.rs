//! The names of the files of `examples/`.

/// The ending of a cart's file.
pub const CART: &str = ".cart.json";

/// The ending of the file with the order that the cart becomes.
pub const ORDER: &str = ".order.json";

/// The ending of the file with the messages that refuse the cart.
pub const REFUSAL: &str = ".refused.json";

/// The name and the ending of an example's file; `None` for any other file.
pub fn split_name(file: &str) -> Option<(&str, &'static str)> {
    [CART, ORDER, REFUSAL].into_iter().find_map(|ending| Some((file.strip_suffix(ending)?, ending)))
}
