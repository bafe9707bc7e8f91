//! Limit items: a value, and no quantity. A sheet that does not read the section LIMIT has no place for them.

use super::skips::Skips;
use crate::cart::{JoinedCart, Name, Row, Scalar, Scope, is_initial, item_label};
use crate::mapping::compiled::Mapping;
use crate::mapping::names::Names;
use crate::mapping::sheet::{LIMIT, Limits};
use crate::message::{Message, MessageCode, quoted};

/// The item type of a limit, which customers can change: it explains what is missing, and refuses nothing alone.
const LIMIT_ITEM_TYPE: &str = "LIMI";

/// Refuses the items with limits, each with one message instead of those about the quantity and the unit that a limit does
/// not have. Nothing to do where the sheet reads the limits.
pub fn refuse_limits(mapping: &Mapping, cart: &JoinedCart<'_>, skips: &Skips<'_>, messages: &mut Vec<Message>) {
    if mapping.sheet.limits == Limits::Ordered {
        return;
    }
    let missing = MessageCode::Missing.number();
    for item in (0..cart.items.len()).filter(|item| skips.counts(Scope::Item(*item))) {
        let position = cart.position(Scope::Item(item));
        let is_gap = |message: &Message| {
            message.row == position && message.parameter.eq_ignore_ascii_case("ITEM") && message.number == missing
        };
        let Some((field, evidence)) = evidence(&mapping.names, cart, item, messages.iter().any(is_gap)) else {
            continue;
        };
        messages.retain(|message| !is_gap(message));
        let text = format!(
            "{evidence}: a limit item has a value and no quantity, and the mapping sheet does not read the section LIMIT (see \
             \"Limit items\" in the mapping guide)"
        );
        let section = if field == "ITM_TYPE" { "ITEM" } else { LIMIT };
        messages.push(Message::new(MessageCode::Limit, text).at(section, field, position));
    }
}

/// Whether an item is a limit, by a row of its own in LIMIT or by its type.
pub fn is_limit(names: &Names, cart: &JoinedCart<'_>, item: usize) -> bool {
    evidence(names, cart, item, true).is_some()
}

/// The field that shows a limit, and what it says.
fn evidence(names: &Names, cart: &JoinedCart<'_>, item: usize, has_gaps: bool) -> Option<(&'static str, String)> {
    let sent = cart.items.get(item)?;
    let label = || item_label(sent.row, sent.position);
    if let Some(row) = cart.own_rows(&names.limits, Scope::Item(item)).next() {
        return Some(match (value(row, &names.limit), value(row, &names.expected_value)) {
            (Some(limit), _) => ("LIMIT", format!("LIMIT.LIMIT of {} is {}", label(), quoted(limit.text()))),
            (None, Some(value)) => ("EXP_VALUE", format!("LIMIT.EXP_VALUE of {} is {}", label(), quoted(value.text()))),
            (None, None) => ("", format!("{} has a row in LIMIT", label())),
        });
    }
    let item_type = Some(sent).filter(|_| has_gaps)?.row.text(&names.item_type)?;
    (item_type == LIMIT_ITEM_TYPE)
        .then(|| ("ITM_TYPE", format!("ITEM.ITM_TYPE of {} is {}", label(), quoted(&item_type))))
}

/// A value as sent, unless it is zero.
fn value<'c>(row: Row<'c>, field: &Name) -> Option<Scalar<'c>> {
    row.get(field).filter(|value| !is_initial(value.text()))
}
