//! A ledger that is lost, and put back from a backup.

use std::collections::BTreeMap;

use jiff::Timestamp;
use purchase_order_webhook::order::OrderId;

use crate::outbox::OutboxRow;
use crate::world::{Row, World};

/// The ledger at an earlier time.
#[derive(Debug, Clone)]
pub struct Backup {
    pub taken_at: Timestamp,
    rows: BTreeMap<OrderId, Row>,
    outbox: Vec<OutboxRow>,
}

impl World {
    pub fn back_up(&mut self) {
        self.record("the ledger is backed up");
        self.backup = Some(Backup { taken_at: self.now, rows: self.rows.clone(), outbox: self.outbox.clone() });
    }

    /// Puts the backup back, after every process has ended; returns its time.
    pub fn restore(&mut self) -> Option<Timestamp> {
        let Backup { taken_at, rows, outbox } = self.backup.take()?;
        self.record("the ledger is lost, and the backup put back");
        self.cancel_writes();
        self.rows = rows;
        self.outbox = outbox;
        self.expect_outbox_alone();
        let now = self.now;
        let history = self.rows.iter().map(|(id, row)| (id.clone(), vec![(now, row.order.clone())]));
        self.history = history.collect();
        self.forget_what_was_lost();
        Some(taken_at)
    }
}
