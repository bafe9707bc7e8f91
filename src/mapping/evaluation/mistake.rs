//! Messages about values of a cart.

use std::borrow::Cow;

use serde_json::Value;

use super::place::{in_item, of_item};
use super::rule_value::RuleValue;
use crate::cart::{JoinedCart, Scope};
use crate::mapping::conversion::OrderValue;
use crate::mapping::sheet::{Rule, Source};
use crate::mapping::table::quoted_key;
use crate::message::{Message, MessageCode, quoted, quoted_up_to};

/// Most characters of each of two quoted values.
const QUOTED_CHARS: usize = 40;

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
    let of_item = of_item(cart, scope);
    Message::new(code, format!("{label}{of_item} {problem}")).at(section, field, cart.position(scope))
}

/// A key that a table does not have: every source with its value. One that is missing is what the message points to. A twin
/// is a key that the table has, with other zeros at the beginning of its numbers.
pub fn unknown_key(
    cart: &JoinedCart<'_>,
    rule: &Rule,
    table: &str,
    scope: Scope,
    (key, twin): (&[Cow<'_, str>], Option<Vec<&str>>),
) -> Message {
    let advice = twin.map_or_else(String::new, |twin| {
        format!("; did a spreadsheet drop the zero? {} is not there, {} is", quoted_key(key), quoted_key(&twin))
    });
    let missing = key.iter().position(|part| part.is_empty());
    let code = if missing.is_some() { MessageCode::Missing } else { MessageCode::UnknownKey };
    let pointed = missing.map_or_else(|| rule.sources.last(), |at| rule.sources.get(at));
    if let ([only], [text]) = (rule.sources.as_slice(), key) {
        return mistake(
            cart,
            code,
            Some(only),
            scope,
            &format!("is {}: no row in table {table}{advice}", quoted(text)),
        );
    }
    // A message of 220 characters has room for two values of 40, and for more that are shorter.
    let limit = (2 * QUOTED_CHARS).checked_div(key.len()).map_or(QUOTED_CHARS, |share| share.min(QUOTED_CHARS));
    let fact = |(source, text): (&Source, &Cow<'_, str>)| {
        let value = if text.is_empty() { "missing or initial".to_owned() } else { quoted_up_to(text, limit) };
        format!("{} is {value}", source.label())
    };
    let facts: Vec<String> = rule.sources.iter().zip(key).map(fact).collect();
    let text = format!("{}{}: no row in table {table}{advice}", facts.join(" and "), in_item(cart, scope));
    let (section, field) = pointed.map_or(("HEADER", ""), Source::section_and_field);
    Message::new(code, text).at(section, field, cart.position(scope))
}

/// A target whose sources have no value, and that has to be there.
pub fn nothing_there(cart: &JoinedCart<'_>, rule: &Rule, scope: Scope) -> Message {
    let source = rule.sources.first();
    if rule.sources.len() < 2 {
        return mistake(cart, MessageCode::Missing, source, scope, "is missing or initial; it is mandatory");
    }
    let of_item = of_item(cart, scope);
    let labels = labels(rule, " and ");
    let text = format!("{labels}{of_item} are missing or initial; one of them is mandatory");
    let (section, field) = source.map_or(("HEADER", ""), Source::section_and_field);
    Message::new(MessageCode::Missing, text).at(section, field, cart.position(scope))
}

/// Every source as the sheet writes it.
fn labels(rule: &Rule, between: &str) -> String {
    rule.sources.iter().map(Source::label).collect::<Vec<_>>().join(between)
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
        texts.push(format!("{text}{}", in_item(cart, *scope)));
    }
    let sources = if rule.sources.is_empty() { rule.target.clone() } else { labels(rule, " + ") };
    let (section, field) = rule.sources.last().map_or(("HEADER", ""), Source::section_and_field);
    let text = format!("{sources}{} has to be the same everywhere; found {}", of_item(cart, target), texts.join(", "));
    Message::new(MessageCode::Disagreement, text).at(section, field, cart.position(target))
}

/// Two rows of one target that both count, and have different values.
pub fn conflict(cart: &JoinedCart<'_>, first: &Rule, target: Scope, rows: [(&Rule, &RuleValue<'_>); 2]) -> Message {
    let value = |value: &RuleValue<'_>| match &value.value {
        None => "nothing".to_owned(),
        Some(OrderValue::Text(text)) => quoted(text),
        Some(other) => Value::from(other).to_string(),
    };
    let [(row, one), (other_row, other)] = rows;
    let text = format!(
        "rows {} and {} of the sheet both count for {}{}, with {} and {}; expected conditions of which one holds",
        row.line,
        other_row.line,
        first.target,
        in_item(cart, target),
        value(one),
        value(other),
    );
    let compared = other_row.when.iter().flat_map(|when| &when.comparisons).map(|comparison| &comparison.source).next();
    let (section, field) = compared.map_or(("HEADER", ""), Source::section_and_field);
    Message::new(MessageCode::Disagreement, text).at(section, field, cart.position(target))
}
