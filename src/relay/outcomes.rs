//! Who waits for which order: all callers of one cart share its one outcome.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};

use crate::order::{Order, OrderId, State};

/// What is known of an order for which somebody waits.
#[derive(Debug, Default)]
struct Awaited {
    waiting: usize,
    latest: Option<Order>,
    wake: Vec<oneshot::Sender<()>>,
}

/// The outcomes that somebody waits for.
#[derive(Debug, Clone, Default)]
pub struct Outcomes {
    awaited: Arc<Mutex<BTreeMap<OrderId, Awaited>>>,
    begun: Arc<Notify>,
}

impl Outcomes {
    fn awaited(&self) -> MutexGuard<'_, BTreeMap<OrderId, Awaited>> {
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The orders for which somebody waits; waits for the first.
    pub async fn ids(&self) -> Vec<OrderId> {
        loop {
            let begun = self.begun.notified();
            let ids: Vec<OrderId> = self.awaited().keys().cloned().collect();
            if !ids.is_empty() {
                return ids;
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
    pub fn subscribe(&self, id: &OrderId) -> Subscription {
        self.awaited().entry(id.clone()).or_default().waiting += 1;
        self.begun.notify_one();
        Subscription { id: id.clone(), outcomes: self.clone() }
    }

    /// Tells everyone who waits for this order how it stands now that no attempt is under way.
    pub fn announce(&self, order: &Order) {
        let mut awaited = self.awaited();
        let Some(awaited) = awaited.get_mut(&order.id) else { return };
        if awaited.latest.as_ref().is_none_or(|latest| latest.revision < order.revision) {
            awaited.latest = Some(order.clone());
            for waiting in awaited.wake.drain(..) {
                // Who has gone needs no telling.
                let _ = waiting.send(());
            }
        }
    }
}

/// One caller's waiting; the last one to go cleans up.
#[derive(Debug)]
pub struct Subscription {
    id: OrderId,
    outcomes: Outcomes,
}

impl Subscription {
    /// The first outcome that is newer than `revision`: one that was announced for an earlier life of the order,
    /// before it was restarted, is not this caller's.
    pub async fn settled_after(&self, revision: u64) -> Order {
        self.first(|order| order.revision > revision && !order.state.is_open()).await
    }

    /// The end of the attempt that was under way at `revision`, whatever it came to.
    pub async fn at_rest_after(&self, revision: u64) -> Order {
        self.first(|order| order.revision > revision && order.state != State::Forwarding).await
    }

    async fn first(&self, wanted: impl Fn(&Order) -> bool) -> Order {
        loop {
            let woken = {
                let mut awaited = self.outcomes.awaited();
                let awaited = awaited.entry(self.id.clone()).or_default();
                if let Some(order) = awaited.latest.as_ref().filter(|order| wanted(order)) {
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

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut awaited = self.outcomes.awaited();
        if let Some(entry) = awaited.get_mut(&self.id) {
            entry.waiting -= 1;
            if entry.waiting == 0 {
                awaited.remove(&self.id);
            }
        }
    }
}
