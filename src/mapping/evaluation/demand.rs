//! Entries that the sheet demands: `as` = `rows`.

use super::place::of_item;
use super::rule_evaluator::RuleEvaluator;
use super::skips::has_such_row;
use crate::cart::{JoinedCart, Scope};
use crate::mapping::conversion::Conversion;
use crate::mapping::sheet::{Rule, Source};
use crate::mapping::target::Object;
use crate::message::{Message, MessageCode};

/// A mistake for each rule of a list that no entry fulfils. `entries` are those that the list has, or would have without
/// mistakes of their own; `parent` is the scope that the list is in.
pub fn missing_rows(list: &Object<Rule>, rules: &RuleEvaluator<'_>, parent: Scope, entries: &[Scope]) -> Vec<Message> {
    let cart = &rules.cart;
    let demands = list.entry_rules.iter().filter(|rule| rule.conversion == Conversion::Rows);
    let unfulfilled = demands.filter(|rule| !entries.iter().any(|scope| has_such_row(rule, cart, *scope)));
    let judged = unfulfilled.filter_map(|rule| match rules.counts(rule, parent) {
        Ok(true) => Some(missing(rule, cart, parent)),
        Ok(false) => None,
        Err(mistake) => Some(*mistake),
    });
    judged.collect()
}

fn missing(rule: &Rule, cart: &JoinedCart<'_>, parent: Scope) -> Message {
    let section = rule.sources.first().map_or("", |source| source.section_and_field().0);
    let rows = rule.sources.first().map_or("", Source::label);
    let of_item = of_item(cart, parent);
    let target = &rule.target;
    let text = format!("{rows}{of_item} has no row that can be ordered; {target} needs at least one");
    Message::new(MessageCode::Missing, text).at(section, "", cart.position(parent))
}
