//! What identifies an order.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::cart::{CartId, hex_guid, without_leading_zeros};

/// The identity of an order: the cart's GUID as 32 lower-case hex digits, else its cart number, with the system that the
/// number is of, if the cart names it (`SRMCLNT300:4711`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderId(String);

impl OrderId {
    /// Normalises any spelling of a GUID or cart number, with its system or without.
    pub fn of(spelling: &str) -> Self {
        if let Some((system, number)) = spelling.rsplit_once(':') {
            return Self(format!("{}:{}", system.trim(), without_leading_zeros(number)));
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_an_id_is_one_id() {
        for (spelling, id) in [
            ("005056A2-07C8-1ED1-BFC6-B69E72F50550", "005056a207c81ed1bfc6b69e72f50550"),
            ("0000004711", "4711"),
            ("SRMCLNT300:0000004711", "SRMCLNT300:4711"),
            (" SRMCLNT300 : 4711 ", "SRMCLNT300:4711"),
            ("0010:0010", "0010:10"),
            ("A:B:007", "A:B:7"),
            ("SRM:A-7/1", "SRM:A-7/1"),
        ] {
            assert_eq!(OrderId::of(spelling).as_str(), id, "{spelling}");
            assert_eq!(OrderId::of(id).as_str(), id, "a normalised id stays as it is");
        }
    }
}
