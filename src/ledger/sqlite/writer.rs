//! The writer of a file: a group of writes is one transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior, params};

use super::carts::write_carts;
use super::last_write::LastWrite;
use super::note::Note;
use super::open_in_memory::OpenInMemory;
use super::orders::{Found, find_whole, purge};
use super::packed::pack;
use super::readiness::LastResult;
use super::schema::LedgerConnection;
use super::{audit, outbox, session};
use crate::ledger::group_commit::{Backend, Write, Written};
use crate::ledger::outbox::Recipients;
use crate::ledger::purge::{Purge, Purged};
use crate::ledger::statistics::LedgerStatistics;
use crate::ledger::working_set::{Applied, Change, Known, WorkingSet};
use crate::ledger::{LedgerError, indexed_cart_number};
use crate::order::{Order, OrderId};

/// The writer. Its fields are dropped in this order, after the clean end.
pub struct Writer {
    /// Its connection.
    pub link: LedgerConnection,
    /// The note of the last write.
    pub note: Note,
    /// How the last commit went, for readiness.
    pub last_result: Arc<LastResult>,
    /// Who hears of changes.
    pub recipients: Recipients,
    /// The numbers of open orders.
    pub statistics: Arc<LedgerStatistics>,
    /// Orders that it wrote.
    pub open: OpenInMemory,
}

impl Backend for Writer {
    fn commit(&mut self, group: &[Write]) -> Result<Vec<Result<Written, LedgerError>>, LedgerError> {
        let committed = self.commit_in_place(group);
        if matches!(committed, Err(LedgerError::Unavailable(_))) {
            self.last_result.failed();
        }
        committed
    }
}

impl Writer {
    fn commit_in_place(&mut self, group: &[Write]) -> Result<Vec<Result<Written, LedgerError>>, LedgerError> {
        let counted = self.statistics.open_orders.begin_commit();
        // Dropping the transaction on an error rolls it back: all or nothing.
        let transaction = self.link.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (known, with_body) = known(&transaction, &mut self.open, &WorkingSet::ids(group))?;
        let mut orders = WorkingSet::new(known);
        let applied: Vec<_> = group.iter().map(|write| orders.apply(write)).collect();
        let mut last_write = None;
        for change in orders.changes() {
            let (Change::New(order) | Change::Newer(order)) = change;
            let stored = Stored {
                body: !with_body.contains(&order.id) && orders.has_known_body(order),
                place: orders.has_known_place(order),
            };
            write_back(&transaction, &change, stored)?;
            last_write = Some(order);
        }
        let mut last_write = last_write.map(LastWrite::of);
        write_carts(&transaction, &orders)?;
        audit::insert(&transaction, orders.audited())?;
        let messages = self.recipients.messages(orders.events());
        outbox::insert(&transaction, &messages)?;
        let mut removed = 0;
        let mut written = Vec::with_capacity(group.len());
        for applied in applied {
            written.push(match applied {
                Applied::ToAnOrder(result) => result,
                // After the changes, so that an order that the group restarts is not removed.
                Applied::ToAll(Purge::Orders(before)) => {
                    let count = purge(&transaction, before)?;
                    removed += count;
                    Ok(Written::Purged(Purged::Orders(count)))
                }
                Applied::ToAll(Purge::Audit { before, after }) => {
                    Ok(Written::Purged(Purged::Audit(audit::purge(&transaction, before, after)?)))
                }
                Applied::ToOutbox(write) => Ok(Written::Outbox(outbox::write(&transaction, write)?)),
            });
        }
        if removed > 0 {
            // Before the note is taken back, which the failure of a commit leaves so.
            self.link.files.check()?;
            let noted = self.note.withdraw()?.clone();
            let mut remaining =
                last_write.into_iter().chain([noted]).filter(|write| write.is_in(&transaction) == Ok(true));
            last_write = Some(remaining.next().map_or_else(|| LastWrite::newest(&transaction), Ok)?);
        }
        // At the last moment: what is written into a file that was taken away is gone after a restart.
        self.link.files.check()?;
        transaction.commit()?;
        counted.is_done(orders.census_changes());
        if let Some(last_write) = last_write {
            self.last_result.written();
            self.note.set(last_write);
        }
        if !messages.is_empty() || group.iter().any(Write::has_messages) {
            self.recipients.ring();
        }
        self.open.keep(orders.into_changed());
        Ok(written)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Without a clean end, the next start finds the log.
        if self.link.files.check().is_ok() {
            let _ = session::end(&self.link.connection);
        }
    }
}

