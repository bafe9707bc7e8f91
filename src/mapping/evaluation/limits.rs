//! Limit items: a value, and no quantity. A sheet that does not read the section LIMIT has no place for them.

use super::names::NAMES;
use super::skips::Skips;
use crate::cart::{JoinedCart, Scope, Selection};
use crate::mapping::sheet::{LIMIT, Sheet};
use crate::message::{Message, MessageCode, quoted};

/// The item type of a limit, which customers can change: it explains what is missing, and refuses nothing alone.
const LIMIT_ITEM_TYPE: &str = "LIMI";

/// Refuses the items with limits, each with one message instead of those about the quantity and the unit that a limit does
/// not have. Nothing to do where the sheet reads the limits.
pub fn refuse_limits(sheet: &Sheet, cart: &JoinedCart<'_>, skips: &Skips<'_>, messages: &mut Vec<Message>) {
    if sheet.names_limits {
        return;
    }
    let missing = MessageCode::Missing.number();
    for item in (0..cart.items.len()).filter(|item| skips.counts(Scope::Item(*item))) {
        let position = cart.position(Scope::Item(item));
        let is_gap = |message: &Message| {
            message.row == position && message.parameter.eq_ignore_ascii_case("ITEM") && message.number == missing
        };
        let Some((field, evidence)) = evidence(cart, item, messages.iter().any(is_gap)) else { continue };
        messages.retain(|message| !is_gap(message));
        let text = format!(
            "{evidence}: a limit item has a value and no quantity, and the mapping sheet does not read the section LIMIT (see \
             \"Limit items\" in the mapping guide)"
        );
        let section = if field == "ITM_TYPE" { "ITEM" } else { LIMIT };
        messages.push(Message::new(MessageCode::Limit, text).at(section, field, position));
    }
}

/// The field that shows a limit, and what it says.
fn evidence(cart: &JoinedCart<'_>, item: usize, has_gaps: bool) -> Option<(&'static str, String)> {
    let position = cart.position(Scope::Item(item));
    let every = Selection { section: NAMES.limit.clone(), conditions: Vec::new() };
    if let Some(row) = cart.own_rows(&every, Scope::Item(item)).into_iter().next() {
        return Some(match (row.text(&NAMES.limit), row.text(&NAMES.expected_value)) {
            (Some(limit), _) => ("LIMIT", format!("LIMIT.LIMIT of item {position} is {}", quoted(limit))),
            (None, Some(value)) => ("EXP_VALUE", format!("LIMIT.EXP_VALUE of item {position} is {}", quoted(value))),
            (None, None) => ("", format!("item {position} has a row in LIMIT")),
        });
    }
    let item_type = cart.items.get(item)?.row.text(&NAMES.item_type)?;
    (has_gaps && item_type == LIMIT_ITEM_TYPE)
        .then(|| ("ITM_TYPE", format!("ITEM.ITM_TYPE of item {position} is {}", quoted(item_type))))
}
