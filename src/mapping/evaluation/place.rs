//! Where in a cart a message points to, in words.

use crate::cart::{JoinedCart, Scope, item_in_brackets, item_label};

/// ` of item 2 (NUMBER_INT 0000000020)`; nothing for the header.
pub fn of_item(cart: &JoinedCart<'_>, scope: Scope) -> String {
    let item = scope.item().and_then(|item| cart.items.get(item));
    item.map(|item| format!(" of {}", item_label(item.row, item.position))).unwrap_or_default()
}

/// ` (item 2, NUMBER_INT 0000000020)`, with the account if it is one; nothing for the header.
pub fn in_item(cart: &JoinedCart<'_>, scope: Scope) -> String {
    let Some(item) = scope.item().and_then(|item| cart.items.get(item)) else { return String::new() };
    let label = item_in_brackets(item.row, item.position);
    match scope {
        Scope::Account(_, account) => format!(" (account {} of {label})", account + 1),
        _ => format!(" ({label})"),
    }
}