/// The orders that a group touches, from memory or the file; and those whose records in the file have their bodies. This process
/// holds the file alone, so it wrote them, now or before its last restart.
fn known(
    connection: &Connection,
    open: &mut OpenInMemory,
    ids: &[OrderId],
) -> Result<(BTreeMap<OrderId, Known>, BTreeSet<OrderId>), LedgerError> {
    let (mut known, mut with_body) = (BTreeMap::new(), BTreeSet::new());
    for id in ids {
        let order = match open.take(id) {
            Some(order) => Ok(order),
            None => match find_whole(connection, id) {
                Ok(None) => continue,
                Ok(Some(Found { order, has_body_in_record })) => {
                    if has_body_in_record {
                        with_body.insert(id.clone());
                    }
                    Ok(order)
                }
                Err(error @ LedgerError::Unreadable { .. }) => Err(error),
                Err(error) => return Err(error),
            },
        };
        known.insert(id.clone(), Known { order, written_by_us: true });
    }
    Ok((known, with_body))
}

/// What the file has of an order already, as it is to be written.
#[derive(Debug, Clone, Copy)]
struct Stored {
    body: bool,
    /// Its receipt and its cart number, by which it is found. SQLite writes the indexes of all columns that a statement sets,
    /// also of those that stay as they are.
    place: bool,
}

/// Writes an order, without what the file has already.
fn write_back(connection: &Connection, change: &Change<'_>, stored: Stored) -> Result<(), LedgerError> {
    let (order, query) = match change {
        Change::New(order) => (
            order,
            "INSERT INTO orders (id, cart_number, state, received_at, settled_at, next_attempt_at, record, packed, revision, body)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, '', ?7, ?8, ?9)",
        ),
        Change::Newer(order) if stored.place => (
            order,
            "UPDATE orders SET state = ?3, settled_at = ?5, next_attempt_at = ?6, record = '', packed = ?7, revision = ?8,
            body = coalesce(?9, body) WHERE id = ?1",
        ),
        Change::Newer(order) => (
            order,
            "UPDATE orders SET cart_number = ?2, state = ?3, received_at = ?4, settled_at = ?5, next_attempt_at = ?6,
            record = '', packed = ?7, revision = ?8, body = coalesce(?9, body) WHERE id = ?1",
        ),
    };
    if !stored.body && matches!(change, Change::Newer(_)) {
        let replaced = "DELETE FROM order_bodies WHERE place = (SELECT body FROM orders WHERE id = ?1)";
        connection.prepare_cached(replaced)?.execute([order.id.as_str()])?;
    }
    let body = if stored.body { None } else { Some(write_body(connection, order)?) };
    let record = serde_json::to_string(order).map_err(|error| LedgerError::Unwritable(error.to_string()))?;
    connection.prepare_cached(query)?.execute(params![
        order.id.as_str(),
        indexed_cart_number(&order.cart_number),
        order.state.name(),
        order.received_at.as_millisecond(),
        order.settled_at.map(Timestamp::as_millisecond),
        order.next_attempt_at.map(Timestamp::as_millisecond),
        pack(&record),
        i64::try_from(order.revision).unwrap_or(i64::MAX),
        body,
    ])?;
    Ok(())
}

/// Writes a body; returns its place.
fn write_body(connection: &Connection, order: &Order) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("INSERT INTO order_bodies (body, packed) VALUES ('', ?1)")?
        .execute([pack(&order.body)])?;
    Ok(connection.last_insert_rowid())
}
