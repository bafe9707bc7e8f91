//! Entries that the sheet demands: `as` = `rows`.

use super::skips::has_such_row;
use crate::cart::{JoinedCart, Scope};
use crate::mapping::conversion::Conversion;
use crate::mapping::sheet::{Rule, Source};
use crate::mapping::target::Object;
use crate::message::{Message, MessageCode};

/// A mistake for each rule of a list that no entry fulfils. `entries` are those that the list has, or would have without
/// mistakes of their own; `parent` is the scope that the list is in.
pub fn missing_rows(list: &Object<Rule>, cart: &JoinedCart<'_>, parent: Scope, entries: &[Scope]) -> Vec<Message> {
    let demands = list.entry_rules.iter().filter(|rule| rule.conversion == Conversion::Rows);
    let unfulfilled = demands.filter(|rule| !entries.iter().any(|scope| has_such_row(rule, cart, *scope)));
    unfulfilled.map(|rule| missing(rule, cart, parent)).collect()
}

fn missing(rule: &Rule, cart: &JoinedCart<'_>, parent: Scope) -> Message {
    let section = rule.sources.first().map_or("", |source| source.section_and_field().0);
    let rows = rule.sources.first().map_or("", Source::label);
    let position = cart.position(parent);
    let of_item = if position == 0 { String::new() } else { format!(" of item {position}") };
    let target = &rule.target;
    let text = format!("{rows}{of_item} has no row that can be ordered; {target} needs at least one");
    Message::new(MessageCode::Missing, text).at(section, "", position)
}
