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

/// A list of the sheet.
struct List<'s> {
    entry: &'s Object<Rule>,
    /// How deep in the cart its entries are: 1 items, 2 accounts.
    depth: usize,
    /// The entries that are left out, in the order of the cart, each with the row that says so.
    skipped: Vec<(Scope, &'s Rule)>,
}

/// What the sheet leaves out of one cart.
#[derive(Default)]
pub struct Skips<'s> {
    lists: Vec<List<'s>>,
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
        for index in 0..skips.lists.len() {
            let Some(&List { entry, depth, .. }) = skips.lists.get(index) else { break };
            let mut skipped = Vec::new();
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
                    skipped.push((scope, rule));
                }
            }
            if let Some(list) = skips.lists.get_mut(index) {
                list.skipped = skipped;
            }
        }
        (skips, mistakes)
    }

    /// True if the entry of a scope is left out of a list.
    pub fn leaves_out(&self, list: &Object<Rule>, scope: Scope) -> bool {
        self.lists.iter().any(|known| std::ptr::eq(known.entry, list) && known.leaves_out(scope))
    }

    /// True unless every list leaves out what the scope stands for: then it counts nowhere, not in the agreement of all
    /// items on one supplier either.
    pub fn counts(&self, scope: Scope) -> bool {
        if self.is_empty() {
            return true;
        }
        let mut lists = self.lists.iter().filter(|list| list.depth == scope.depth()).peekable();
        let in_a_list = lists.peek().is_none() || lists.any(|list| !list.leaves_out(scope));
        in_a_list && (scope.depth() < 2 || scope.item().is_none_or(|item| self.counts(Scope::Item(item))))
    }

    /// A mistake if nothing of the cart is left.
    pub fn nothing_left(&self, cart: &JoinedCart<'_>) -> Option<Message> {
        let nobody = !self.is_empty() && (0..cart.items.len()).all(|item| !self.counts(Scope::Item(item)));
        if !nobody {
            return None;
        }
        let reasons: Vec<String> =
            self.entries(cart).iter().filter(|entry| entry.account.is_none()).map(|entry| entry.reason(cart)).collect();
        let text = format!("ITEM: nothing is left to order: {}", reasons.join(", "));
        Some(Message::new(MessageCode::Section, text).at("ITEM", "", 0))
    }

    fn is_empty(&self) -> bool {
        self.lists.iter().all(|list| list.skipped.is_empty())
    }

    /// Every entry that is left out, for a preview.
    pub fn entries(&self, cart: &JoinedCart<'_>) -> Vec<SkippedEntry> {
        let entry = |(scope, rule): &(Scope, &Rule)| SkippedEntry {
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
        self.lists.iter().flat_map(|list| &list.skipped).map(entry).collect()
    }
}

impl List<'_> {
    fn leaves_out(&self, scope: Scope) -> bool {
        !self.skipped.is_empty() && self.skipped.binary_search_by_key(&scope, |(skipped, _)| *skipped).is_ok()
    }
}

impl SkippedEntry {
    /// `item 2 (NUMBER_INT 0000000020) skipped by row 17 (rejected by its approver)`.
    fn reason(&self, cart: &JoinedCart<'_>) -> String {
        let Self { item, row, source, remark, .. } = self;
        // Items are in the order of their positions.
        let at = cart.items.binary_search_by_key(item, |sent| sent.position).ok();
        let sent = at.and_then(|at| cart.items.get(at));
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
                lists.push(List { entry, depth, skipped: Vec::new() });
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
