//! The comparison of two mappings on the same carts: which orders would differ, and how.
//!
//! Pure. Counts in bounded memory, however many carts there are. Its results are a text for people, one line for the log, and
//! a report with a stable form.

mod difference;
mod report;
mod tally;
#[cfg(test)]
mod tests;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use super::compiled::Mapping;
use super::example_name::amounts_of;
use super::examples::examples;
use super::folder::Folder;
use super::result::{Mapped, is_mistake};
use super::sheet::{Rule, Source};
use super::target::{Member, Object};
use crate::cart::Cart;
use crate::message::Message;
use difference::{Change, differences};
use tally::{ComparedOrder, Tally};

pub use report::Report;

/// The member of the report for the id under which the service itself knows an order.
const ORDER_ID: &str = "id";

/// What was said of a cart.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct MessageKind {
    number: String,
    text: String,
}

impl MessageKind {
    fn of(message: &Message) -> Self {
        Self { number: message.number.clone(), text: message.message.clone() }
    }
}

/// A message that one mapping has and the other has not.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum MessageChange {
    Newly(MessageKind),
    NoLonger(MessageKind),
}

/// Two mappings, and what differs in the carts that were compared so far.
#[derive(Debug)]
pub struct Comparison<'m> {
    old: &'m Mapping,
    new: &'m Mapping,
    /// Fields of the body that are the order's identity in one of the sheets.
    id_fields: BTreeSet<String>,
    found: Findings,
}

/// What differs, counted.
#[derive(Debug, Default)]
struct Findings {
    carts: u64,
    /// Carts that are none, whatever the mapping is.
    unreadable: Tally<String>,
    differing: u64,
    refused_by_both: u64,
    ids: BTreeMap<String, Tally<Change>>,
    fields: BTreeMap<String, Tally<Change>>,
    refused_now: Tally<MessageKind>,
    mapped_now: Tally<MessageKind>,
    refused_otherwise: Tally<MessageChange>,
    warnings: Tally<MessageChange>,
}

impl<'m> Comparison<'m> {
    /// Begins a comparison.
    pub fn new(old: &'m Mapping, new: &'m Mapping) -> Self {
        let mut id_fields = BTreeSet::new();
        for mapping in [old, new] {
            collect_id_fields(&mapping.sheet.root, "", &mut id_fields);
        }
        Self { old, new, id_fields, found: Findings::default() }
    }

    /// Compares two mappings on the examples of a folder, as a reload does.
    pub fn of_examples(old: &'m Mapping, new: &'m Mapping, folder: &Folder) -> Self {
        let mut comparison = Self::new(old, new);
        for example in examples(folder) {
            let Some(text) = example.cart else { continue };
            let Ok(cart) = Cart::parse(text) else {
                comparison.add_unreadable(example.name, "it is no cart");
                continue;
            };
            let (old, new) = match amounts_of(example.name) {
                Some(amounts) => (old.with_amounts(amounts).map(&cart), new.with_amounts(amounts).map(&cart)),
                None => (old.map(&cart), new.map(&cart)),
            };
            comparison.add_results(&cart, example.name, old, new);
        }
        comparison
    }

    /// Maps one more cart by both. `name` names it where it has no number.
    pub fn add(&mut self, cart: &Cart<'_>, name: &str) {
        self.add_results(cart, name, self.old.map(cart), self.new.map(cart));
    }

    /// Counts a text that is no cart, whatever the mapping is.
    pub fn add_unreadable(&mut self, name: &str, why: &str) {
        self.found.carts += 1;
        self.found.unreadable.add(why.to_owned(), &ComparedOrder { position: self.found.carts, cart: name });
    }

    /// Carts so far.
    pub const fn carts(&self) -> u64 {
        self.found.carts
    }

    /// Texts that are no carts.
    pub const fn unreadable(&self) -> u64 {
        self.found.unreadable.all.orders
    }

