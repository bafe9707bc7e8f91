//! A SQLite file whose orders are packed, and made plain text again for earlier versions and people.

use std::fs;

use purchase_order_webhook::ledger::outbox::Recipients;
use purchase_order_webhook::ledger::sqlite::{SqliteLedger, Unpacked, back_up, unpack_ledger};
use purchase_order_webhook::ledger::{Filter, Ledger, LedgerError};
use purchase_order_webhook::order::{Order, OrderId};
use rusqlite::Connection;
use serde_json::Value;

use crate::folder::Folder;
use crate::suite::{begun, concluded, created};
use crate::{admitted, at, take_file_back, way_back};

fn count(folder: &Folder, query: &str) -> i64 {
    Connection::open(folder.file()).unwrap().query_row(query, [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn orders_are_the_same_packed_and_as_plain_text() {
    let folder = Folder::new();
    let ledger = folder.open();
    let mut orders = Vec::new();
    // More than one portion.
    for number in 1..=1_100 {
        orders.push(admitted(&ledger, number).await);
    }
    orders[0] = concluded(&ledger, orders[0].clone(), created()).await;
    let refused = unpack_ledger(&folder.file()).unwrap_err().to_string();
    assert!(refused.contains("another process uses this ledger"), "{refused}");
    drop(ledger);
    assert_eq!(count(&folder, "SELECT count(*) FROM orders WHERE packed IS NULL OR record <> ''"), 0);
    assert_eq!(count(&folder, "SELECT count(*) FROM order_bodies WHERE packed IS NULL OR body <> ''"), 0);
    let way_back = way_back(true, 8);
    let refused = Connection::open(folder.file()).unwrap().execute_batch(&way_back).unwrap_err().to_string();
    assert!(refused.contains("NOT NULL constraint failed"), "{refused}");
    assert_eq!(unpack_ledger(&folder.file()).unwrap(), Unpacked { orders: 1_100, damaged: Vec::new() });
    assert_eq!(unpack_ledger(&folder.file()).unwrap(), Unpacked::default(), "again");
    let record = "SELECT record FROM orders WHERE id = '1'";
    let record: String = Connection::open(folder.file()).unwrap().query_row(record, [], |row| row.get(0)).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&record).unwrap()["state"], "created");
    let ledger = folder.open();
    assert_eq!(ledger.restored_from(), None, "nothing is missing");
    for order in &orders {
        assert_eq!(ledger.find(&order.id).await.unwrap().as_ref(), Some(order));
    }
    let changed = begun(&ledger, orders[1].clone()).await;
    assert_eq!(ledger.find(&changed.id).await.unwrap(), Some(changed));
    assert_eq!(ledger.list(Filter { limit: 2_000, ..Filter::default() }).await.unwrap().len(), orders.len());
    drop(ledger);
    assert_eq!(count(&folder, "SELECT count(*) FROM orders WHERE packed IS NOT NULL"), 1, "what changes is packed");
}

#[tokio::test]
async fn what_is_damaged_is_named_and_harms_no_other() {
    let damages = [
        ("UPDATE orders SET packed = x'0102' WHERE id = '1'", "order 1 can't be read: it can't be unpacked"),
        ("UPDATE orders SET packed = NULL WHERE id = '1'", "order 1 can't be read"),
        ("UPDATE orders SET packed = x'63' WHERE id = '1'", "its form is 99, expected 1"),
        ("UPDATE order_bodies SET packed = x'01ff' WHERE place = 1", "order 1 can't be read: its body: it can't be"),
        ("UPDATE order_bodies SET packed = NULL WHERE place = 1", "order 1 can't be read: its body is missing"),
    ];
    for (damage, reason) in damages {
        let folder = Folder::new();
        let ledger = folder.open();
        let _: Order = admitted(&ledger, 1).await;
        let intact = admitted(&ledger, 2).await;
        drop(ledger);
        Connection::open(folder.file()).unwrap().execute_batch(damage).unwrap();
        let ledger = folder.open();
        let found = ledger.find(&OrderId::of("1")).await.unwrap_err();
        assert!(matches!(&found, LedgerError::Unreadable { id, .. } if id == "1"), "{damage}: {found:?}");
        assert!(found.to_string().contains(reason), "{damage}: {found}");
        assert_eq!(ledger.find(&intact.id).await.unwrap(), Some(intact), "{damage}");
        drop(ledger);
        let unpacked = unpack_ledger(&folder.file()).unwrap();
        let is_packed = !damage.contains("NULL");
        assert_eq!(unpacked.damaged.len(), usize::from(is_packed), "{damage}: {unpacked:?}");
        assert!(!is_packed || unpacked.damages().starts_with("order 1: it can't be unpacked"), "{unpacked:?}");
        assert_eq!(count(&folder, "SELECT count(*) FROM orders WHERE id = '2' AND record <> ''"), 1, "{damage}");
    }
}

#[tokio::test]
async fn an_unpacked_backup_is_still_a_backup() {
    let folder = Folder::new();
    let ledger = folder.open();
    let order = admitted(&ledger, 1).await;
    let copy = folder.path("backup.db");
    back_up(&folder.file(), &copy, at(7)).unwrap();
    assert_eq!(unpack_ledger(&copy).unwrap().orders, 1);
    let restored = SqliteLedger::open_at(&copy, None, at(5_000), Recipients::default()).unwrap();
    let restore = restored.restore().unwrap();
    assert_eq!((restore.from, restore.accepted_at), (at(7), Some(at(5_000))), "the service takes the restore");
    assert_eq!(restored.find(&order.id).await.unwrap(), Some(order));
}

#[tokio::test]
async fn a_ledger_of_an_earlier_version_stays_one() {
    let folder = Folder::new();
    let ledger = folder.open();
    let order = admitted(&ledger, 1).await;
    drop(ledger);
    take_file_back(&folder.file(), 8);
    assert_eq!(unpack_ledger(&folder.file()).unwrap(), Unpacked::default());
    assert_eq!(count(&folder, "PRAGMA user_version"), 8);
    // Up again, with a body that is plain text.
    assert_eq!(folder.open().find(&order.id).await.unwrap(), Some(order));
}

#[test]
fn no_ledger_is_made_where_there_is_none() {
    let folder = Folder::new();
    let refused = unpack_ledger(&folder.file()).unwrap_err().to_string();
    assert!(refused.contains("there is no ledger; expected its file"), "{refused}");
    assert_eq!(fs::read_dir(folder.root()).unwrap().count(), 0);
}
