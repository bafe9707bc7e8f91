//! The first half of the use case, the same for every way in: text becomes a cart, the cart an order's body, and both a
//! candidate for the relay; or a list of every mistake.
//!
//! Knows carts, the mapping and what the relay takes; knows nothing of HTTP.

mod batch;
mod encoding;
mod one_cart;
mod raw_cart;
mod root_object;

use tracing::debug;

pub use batch::{BatchFormat, SplitError, split};
pub use encoding::{ForeignEncoding, utf8_text};
pub use one_cart::{OneCartError, read_one};
pub use raw_cart::RawCart;

use crate::cart::{Bounds, Cart, CartError};
use crate::mapping::Mapping;
use crate::order::{Candidate, KeepCarts, OrderId, PropagatedHeaders, Requester};
use crate::telemetry::STEP;

/// Reads a cart.
///
/// # Errors
/// [`CartError::Malformed`] if the text is no JSON; [`CartError::Invalid`] if it is JSON but no cart.
pub fn read(text: &str, bounds: Bounds) -> Result<Cart<'_>, CartError> {
    Cart::parse_within(text, bounds)
}

/// What comes with a cart.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// Headers that every attempt passes on.
    pub propagated_headers: PropagatedHeaders,
    /// Who sends it.
    pub requester: Requester,
}

/// Maps a cart to a candidate for the relay.
///
/// # Errors
/// [`CartError::Invalid`] with every mistake in the cart.
pub fn candidate(
    cart: &Cart<'_>,
    mapping: &Mapping,
    origin: Origin,
    keep_carts: KeepCarts,
) -> Result<Candidate, CartError> {
    let mapped = mapping.map(cart).map_err(CartError::Invalid)?;
    debug!(target: STEP, { order.id = %mapped.id, mapping.version = mapping.version() }, "mapped");
    Ok(Candidate {
        id: OrderId::from(mapped.id),
        // A NUL is nothing that a database can hold; where the sheet reads the number, it is a mistake.
        cart_number: cart.number().replace('\0', ""),
        fingerprint: cart.fingerprint(),
        body: mapped.body,
        mapping_version: mapping.version().to_owned(),
        warnings: mapped.warnings,
        propagated_headers: origin.propagated_headers,
        requester: origin.requester,
        cart: (keep_carts == KeepCarts::On).then(|| cart.text().into()),
    })
}