    /// Whether neither an order nor a message differs.
    pub fn is_without_difference(&self) -> bool {
        self.found.differing == 0 && self.found.refused_otherwise.is_empty() && self.found.warnings.is_empty()
    }

    /// What was found, in a form for programs.
    pub fn report(&self) -> Report {
        Report::of(self)
    }

    fn add_results(
        &mut self,
        cart: &Cart<'_>,
        name: &str,
        old: Result<Mapped, Vec<Message>>,
        new: Result<Mapped, Vec<Message>>,
    ) {
        let found = &mut self.found;
        found.carts += 1;
        let number = if cart.number().is_empty() { name } else { cart.number() };
        let order = ComparedOrder { position: found.carts, cart: number };
        match (old, new) {
            (Ok(old), Ok(new)) => {
                found.add_warnings(&old.warnings, &new.warnings, &order);
                found.add_bodies(&self.id_fields, &old, &new, &order);
            }
            (Ok(_), Err(messages)) => {
                found.differing += 1;
                messages.iter().filter(|message| is_mistake(message)).for_each(|message| {
                    found.refused_now.add(MessageKind::of(message), &order);
                });
            }
            (Err(messages), Ok(_)) => {
                found.differing += 1;
                messages.iter().filter(|message| is_mistake(message)).for_each(|message| {
                    found.mapped_now.add(MessageKind::of(message), &order);
                });
            }
            (Err(old), Err(new)) => {
                found.refused_by_both += 1;
                for change in message_changes(&old, &new) {
                    found.refused_otherwise.add(change, &order);
                }
            }
        }
    }
}

impl Findings {
    fn add_warnings(&mut self, old: &[Message], new: &[Message], order: &ComparedOrder<'_>) {
        if old == new {
            return;
        }
        for change in message_changes(old, new) {
            self.warnings.add(change, order);
        }
    }

    fn add_bodies(&mut self, id_fields: &BTreeSet<String>, old: &Mapped, new: &Mapped, order: &ComparedOrder<'_>) {
        let mut differs = false;
        if old.id != new.id {
            differs = true;
            let id = |mapped: &Mapped| Some(serde_json::Value::from(mapped.id.as_str()).to_string());
            let change = Change::Value { old: id(old), new: id(new) };
            self.ids.entry(ORDER_ID.to_owned()).or_default().add(change, order);
        }
        // Nearly all orders are alike, and their texts say so.
        if old.body != new.body {
            for (field, change) in differences(&old.order(), &new.order()) {
                differs = true;
                let fields = if id_fields.contains(&field) { &mut self.ids } else { &mut self.fields };
                fields.entry(field).or_default().add(change, order);
            }
        }
        self.differing += u64::from(differs);
    }
}

/// Messages that one of two lists has more of than the other.
fn message_changes(old: &[Message], new: &[Message]) -> Vec<MessageChange> {
    let mut balance: BTreeMap<MessageKind, i64> = BTreeMap::new();
    for message in new {
        *balance.entry(MessageKind::of(message)).or_default() += 1;
    }
    for message in old {
        *balance.entry(MessageKind::of(message)).or_default() -= 1;
    }
    let changes = balance.into_iter().filter(|(_, more)| *more != 0);
    changes
        .map(|(message, more)| if more > 0 { MessageChange::Newly(message) } else { MessageChange::NoLonger(message) })
        .collect()
}

/// The paths of all fields that read the order's id.
fn collect_id_fields(object: &Object<Rule>, path: &str, found: &mut BTreeSet<String>) {
    for (name, member) in &object.members {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match member {
            Member::Field(rule) if rule.rows().any(|row| row.sources.contains(&Source::Id)) => drop(found.insert(path)),
            Member::Field(_) => {}
            Member::Object(inner) => collect_id_fields(inner, &path, found),
            Member::List(inner) => collect_id_fields(inner, &format!("{path}[]"), found),
        }
    }
}
