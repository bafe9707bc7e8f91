//! What both backends read of kept carts.

use crate::order::OrderId;

/// Carts that are read at once: enough that the way to a database does not count, and few enough for the memory where each
/// has the largest size.
pub const CARTS_A_PAGE: usize = 64;

/// A cart that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptCart {
    /// The order that it became.
    pub id: OrderId,
    /// Its text as it was received.
    pub text: String,
}

/// How many orders a ledger has, and how many of them with their cart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CartCount {
    /// All orders.
    pub orders: u64,
    /// Orders whose cart is kept.
    pub carts: u64,
}
