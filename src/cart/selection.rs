//! Scopes and selections: which rows of a cart a value is read from.

use super::name::Name;
use super::sections::Row;
use super::value::without_leading_zeros;

/// The part of a cart in which a value is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// The whole cart.
    Header,
    /// One item that is not deleted, by its index in `JoinedCart::items`.
    Item(usize),
    /// One account assignment of an item.
    Account(usize, usize),
}

impl Scope {
    /// How deep in the cart: 0 the header, 1 an item, 2 an account.
    pub const fn depth(self) -> usize {
        match self {
            Self::Header => 0,
            Self::Item(_) => 1,
            Self::Account(..) => 2,
        }
    }

    /// The item's index, if the scope is inside one.
    pub const fn item(self) -> Option<usize> {
        match self {
            Self::Header => None,
            Self::Item(item) | Self::Account(item, _) => Some(item),
        }
    }
}

/// The rows of a section, or those of them in which fields have certain values (`PARTNER[00000019]`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// The section.
    pub section: Name,
    /// Fields and the value that each must have; an empty value stands for blank.
    pub conditions: Vec<(Name, String)>,
}

impl Selection {
    /// Whether a row is one of them.
    pub fn includes(&self, row: &Row<'_>) -> bool {
        self.conditions.iter().all(|(field, value)| {
            let found = row.text(field).unwrap_or_default();
            found == value.as_str()
                || is_same_number(&found, value)
                // A flag whose type was lost on the way: INACT "false" is INACT blank.
                || matches!((found.as_ref(), value.as_str()), ("false", "") | ("true", "X"))
        })
    }
}

/// cl_json writes NUMC keys as bare numbers: 19 is 00000019. Most numbers differ in their last digit.
fn is_same_number(found: &str, value: &str) -> bool {
    !found.is_empty()
        && found.as_bytes().last() == value.as_bytes().last()
        && without_leading_zeros(found) == without_leading_zeros(value)
}
