//! What identifies an order.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::cart::{CartId, hex_guid, without_leading_zeros};

/// The identity of an order: the cart's GUID as 32 lower-case hex digits, else its cart number, after the
/// system's name and a colon where the cart has one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderId(String);

impl OrderId {
    /// Normalises any spelling of a GUID or cart number, the number of a system (`SRMCLNT100:0000004711`) too.
    pub fn of(spelling: &str) -> Self {
        let number = |number: &str| match number.split_once(':') {
            Some((system, number)) => format!("{system}:{}", without_leading_zeros(number)),
            None => without_leading_zeros(number).to_owned(),
        };
        Self(hex_guid(spelling).unwrap_or_else(|| number(spelling)))
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
