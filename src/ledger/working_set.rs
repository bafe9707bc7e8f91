//! The orders that a group of writes touches, between the read and the write back. Pure, so that every backend decides
//! alike.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::group_commit::{Write, Written};
use super::open_orders::Census;
use super::outbox::OutboxWrite;
use super::purge::Purge;
use super::{LedgerError, Stored};
use crate::order::{self, Admission, AuditEntry, Order, OrderEvent, OrderId};

/// An order as the storage has it.
#[derive(Debug, Clone)]
pub struct Known {
    /// The order, or why its record can't be read.
    pub order: Result<Order, LedgerError>,
    /// Whether this process wrote it last.
    pub written_by_us: bool,
}

/// An order that has to be written back.
#[derive(Debug)]
pub enum Change<'a> {
    /// It was not there.
    New(&'a Order),
    /// It was there.
    Newer(&'a Order),
}

/// The effect of one write.
#[derive(Debug)]
pub enum Applied<'w> {
    /// It touched one order; this is its result once the changes are written back.
    ToAnOrder(Result<Written, LedgerError>),
    /// It removes what is old; the storage does that itself.
    ToAll(Purge),
    /// It changes the outbox alone; the storage does that itself.
    ToOutbox(&'w OutboxWrite),
}

/// What somebody did to an order, to be stored with the change.
#[derive(Debug, Clone)]
pub struct Audited {
    /// The order.
    pub order_id: OrderId,
    /// The cart number as sent.
    pub cart_number: String,
    /// What was done.
    pub entry: AuditEntry,
}

/// The orders of a group, as they are known and as they are changed.
#[derive(Debug)]
pub struct WorkingSet {
    known: BTreeMap<OrderId, Known>,
    /// Changed orders; true for those that were not there.
    changed: BTreeMap<OrderId, (Order, bool)>,
    /// Carts of admitted orders: to be stored, or to be removed because another one has taken its place.
    carts: BTreeMap<OrderId, Option<Arc<str>>>,
    /// What others should hear of the changes, in the order in which they were made.
    events: Vec<OrderEvent>,
    /// What people and senders did, in the same order.
    audited: Vec<Audited>,
}

impl WorkingSet {
    /// The orders that a group of writes touches, in the order in which they have to be locked.
    pub fn ids(group: &[Write]) -> Vec<OrderId> {
        let id = |write: &Write| match write {
            Write::Admit(candidate, ..) => Some(candidate.id.clone()),
            Write::Store(order) => Some(order.id.clone()),
            Write::Purge(_) | Write::Outbox(_) => None,
        };
        let mut ids: Vec<OrderId> = group.iter().filter_map(id).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Starts from what the storage has.
    pub const fn new(known: BTreeMap<OrderId, Known>) -> Self {
        Self { known, changed: BTreeMap::new(), carts: BTreeMap::new(), events: Vec::new(), audited: Vec::new() }
    }

    /// Applies one write.
    pub fn apply<'w>(&mut self, write: &'w Write) -> Applied<'w> {
        match write {
            Write::Admit(candidate, terms) => Applied::ToAnOrder(self.current(&candidate.id).map(|known| {
                let admission = order::admit(known, (**candidate).clone(), *terms);
                match &admission {
                    Admission::Started(order) if candidate.cart.is_none() => {
                        self.change(order.clone(), Some(terms.now));
                    }
                    Admission::Started(order) | Admission::Restarted(order) => {
                        self.change(order.clone(), Some(terms.now));
                        self.carts.insert(order.id.clone(), candidate.cart.clone());
                    }
                    Admission::Joined(_) | Admission::Replayed(_) | Admission::Conflicting(_) => {}
                }
                Written::Admitted(Box::new(admission))
            })),
            Write::Store(order) => Applied::ToAnOrder(
                self.current(&order.id).map(|known| Written::Stored(self.store(known, (**order).clone()))),
            ),
            Write::Purge(purge) => Applied::ToAll(*purge),
            Write::Outbox(write) => Applied::ToOutbox(write),
        }
    }

    /// The orders that have to be written back.
    pub fn changes(&self) -> impl Iterator<Item = Change<'_>> {
        self.changed.values().map(|(order, new)| if *new { Change::New(order) } else { Change::Newer(order) })
    }

    /// Whether the storage has the order with this body.
    pub fn has_known_body(&self, order: &Order) -> bool {
        let known = self.known.get(&order.id).and_then(|known| known.order.as_ref().ok());
        known.is_some_and(|known| known.body == order.body)
    }

    /// Whether the storage has the order where it is listed and searched: its receipt and its cart number are the same.
    pub fn has_known_place(&self, order: &Order) -> bool {
        let known = self.known.get(&order.id).and_then(|known| known.order.as_ref().ok());
        known.is_some_and(|known| known.received_at == order.received_at && known.cart_number == order.cart_number)
    }

    /// The changed orders, once they are written.
    pub fn into_changed(self) -> impl Iterator<Item = Order> {
        self.changed.into_values().map(|(order, _)| order)
    }

    /// What the changes do to the numbers of open and parked orders.
    pub fn census_changes(&self) -> Census {
        let mut changes = Census::default();
        for (order, _) in self.changed.values() {
            let known = self.known.get(&order.id).and_then(|known| known.order.as_ref().ok());
            changes.add_change(known.map(|known| known.state), order);
        }
        changes
    }

    /// The carts that have to be written with the changes: `None` for one that is no longer kept.
    pub fn carts(&self) -> impl Iterator<Item = (&OrderId, Option<&str>)> {
        self.carts.iter().map(|(id, cart)| (id, cart.as_deref()))
    }

    /// What others should hear of the changes, in the order in which they were made.
    pub fn events(&self) -> &[OrderEvent] {
        &self.events
    }

    /// What people and senders did, in the order in which it was done.
    pub fn audited(&self) -> &[Audited] {
        &self.audited
    }

    fn current(&self, id: &OrderId) -> Result<Option<Order>, LedgerError> {
        match self.changed.get(id) {
            Some((order, _)) => Ok(Some(order.clone())),
            None => self.known.get(id).map(|known| known.order.clone()).transpose(),
        }
    }

    fn change(&mut self, order: Order, now: Option<Timestamp>) {
        let before = match self.changed.get(&order.id) {
            Some((order, _)) => Some(order),
            None => self.known.get(&order.id).and_then(|known| known.order.as_ref().ok()),
        };
        self.events.extend(OrderEvent::of_change(before, &order, now));
        if let Some(entry) = order.audited_since(before) {
            let (order_id, cart_number) = (order.id.clone(), order.cart_number.clone());
            self.audited.push(Audited { order_id, cart_number, entry: entry.clone() });
        }
        let new = !self.known.contains_key(&order.id);
        self.changed.insert(order.id.clone(), (order, new));
    }

    /// The same write is repeated when its answer was lost, and is then made again, which renews the lease. Another
    /// process's write is never taken for it, even if both are equal.
    fn store(&mut self, known: Option<Order>, order: Order) -> Stored {
        let Some(known) = known else { return Stored::Superseded };
        let written_by_us =
            self.changed.contains_key(&order.id) || self.known.get(&order.id).is_some_and(|known| known.written_by_us);
        if known.revision + 1 == order.revision || (written_by_us && known == order) {
            self.change(order, None);
            Stored::Committed
        } else {
            Stored::Superseded
        }
    }
}
