//! What a changed mapping makes different, told by the examples: the summary of a reload.

use std::collections::BTreeMap;

use serde_json::Value;

use super::difference::{Difference, DifferenceKind, differences, short};
use super::judgement::{Outcome, outcome};
use super::pair::examples;
use crate::mapping::compiled::Mapping;
use crate::mapping::folder::Folder;

/// Most changes in one line of a log.
const MAX_CHANGES: usize = 10;

/// How many examples become another order than before, field by field, the most frequent change first:
/// `2 of 22 examples: regionCode "EMEA-SOUTH" → "EMEA-CENTRAL" (2)`.
pub fn changes(previous: &Mapping, current: &Mapping, folder: &Folder) -> String {
    let examples = examples(folder);
    let carts: Vec<_> = examples.iter().filter_map(|example| Some((example.name, example.cart?))).collect();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut changed = 0;
    for (name, cart) in &carts {
        let mut of_cart = changes_of(outcome(previous, name, cart), outcome(current, name, cart));
        changed += usize::from(!of_cart.is_empty());
        // A change in several lines of one order is one of this order.
        of_cart.sort();
        of_cart.dedup();
        for change in of_cart {
            *counts.entry(change).or_default() += 1;
        }
    }
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let more = counts.len().saturating_sub(MAX_CHANGES);
    let mut texts: Vec<String> =
        counts.into_iter().take(MAX_CHANGES).map(|(change, count)| format!("{change} ({count})")).collect();
    if more > 0 {
        texts.push(format!("and {more} more changes"));
    }
    let summary = format!("{changed} of {} examples", carts.len());
    if texts.is_empty() { summary } else { format!("{summary}: {}", texts.join("; ")) }
}

fn changes_of(before: Outcome, after: Outcome) -> Vec<String> {
    match (before, after) {
        (Outcome::Order(before), Outcome::Order(after)) => differences(&after, &before).iter().map(change).collect(),
        (Outcome::Order(_), Outcome::Refused(_)) => vec!["an order before, refused now".to_owned()],
        (Outcome::Refused(_), Outcome::Order(_)) => vec!["refused before, an order now".to_owned()],
        (Outcome::Refused(before), Outcome::Refused(after)) if before != after => {
            vec!["refused with other messages".to_owned()]
        }
        _ => Vec::new(),
    }
}

/// `regionCode "EMEA-SOUTH" → "EMEA-CENTRAL"`.
fn change(difference: &Difference) -> String {
    let field = difference.field();
    match &difference.kind {
        DifferenceKind::Lengths { found, expected } => format!("{field} {expected} → {found} entries"),
        DifferenceKind::Values { found, expected } => {
            let text = |value: &Option<Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), short);
            format!("{field} {} → {}", text(expected), text(found))
        }
    }
}
