use std::sync::Arc;

use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::ledger::Place;
use crate::order::retry::Verdict;
use crate::order::{Baggage, State};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

fn candidate(number: usize) -> Candidate {
    Candidate {
        id: OrderId::of(&number.to_string()),
        cart_number: format!("{number:010}"),
        fingerprint: "f".into(),
        body: json!({ "externalId": number }).to_string(),
        mapping_version: "v".into(),
        baggage: Baggage::default(),
    }
}

fn open(folder: &TempDir) -> SqliteLedger {
    SqliteLedger::open(&folder.path().join("deep/orders.db")).unwrap()
}

async fn admitted(ledger: &SqliteLedger, number: usize) -> Order {
    match ledger.admit(candidate(number), at(i64::try_from(number).unwrap()), Policy::usual()).await.unwrap() {
        Admission::Started(order) => order,
        other => panic!("{other:?}"),
    }
}

async fn ids(ledger: &SqliteLedger, now: i64) -> Vec<String> {
    ledger.due(at(now), 100).await.unwrap().into_iter().map(|id| id.to_string()).collect()
}

#[tokio::test]
async fn what_was_admitted_is_there_after_the_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&folder);
    let order = admitted(&ledger, 1).await;
    // The writer thread ends with the last handle; the lock goes with it.
    drop(ledger);
    let ledger = open(&folder);
    assert_eq!(ledger.find(&order.id).await.unwrap(), Some(order.clone()));
    assert!(
        matches!(ledger.admit(candidate(1), at(5), Policy::usual()).await.unwrap(), Admission::Joined(same) if same == order)
    );
}

#[tokio::test]
async fn only_one_of_many_equal_candidates_is_started() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Arc::new(open(&folder));
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let ledger = Arc::clone(&ledger);
            tokio::spawn(async move { ledger.admit(candidate(1), at(0), Policy::usual()).await.unwrap() })
        })
        .collect();
    let mut started = 0;
    for call in calls {
        match call.await.unwrap() {
            Admission::Started(_) => started += 1,
            Admission::Joined(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(started, 1);
}

#[tokio::test]
async fn what_is_due_is_open_and_its_time_has_come_oldest_first() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&folder);
    let mut retrying = admitted(&ledger, 3).await;
    let mut forwarding = admitted(&ledger, 2).await;
    admitted(&ledger, 1).await;
    let mut created = admitted(&ledger, 4).await;
    for order in [&mut retrying, &mut forwarding, &mut created] {
        order.begin(at(10)).unwrap();
    }
    let not_done = Verdict::NotDone { status: None, answer: None, detail: String::new(), retry_after: None };
    retrying.conclude(not_done, at(10), &Policy::usual(), 0.0).unwrap();
    let done = Verdict::Created { number: "45".into(), status: 201, answer: None, found: false, duplicates: 0 };
    created.conclude(done, at(10), &Policy::usual(), 0.0).unwrap();
    for order in [retrying, forwarding, created] {
        ledger.store(order).await.unwrap();
    }
    assert_eq!(ids(&ledger, 39).await, ["1", "2"]);
    assert_eq!(ids(&ledger, 40).await, ["1", "2", "3"]);
    assert_eq!(ledger.next_due(at(39)).await.unwrap(), Some(at(40)));
    assert_eq!(ledger.due(at(40), 1).await.unwrap().len(), 1);
    assert_eq!(ledger.purge(at(1_000), Duration::from_secs(500)).await.unwrap(), 1);
    assert_eq!(ledger.find(&OrderId::of("4")).await.unwrap(), None);
}

#[tokio::test]
async fn a_newer_revision_is_never_overwritten_by_an_older_one() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&folder);
    let older = admitted(&ledger, 1).await;
    let mut newer = older.clone();
    newer.begin(at(10)).unwrap();
    assert_eq!(ledger.store(newer.clone()).await.unwrap(), Stored::Now);
    assert_eq!(
        ledger.store(newer.clone()).await.unwrap(),
        Stored::Now,
        "the same again, after an answer that was lost"
    );
    assert_eq!(ledger.store(older).await.unwrap(), Stored::Superseded);
    assert_eq!(ledger.find(&newer.id).await.unwrap(), Some(newer));
}

#[tokio::test]
async fn a_record_that_can_not_be_read_harms_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&folder);
    admitted(&ledger, 1).await;
    admitted(&ledger, 2).await;
    let file = folder.path().join("deep/orders.db");
    Connection::open(file).unwrap().execute("UPDATE orders SET record = '{}' WHERE id = '1'", []).unwrap();
    let broken = ledger.admit(candidate(1), at(9), Policy::usual());
    let other = ledger.admit(candidate(3), at(9), Policy::usual());
    let (broken, other) = tokio::join!(broken, other);
    assert!(matches!(broken, Err(LedgerError::Unreadable { id, .. }) if id == "1"));
    assert!(matches!(other, Ok(Admission::Started(_))));
    assert_eq!(ledger.list(Filter { limit: 9, ..Filter::default() }).await.unwrap().len(), 2);
    assert!(ledger.find(&OrderId::of("1")).await.is_err());
}

#[tokio::test]
async fn a_parked_order_is_kept_until_somebody_looked() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&folder);
    let mut order = admitted(&ledger, 1).await;
    order.begin(at(0)).unwrap();
    let lost = Verdict::Unknown { status: None, answer: None, detail: String::new(), retry_after: None };
    order.conclude(lost, at(0), &Policy { retries: 0, ..Policy::usual() }, 0.0).unwrap();
    ledger.store(order).await.unwrap();
    assert_eq!(ledger.purge(at(1_000_000), Duration::from_secs(1)).await.unwrap(), 0);
}

#[tokio::test]
async fn the_list_filters_and_continues_behind_a_place() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&folder);
    for number in 1..=5 {
        admitted(&ledger, number).await;
    }
    let list = async |filter| -> Vec<String> {
        ledger.list(filter).await.unwrap().into_iter().map(|order| order.id.to_string()).collect()
    };
    assert_eq!(list(Filter { limit: 2, ..Filter::default() }).await, ["5", "4"]);
    let place = Place { received_at: at(4), id: OrderId::of("4") };
    assert_eq!(list(Filter { limit: 9, after: Some(place), ..Filter::default() }).await, ["3", "2", "1"]);
    assert_eq!(list(Filter { limit: 9, cart_number: Some("02".into()), ..Filter::default() }).await, ["2"]);
    assert_eq!(list(Filter { limit: 9, state: Some(State::Created), ..Filter::default() }).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_ledger_of_a_newer_version_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(&folder));
    let file = folder.path().join("deep/orders.db");
    Connection::open(&file).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = SqliteLedger::open(&file).unwrap_err().to_string();
    assert!(error.contains("version 99") && error.contains("newer program"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_ledger_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orders.db");
    fs::write(&file, "no database, but some text that is long enough to be looked at by SQLite").unwrap();
    let error = SqliteLedger::open(&file).unwrap_err().to_string();
    assert!(error.contains("not a database"), "{error}");
}

#[test]
fn every_write_waits_for_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let connection = connect(&folder.path().join("orders.db")).unwrap();
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(number("synchronous"), 2, "FULL");
    let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}
