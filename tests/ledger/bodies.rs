//! Bodies in a SQLite file: apart from what changes, written once, and never lost on the way from an earlier version.

use std::time::Duration;

use purchase_order_webhook::ledger::sqlite::{SqliteLedger, back_up, unpack_ledger};
use purchase_order_webhook::ledger::{Filter, Ledger, LedgerError, Stored};
use purchase_order_webhook::order::{Admission, Candidate, Order, OrderId, Terms};
use rusqlite::Connection;

use crate::folder::Folder;
use crate::suite::{begun, concluded, created, rejected};
use crate::{GRACE, admitted, at, candidate, take_file_back};

/// A copy of the file as plain text, also while a service uses it.
fn plain_copy(folder: &Folder) -> Connection {
    let copy = Folder::new();
    back_up(&folder.file(), &copy.file(), at(0)).unwrap();
    unpack_ledger(&copy.file()).unwrap();
    let connection = Connection::open_in_memory().unwrap();
    connection.execute("ATTACH ?1 AS copy", [copy.file().to_str().unwrap()]).unwrap();
    let tables = "CREATE TABLE orders AS SELECT * FROM copy.orders; \
        CREATE TABLE order_bodies AS SELECT * FROM copy.order_bodies; DETACH copy";
    connection.execute_batch(tables).unwrap();
    connection
}

/// The bodies in the file, with their places.
fn bodies(folder: &Folder) -> Vec<(i64, String)> {
    let connection = plain_copy(folder);
    let mut query = connection.prepare("SELECT place, body FROM order_bodies ORDER BY place").unwrap();
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Bytes of the records, and how many of them have a body.
fn records(folder: &Folder) -> (i64, i64) {
    let connection = plain_copy(folder);
    let query = "SELECT sum(length(record)), count(json_extract(record, '$.body')) FROM orders";
    connection.query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
}

fn with_body(number: usize, body: &str) -> Candidate {
    Candidate { body: body.to_owned(), ..candidate(number) }
}

async fn sent(ledger: &SqliteLedger, candidate: Candidate) -> Order {
    match ledger.admit(candidate, Terms::new(at(0), GRACE)).await.unwrap() {
        Admission::Started(order) | Admission::Restarted(order) => order,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_body_is_written_once_and_goes_with_its_order() {
    let folder = Folder::new();
    let ledger = folder.open();
    let body = format!("{{\"text\":\"{}\"}}", "x".repeat(5_000));
    let order = sent(&ledger, with_body(1, &body)).await;
    let order = concluded(&ledger, order, rejected()).await;
    assert_eq!((order.body.as_str(), order.revision), (body.as_str(), 3));
    assert_eq!(ledger.find(&order.id).await.unwrap(), Some(order.clone()));
    assert_eq!(bodies(&folder), [(1, body.clone())]);
    assert!(records(&folder).0 < 2_000, "{:?}", records(&folder));
    assert_eq!(ledger.list(Filter { limit: 1, ..Filter::default() }).await.unwrap()[0].id, order.id);
    // With another mapping the cart has another body.
    let again = sent(&ledger, with_body(1, "{\"other\":1}")).await;
    assert_eq!(ledger.find(&again.id).await.unwrap().unwrap().body, "{\"other\":1}");
    assert_eq!(bodies(&folder).len(), 1);
    let settled = concluded(&ledger, again, created()).await;
    assert_eq!(ledger.find(&settled.id).await.unwrap(), Some(settled));
    assert_eq!(ledger.purge(at(1_000_000), Duration::from_secs(1)).await.unwrap(), 1);
    assert_eq!(bodies(&folder), []);
}

#[tokio::test]
async fn orders_of_an_earlier_version_keep_their_bodies_at_each_step() {
    let folder = Folder::new();
    let ledger = folder.open();
    let numbers = 1..=4;
    for number in numbers.clone() {
        sent(&ledger, with_body(number, &format!("{{\"n\":{number}}}"))).await;
    }
    drop(ledger);
    take_file_back(&folder.file(), 6);
    let in_records = "SELECT count(json_extract(record, '$.body')) FROM orders";
    let in_records: i64 = Connection::open(folder.file()).unwrap().query_row(in_records, [], |row| row.get(0)).unwrap();
    assert_eq!(in_records, 4, "an earlier version has the bodies in its records");
    let ledger = folder.open();
    assert_eq!(bodies(&folder), [], "the start moves none: a ledger may be large");
    for number in numbers {
        let order = ledger.find(&OrderId::of(&number.to_string())).await.unwrap().unwrap();
        assert_eq!(order.body, format!("{{\"n\":{number}}}"));
        let order = begun(&ledger, order).await;
        assert_eq!(ledger.find(&order.id).await.unwrap(), Some(order));
    }
    assert_eq!((bodies(&folder).len(), records(&folder).1), (4, 0), "whoever changes an order moves its body");
    drop(ledger);
    let ledger = folder.open();
    let order = ledger.find(&OrderId::of("2")).await.unwrap().unwrap();
    assert_eq!(order.body, "{\"n\":2}");
    let order = concluded_from_file(&ledger, order).await;
    assert_eq!(ledger.find(&order.id).await.unwrap(), Some(order));
}

/// Settles an order whose attempt was begun by a process that is gone.
async fn concluded_from_file(ledger: &SqliteLedger, mut order: Order) -> Order {
    order.conclude(created(), at(9), &crate::policy(), 0.0).unwrap();
    assert_eq!(ledger.store(order.clone()).await.unwrap(), Stored::Committed);
    order
}

#[tokio::test]
async fn an_order_whose_body_is_gone_is_not_sent_without_it() {
    let folder = Folder::new();
    let ledger = folder.open();
    admitted(&ledger, 1).await;
    drop(ledger);
    Connection::open(folder.file()).unwrap().execute_batch("DELETE FROM order_bodies").unwrap();
    let ledger = folder.open();
    let found = ledger.find(&OrderId::of("1")).await;
    assert!(
        matches!(&found, Err(LedgerError::Unreadable { id, detail }) if id == "1" && detail.contains("body is missing")),
        "{found:?}"
    );
    let again = ledger.admit(candidate(1), Terms::new(at(9), GRACE)).await;
    assert!(matches!(again, Err(LedgerError::Unreadable { .. })), "{again:?}");
}

#[tokio::test]
async fn a_change_that_is_not_committed_is_not_remembered() {
    let folder = Folder::new();
    let ledger = folder.open();
    let order = admitted(&ledger, 1).await;
    let attempt = begun(&ledger, order).await;
    let refuse = "CREATE TRIGGER no BEFORE UPDATE ON orders BEGIN SELECT RAISE(ABORT, 'no'); END";
    let person = Connection::open(folder.file()).unwrap();
    person.execute_batch(refuse).unwrap();
    let mut settled = attempt.clone();
    settled.conclude(created(), at(9), &crate::policy(), 0.0).unwrap();
    assert!(matches!(ledger.store(settled.clone()).await, Err(LedgerError::Unwritable(_))));
    person.execute_batch("DROP TRIGGER no").unwrap();
    let Admission::Joined(known) = ledger.admit(candidate(1), Terms::new(at(10), GRACE)).await.unwrap() else {
        panic!()
    };
    assert_eq!(known, attempt);
    assert_eq!(ledger.store(settled.clone()).await.unwrap(), Stored::Committed);
    assert_eq!(ledger.find(&settled.id).await.unwrap(), Some(settled));
}
