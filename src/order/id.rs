//! What identifies an order.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::cart::{CartId, hex_guid, without_leading_zeros};

/// The identity of an order: the cart's GUID as 32 lower-case hex digits, else its cart number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderId(String);

impl OrderId {
    /// Normalises any spelling of a GUID or cart number.
    pub fn of(spelling: &str) -> Self {
        Self(hex_guid(spelling).unwrap_or_else(|| without_leading_zeros(spelling).to_owned()))
    }

    /// Takes an id that a ledger has stored, and that is normalised already.
    pub const fn stored(id: String) -> Self {
        Self(id)
    }

    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<CartId> for OrderId {
    /// A cart's id is normalised already.
    fn from(id: CartId) -> Self {
        Self(id.into())
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
