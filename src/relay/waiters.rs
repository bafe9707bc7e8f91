//! Who waits for which order: all callers of one cart share its one outcome.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};

use crate::order::{Order, OrderId, State};

/// What is known of an order for which somebody waits.
#[derive(Debug, Default)]
struct Awaited {
    waiting: usize,
    /// What was announced while somebody waited, oldest first: a caller's outcome is the first that is newer than its
    /// cart, also if the order has been tried anew with another cart since.
    announced: Vec<Order>,
    /// The least revision that somebody waits to see surpassed.
    since: Option<u64>,
    wake: Vec<oneshot::Sender<()>>,
}

/// The waiters that somebody waits for.
#[derive(Debug, Clone, Default)]
pub struct Waiters {
    awaited: Arc<Mutex<BTreeMap<OrderId, Awaited>>>,
    begun: Arc<Notify>,
}

impl Waiters {
    fn awaited(&self) -> MutexGuard<'_, BTreeMap<OrderId, Awaited>> {
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The orders for whose outcome somebody waits, and since which revision; waits for the first.
    pub async fn awaited_since(&self) -> Vec<(OrderId, u64)> {
        loop {
            let begun = self.begun.notified();
            let since = |(id, awaited): (&OrderId, &Awaited)| {
                let known = awaited.announced.last().map(|order| order.revision);
                Some((id.clone(), awaited.since?.max(known.unwrap_or(0))))
            };
            let orders: Vec<(OrderId, u64)> = self.awaited().iter().filter_map(since).collect();
            if !orders.is_empty() {
                return orders;
            }
            begun.await;
        }
    }

    /// Whether nobody waits.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.awaited().is_empty()
    }

    /// Begins to wait for an order.
    pub fn subscribe(&self, id: &OrderId) -> Waiter {
        self.awaited().entry(id.clone()).or_default().waiting += 1;
        Waiter { id: id.clone(), waiters: self.clone() }
    }

    /// Tells everyone who waits for this order how it stands now that no attempt is under way.
    pub fn announce(&self, order: &Order) {
        let mut awaited = self.awaited();
        let Some(awaited) = awaited.get_mut(&order.id) else { return };
        if awaited.announced.last().is_none_or(|latest| latest.revision < order.revision) {
            awaited.announced.push(order.clone());
            for waiting in awaited.wake.drain(..) {
                // Who has gone needs no telling.
                let _ = waiting.send(());
            }
        }
    }
}

/// One caller's waiting; the last one to go cleans up.
#[derive(Debug)]
pub struct Waiter {
    id: OrderId,
    waiters: Waiters,
}

impl Waiter {
    /// The first outcome that is newer than `revision`: one that was announced for an earlier life of the order,
    /// before it was restarted, is not this caller's.
    pub async fn settled_after(&self, revision: u64) -> Order {
        {
            let mut awaited = self.waiters.awaited();
            let since = &mut awaited.entry(self.id.clone()).or_default().since;
            *since = Some(since.map_or(revision, |since| since.min(revision)));
        }
        self.waiters.begun.notify_one();
        self.first(|order| order.revision > revision && !order.state.is_open()).await
    }

    /// The end of the attempt that was under way at `revision`, whatever it came to.
    pub async fn at_rest_after(&self, revision: u64) -> Order {
        self.first(|order| order.revision > revision && order.state != State::Forwarding).await
    }

    async fn first(&self, wanted: impl Fn(&Order) -> bool) -> Order {
        loop {
            let woken = {
                let mut awaited = self.waiters.awaited();
                let awaited = awaited.entry(self.id.clone()).or_default();
                if let Some(order) = awaited.announced.iter().find(|order| wanted(order)) {
                    return order.clone();
                }
                let (wake, woken) = oneshot::channel();
                awaited.wake.push(wake);
                woken
            };
            // An error means that the sender was drained: look again.
            let _ = woken.await;
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut awaited = self.waiters.awaited();
        if let Some(entry) = awaited.get_mut(&self.id) {
            entry.waiting -= 1;
            if entry.waiting == 0 {
                awaited.remove(&self.id);
            }
        }
    }
}
