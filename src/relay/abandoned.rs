//! Orders whose attempt has ended, and whose end the ledger can't hold in any form: only a person can settle them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::order::{Order, OrderId};

/// The orders, each with the revision at which its attempt began. Empty but for defects.
#[derive(Debug, Default)]
pub struct Abandoned {
    revisions: Mutex<HashMap<OrderId, u64>>,
}

impl Abandoned {
    fn revisions(&self) -> MutexGuard<'_, HashMap<OrderId, u64>> {
        self.revisions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes an order of which the ledger refused the change that `refused` holds.
    pub fn note(&self, refused: &Order) {
        self.revisions().insert(refused.id.clone(), refused.revision - 1);
    }

    /// Whether nobody makes the attempt that an order's record shows any more.
    pub fn contains(&self, order: &Order) -> bool {
        self.revisions().get(&order.id) == Some(&order.revision)
    }

    /// Forgets an order that is settled.
    pub fn forget(&self, id: &OrderId) {
        self.revisions().remove(id);
    }
}
