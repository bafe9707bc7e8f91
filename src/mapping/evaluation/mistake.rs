//! Messages about values of a cart.

use super::rule_value::RuleValue;
use crate::cart::{JoinedCart, Scope};
use crate::mapping::sheet::{Rule, Source};
use crate::mapping::table::quoted_key;
use crate::message::{Message, MessageCode};

/// A mistake in the field that a source names, as the sheet writes it.
pub fn mistake(
    cart: &JoinedCart<'_>,
    code: MessageCode,
    source: Option<&Source>,
    scope: Scope,
    problem: &str,
) -> Message {
    let (section, field) = source.map_or(("HEADER", ""), Source::section_and_field);
    let label = source.map_or("HEADER", Source::label);
    let position = cart.position(scope);
    let of_item = if position == 0 { String::new() } else { format!(" of item {position}") };
    Message::new(code, format!("{label}{of_item} {problem}")).at(section, field, position)
}

/// Items, or the account assignments of one item, that give different values for one target.
pub fn disagreement(cart: &JoinedCart<'_>, rule: &Rule, target: Scope, results: &[(Scope, RuleValue<'_>)]) -> Message {
    let mut values = Vec::new();
    let mut texts = Vec::new();
    for (scope, result) in results {
        if values.contains(&&result.value) {
            continue;
        }
        values.push(&result.value);
        let text = if result.is_absent() { "nothing".to_owned() } else { quoted_key(result.source_texts.as_slice()) };
        let position = cart.position(*scope);
        texts.push(match scope {
            Scope::Account(_, account) => format!("{text} (account {} of item {position})", account + 1),
            _ => format!("{text} (item {position})"),
        });
    }
    let problem = format!("has to be the same everywhere; found {}", texts.join(", "));
    mistake(cart, MessageCode::Disagreement, rule.sources.last(), target, &problem)
}
