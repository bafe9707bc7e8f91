//! Open orders that the writer wrote last, so that their next change need not read them.
//!
//! This process holds the file alone, so what it wrote is what the file has. A group takes its orders out, and puts them back
//! when it is committed: whatever else becomes of the group, they are read from the file.

use quick_cache::Weighter;
use quick_cache::unsync::Cache;

use crate::order::{Order, OrderId};

/// Most bytes that are kept: a thousand orders of usual carts.
const MAX_BYTES: u64 = 8 * 1024 * 1024;

/// Bytes of an order but for its body, with its attempts.
const PROGRESS_BYTES: usize = 2 * 1024;

/// The bytes that an order takes.
#[derive(Debug, Clone)]
struct Bytes;

impl Weighter<OrderId, Order> for Bytes {
    fn weight(&self, _: &OrderId, order: &Order) -> u64 {
        u64::try_from(order.body.len() + PROGRESS_BYTES).unwrap_or(u64::MAX)
    }
}

/// The orders, as many as there is room for.
#[derive(Debug)]
pub struct OpenInMemory(Cache<OrderId, Order, Bytes>);

impl Default for OpenInMemory {
    fn default() -> Self {
        let usual = usize::try_from(MAX_BYTES).unwrap_or(usize::MAX) / (4 * PROGRESS_BYTES);
        Self(Cache::with_weighter(usual, MAX_BYTES, Bytes))
    }
}

impl OpenInMemory {
    /// Takes an order out.
    pub fn take(&mut self, id: &OrderId) -> Option<Order> {
        self.0.remove(id).map(|(_, order)| order)
    }

    /// Keeps orders as they were committed. Settled ones mostly change no more.
    pub fn keep(&mut self, orders: impl Iterator<Item = Order>) {
        for order in orders.filter(|order| order.state.is_open()) {
            self.0.insert(order.id.clone(), order);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;
    use crate::order::{Admission, Candidate, PropagatedHeaders, Requester, State, Terms, admit};

    fn order(id: &str, body: &str) -> Order {
        let candidate = Candidate {
            id: OrderId::of(id),
            cart_number: String::new(),
            fingerprint: String::new(),
            body: body.to_owned(),
            mapping_version: String::new(),
            warnings: Vec::new(),
            propagated_headers: PropagatedHeaders::default(),
            requester: Requester::default(),
            cart: None,
        };
        match admit(None, candidate, Terms::new(Timestamp::UNIX_EPOCH, Duration::ZERO)) {
            Admission::Started(order) => order,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_open_order_is_kept_until_it_is_taken() {
        let mut open = OpenInMemory::default();
        let settled = Order { state: State::Created, ..order("2", "{}") };
        open.keep([order("1", "{}"), settled].into_iter());
        assert_eq!(open.take(&OrderId::of("2")), None);
        assert_eq!(open.take(&OrderId::of("1")), Some(order("1", "{}")));
        assert_eq!(open.take(&OrderId::of("1")), None);
    }

    #[test]
    fn orders_beyond_the_room_are_left_to_the_file() {
        let mut open = OpenInMemory::default();
        let large = "x".repeat(1024 * 1024);
        open.keep((0..50).map(|number| order(&number.to_string(), &large)));
        let kept = (0..50).filter(|number| open.take(&OrderId::of(&number.to_string())).is_some()).count();
        assert!((1..=8).contains(&kept), "{kept}");
    }
}
