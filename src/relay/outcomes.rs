//! Who waits for which order: all callers of one cart share its one outcome.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::order::{Order, OrderId};

type Waiting = HashMap<OrderId, watch::Sender<Option<Order>>>;

/// The outcomes that somebody waits for.
#[derive(Debug, Clone, Default)]
pub struct Outcomes {
    waiting: Arc<Mutex<Waiting>>,
}

impl Outcomes {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nobody waits.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.waiting().is_empty()
    }

    /// Begins to wait for an order.
    pub fn subscribe(&self, id: &OrderId) -> Subscription {
        let receiver = self.waiting().entry(id.clone()).or_insert_with(|| watch::Sender::new(None)).subscribe();
        Subscription { receiver: Some(receiver), id: id.clone(), outcomes: self.clone() }
    }

    /// Tells everyone who waits for this order.
    pub fn announce(&self, order: Order) {
        if let Some(sender) = self.waiting().get(&order.id) {
            sender.send_replace(Some(order));
        }
    }
}

/// One caller's waiting; the last one to go cleans up.
#[derive(Debug)]
pub struct Subscription {
    receiver: Option<watch::Receiver<Option<Order>>>,
    id: OrderId,
    outcomes: Outcomes,
}

impl Subscription {
    /// The first outcome that is newer than `revision`: one that was announced for an earlier life of the order,
    /// before it was restarted, is not this caller's.
    pub async fn after(&mut self, revision: u64) -> Order {
        let newer = |order: &Option<Order>| order.as_ref().is_some_and(|order| order.revision > revision);
        if let Some(receiver) = &mut self.receiver
            && let Ok(order) = receiver.wait_for(newer).await
            && let Some(order) = order.clone()
        {
            return order;
        }
        // The sender stays as long as there are receivers: not reached, and waiting is what a caller does.
        std::future::pending().await
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.receiver = None;
        let mut waiting = self.outcomes.waiting();
        if waiting.get(&self.id).is_some_and(|sender| sender.receiver_count() == 0) {
            waiting.remove(&self.id);
        }
    }
}
