//! Fields of SAP that are read whatever the sheet says: figures, currencies, limits. Folded once.

use std::sync::LazyLock;

use crate::cart::Name;

/// The names.
pub static NAMES: LazyLock<Names> = LazyLock::new(|| Names {
    currency: Name::of("CURRENCY"),
    total_value: Name::of("TOTAL_VALUE"),
    item_type: Name::of("ITM_TYPE"),
    quantity: Name::of("QUANTITY"),
    price: Name::of("PRICE"),
    price_unit: Name::of("PRICE_UNIT"),
    value: Name::of("VALUE"),
    indicator: Name::of("DIST_IND"),
    percent: Name::of("DISTR_PERC"),
    share_of_quantity: Name::of("DIST_QUAN"),
    share_of_value: Name::of("DIST_VALUE"),
    limit: Name::of("LIMIT"),
    expected_value: Name::of("EXP_VALUE"),
});

/// Names of the structures BBP_PDS_*.
#[derive(Debug)]
pub struct Names {
    /// Of an amount in the same row.
    pub currency: Name,
    /// The total of a header.
    pub total_value: Name,
    /// The kind of an item.
    pub item_type: Name,
    /// The quantity of an item.
    pub quantity: Name,
    /// The price of an item.
    pub price: Name,
    /// The number of units that the price is for.
    pub price_unit: Name,
    /// The value of an item.
    pub value: Name,
    /// The measure of an account's share.
    pub indicator: Name,
    /// A share in percent.
    pub percent: Name,
    /// A share as a quantity.
    pub share_of_quantity: Name,
    /// A share as a value.
    pub share_of_value: Name,
    /// The section of limits, and its field.
    pub limit: Name,
    /// The value that is expected within a limit.
    pub expected_value: Name,
}
