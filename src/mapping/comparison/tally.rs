//! Counts of what differs, in bounded memory.

use std::collections::HashMap;
use std::hash::Hash;

/// Kinds that are told apart: a field that differs in each order otherwise, such as a text, must not fill the memory.
const MAX_KINDS: usize = 1_000;

/// Carts that are named for each kind: enough to look at, few enough for a line.
const MAX_CARTS: usize = 3;

/// How often something differs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Count {
    /// Orders in which it does.
    pub orders: u64,
    /// Places in all of them.
    pub places: u64,
    /// The first few carts, by number.
    pub carts: Vec<String>,
    last_order: u64,
}

impl Count {
    fn add(&mut self, order: &ComparedOrder<'_>) {
        self.places += 1;
        if self.last_order == order.position {
            return;
        }
        self.last_order = order.position;
        self.orders += 1;
        if self.carts.len() < MAX_CARTS {
            self.carts.push(order.cart.to_owned());
        }
    }
}

/// The order that is counted.
#[derive(Debug, Clone, Copy)]
pub struct ComparedOrder<'c> {
    /// Its position among all orders, from 1.
    pub position: u64,
    /// How its cart is named.
    pub cart: &'c str,
}

/// Counts by kind, of the first kinds that come.
#[derive(Debug, Clone)]
pub struct Tally<K> {
    kinds: HashMap<K, Count>,
    /// All kinds together.
    pub all: Count,
    /// Kinds beyond the first ones, which are not told apart.
    pub beyond: Count,
}

impl<K> Default for Tally<K> {
    fn default() -> Self {
        Self { kinds: HashMap::new(), all: Count::default(), beyond: Count::default() }
    }
}

impl<K: Eq + Hash + Ord> Tally<K> {
    /// Counts one place of an order.
    pub fn add(&mut self, kind: K, order: &ComparedOrder<'_>) {
        self.all.add(order);
        if let Some(count) = self.kinds.get_mut(&kind) {
            count.add(order);
        } else if self.kinds.len() < MAX_KINDS {
            self.kinds.entry(kind).or_default().add(order);
        } else {
            self.beyond.add(order);
        }
    }

    /// Whether nothing was counted.
    pub const fn is_empty(&self) -> bool {
        self.all.places == 0
    }

    /// The number of kinds that are told apart.
    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    /// The kinds, the most frequent first.
    pub fn sorted(&self) -> Vec<(&K, &Count)> {
        let mut kinds: Vec<(&K, &Count)> = self.kinds.iter().collect();
        kinds.sort_by(|(kind, count), (other, other_count)| {
            (other_count.orders, other_count.places).cmp(&(count.orders, count.places)).then_with(|| kind.cmp(other))
        });
        kinds
    }
}
