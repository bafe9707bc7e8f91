//! The callers that wait for an order's outcome: all callers of one cart share it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};

use crate::order::{Order, OrderId, State};

/// What is known of an order for which somebody waits.
#[derive(Debug, Default)]
struct Awaited {
    waiters: usize,
    /// What was published while somebody waited, oldest first. A caller's outcome is the first that is newer than its
    /// cart, even if the order has been restarted with another cart since.
    published: Vec<Arc<Order>>,
    /// The lowest revision after which somebody waits for an outcome.
    since: Option<u64>,
    wake: Vec<oneshot::Sender<()>>,
}

/// The callers that wait, by order.
#[derive(Debug, Clone, Default)]
pub struct Waiters {
    orders: Arc<Mutex<BTreeMap<OrderId, Awaited>>>,
    /// A caller has begun to wait for an outcome.
    begun: Arc<Notify>,
}

impl Waiters {
    fn orders(&self) -> MutexGuard<'_, BTreeMap<OrderId, Awaited>> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The orders whose outcome is awaited, each with the revision after which; waits until there is one.
    pub async fn awaited(&self) -> Vec<(OrderId, u64)> {
        loop {
            let begun = self.begun.notified();
            let since = |(id, awaited): (&OrderId, &Awaited)| {
                let known = awaited.published.last().map(|order| order.revision);
                Some((id.clone(), awaited.since?.max(known.unwrap_or(0))))
            };
            let orders: Vec<(OrderId, u64)> = self.orders().iter().filter_map(since).collect();
            if !orders.is_empty() {
                return orders;
            }
            begun.await;
        }
    }

    /// Whether nobody waits.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.orders().is_empty()
    }

    /// Begins to wait for an order.
    pub fn subscribe(&self, id: &OrderId) -> Waiter {
        self.orders().entry(id.clone()).or_default().waiters += 1;
        Waiter { id: id.clone(), waiters: self.clone() }
    }

    /// Gives an order whose attempt has ended to everyone who waits for it; they share it.
    pub fn publish(&self, order: Order) {
        let mut orders = self.orders();
        let Some(awaited) = orders.get_mut(&order.id) else { return };
        if awaited.published.last().is_none_or(|latest| latest.revision < order.revision) {
            awaited.published.push(Arc::new(order.without_content()));
            for waiter in awaited.wake.drain(..) {
                // An error means that the waiter has gone.
                let _ = waiter.send(());
            }
        }
    }
}

/// One caller's waiting; the last one to end removes the order.
#[derive(Debug)]
pub struct Waiter {
    id: OrderId,
    waiters: Waiters,
}

impl Waiter {
    /// Waits for the first outcome that is newer than `revision`; an outcome from before the order's restart is not
    /// this caller's.
    pub async fn settled_after(&self, revision: u64) -> Arc<Order> {
        {
            let mut orders = self.waiters.orders();
            let since = &mut orders.entry(self.id.clone()).or_default().since;
            *since = Some(since.map_or(revision, |since| since.min(revision)));
        }
        self.waiters.begun.notify_one();
        self.first(|order| order.revision > revision && !order.state.is_open()).await
    }

    /// Waits for the end of the attempt that was under way at `revision`, whatever its outcome.
    pub async fn attempt_ended_after(&self, revision: u64) {
        self.first(|order| order.revision > revision && order.state != State::Forwarding).await;
    }

    async fn first(&self, wanted: impl Fn(&Order) -> bool) -> Arc<Order> {
        loop {
            let woken = {
                let mut orders = self.waiters.orders();
                let awaited = orders.entry(self.id.clone()).or_default();
                if let Some(order) = awaited.published.iter().find(|order| wanted(order)) {
                    return Arc::clone(order);
                }
                let (wake, woken) = oneshot::channel();
                awaited.wake.push(wake);
                woken
            };
            // An error means that the sender was dropped: the orders are read again.
            let _ = woken.await;
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut orders = self.waiters.orders();
        if let Some(awaited) = orders.get_mut(&self.id) {
            awaited.waiters -= 1;
            if awaited.waiters == 0 {
                orders.remove(&self.id);
            }
        }
    }
}
