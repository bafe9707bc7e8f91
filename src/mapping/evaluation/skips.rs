//! Entries that the sheet leaves out: `as` = `skip`.

use super::rule_evaluator::RuleEvaluator;
use crate::cart::{JoinedCart, Scope, item_label};
use crate::mapping::conversion::Conversion;
use crate::mapping::sheet::{Rule, Sheet, Source};
use crate::mapping::target::{Member, Object};
use crate::message::{Message, MessageCode};

/// An entry that the sheet leaves out of a list, and the row that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedEntry {
    /// The list, as the sheet writes it.
    pub target: String,
    /// Line of the sheet.
    pub row: u64,
    /// The column `source`.
    pub source: String,
    /// The item's position in the cart as sent, counted from 1.
    pub item: usize,
    /// The account of the item, counted from 1; missing where the whole item is left out.
    pub account: Option<usize>,
    /// The column `remark`.
    pub remark: String,
}

/// A list of the sheet, and how deep in the cart its entries are: 1 items, 2 accounts.
#[derive(Clone, Copy)]
struct List<'s> {
    entry: &'s Object<Rule>,
    depth: usize,
}

/// What the sheet leaves out of one cart.
#[derive(Default)]
pub struct Skips<'s> {
    lists: Vec<List<'s>>,
    skipped: Vec<(&'s Object<Rule>, Scope, &'s Rule)>,
}

impl<'s> Skips<'s> {
    /// Finds the entries of a cart that the sheet leaves out, and the mistakes in conditions of its rows.
    pub fn of(evaluator: &RuleEvaluator<'s>) -> (Self, Vec<Message>) {
        let (mut skips, mut mistakes) = (Self::default(), Vec::new());
        let (sheet, cart): (&'s Sheet, _) = (&evaluator.mapping.sheet, &evaluator.cart);
        if !sheet.has_skips {
            return (skips, mistakes);
        }
        find_lists(&sheet.root, 1, &mut skips.lists);
        // Items before accounts: an account goes with its item.
        skips.lists.sort_by_key(|list| list.depth);
        let lists = skips.lists.clone();
        for List { entry, depth } in lists {
            let rules = || entry.entry_rules.iter().filter(|rule| rule.conversion == Conversion::Skip);
            if rules().next().is_none() {
                continue;
            }
            for scope in scopes_at(cart, depth) {
                // An account goes with its item.
                let goes_with_its_item = depth > 1 && scope.item().is_some_and(|item| !skips.counts(Scope::Item(item)));
                if goes_with_its_item {
                    continue;
                }
                let mut counts = |rule: &&Rule| {
                    evaluator.counts(rule, scope).unwrap_or_else(|mistake| {
                        mistakes.push(*mistake);
                        false
                    })
                };
                if let Some(rule) = rules().find(|rule| has_such_row(rule, cart, scope) && counts(rule)) {
                    skips.skipped.push((entry, scope, rule));
                }
            }
        }
        (skips, mistakes)
    }

    /// True if the entry of a scope is left out of a list.
    pub fn leaves_out(&self, list: &Object<Rule>, scope: Scope) -> bool {
        self.skipped.iter().any(|(entry, skipped, _)| *skipped == scope && std::ptr::eq(*entry, list))
    }

    /// True unless every list leaves out what the scope stands for: then it counts nowhere, not in the agreement of all
    /// items on one supplier either.
    pub fn counts(&self, scope: Scope) -> bool {
        if self.skipped.is_empty() {
            return true;
        }
        let mut lists = self.lists.iter().filter(|list| list.depth == scope.depth()).peekable();
        let in_a_list = lists.peek().is_none() || lists.any(|list| !self.leaves_out(list.entry, scope));
        in_a_list && (scope.depth() < 2 || scope.item().is_none_or(|item| self.counts(Scope::Item(item))))
    }

    /// A mistake if nothing of the cart is left.
    pub fn nothing_left(&self, cart: &JoinedCart<'_>) -> Option<Message> {
        let nobody = !self.skipped.is_empty() && (0..cart.items.len()).all(|item| !self.counts(Scope::Item(item)));
        if !nobody {
            return None;
        }
        let reasons: Vec<String> =
            self.entries(cart).iter().filter(|entry| entry.account.is_none()).map(|entry| entry.reason(cart)).collect();
        let text = format!("ITEM: nothing is left to order: {}", reasons.join(", "));
        Some(Message::new(MessageCode::Section, text).at("ITEM", "", 0))
    }

    /// Every entry that is left out, for a preview.
    pub fn entries(&self, cart: &JoinedCart<'_>) -> Vec<SkippedEntry> {
        let entry = |(_, scope, rule): &(&Object<Rule>, Scope, &Rule)| SkippedEntry {
            target: rule.target.clone(),
            row: rule.line,
            source: rule.source_text.clone(),
            item: cart.position(*scope),
            account: match scope {
                Scope::Account(_, account) => Some(account + 1),
                _ => None,
            },
            remark: rule.remark.clone(),
        };
        self.skipped.iter().map(entry).collect()
    }
}

impl SkippedEntry {
    /// `item 2 (NUMBER_INT 0000000020) skipped by row 17 (rejected by its approver)`.
    fn reason(&self, cart: &JoinedCart<'_>) -> String {
        let Self { item, row, source, remark, .. } = self;
        let sent = cart.items.iter().find(|sent| sent.position == *item);
        let item = sent.map_or_else(|| format!("item {item}"), |sent| item_label(sent.row, sent.position));
        let why = if remark.is_empty() { source } else { remark };
        format!("{item} skipped by row {row} ({why})")
    }
}

fn find_lists<'s>(object: &'s Object<Rule>, depth: usize, lists: &mut Vec<List<'s>>) {
    for (_, member) in &object.members {
        match member {
            Member::Field(_) => {}
            Member::Object(inner) => find_lists(inner, depth, lists),
            Member::List(entry) => {
                lists.push(List { entry, depth });
                find_lists(entry, depth + 1, lists);
            }
        }
    }
}

fn scopes_at(cart: &JoinedCart<'_>, depth: usize) -> Vec<Scope> {
    (0..depth)
        .fold(vec![Scope::Header], |scopes, _| scopes.into_iter().flat_map(|scope| cart.scopes_below(scope)).collect())
}

/// True if a row that belongs to the entry itself fulfils the conditions. What belongs to the header says nothing about one
/// item; of an item, any of its accounts counts.
pub fn has_such_row(rule: &Rule, cart: &JoinedCart<'_>, scope: Scope) -> bool {
    rule.sources.iter().filter_map(Source::selection).any(|selection| cart.own_rows(selection, scope).next().is_some())
}
