//! A cart to begin with: the default mapping accepts it, and `dev` has not sent it yet.

/// The cart, as an example of the mapping has it.
pub const SAMPLE: &str = include_str!("../../mapping/examples/service-in-hours.cart.json");
