//! A database that becomes read-only, a standby in the primary's place, and several hosts in the URL.

use std::sync::Arc;
use std::time::Duration;

use purchase_order_webhook::ledger::postgres::{OpenError, PostgresLedger};
use purchase_order_webhook::ledger::{Filter, Ledger, LedgerError};
use purchase_order_webhook::order::{Admission, Order, OrderId, Terms};

use crate::{GRACE, LONG, Postgres, admitted, at, candidate, until_ready, url_of};

/// The database of both servers, in the order in which they are tried.
fn url(servers: &[&Postgres]) -> String {
    let hosts: Vec<String> = servers.iter().map(|server| format!("127.0.0.1:{}", server.port)).collect();
    format!("postgres://postgres@{}/orders?sslmode=disable&target_session_attrs=read-write", hosts.join(","))
}

async fn open(url: &str) -> Result<PostgresLedger, OpenError> {
    PostgresLedger::open(url_of(url), LONG).await
}

/// Every operation says that the ledger is unavailable: none answers from a server that can't write.
async fn assert_unavailable(ledger: &PostgresLedger, known: &Order) {
    let mut begun = known.clone();
    begun.begin(at(2)).unwrap();
    let missing = OrderId::of("99");
    for (operation, result) in [
        ("admit a new one", ledger.admit(candidate(9), Terms::new(at(9), GRACE)).await.map(drop)),
        ("admit a known one", ledger.admit(candidate(1), Terms::new(at(9), GRACE)).await.map(drop)),
        ("store", ledger.store(begun).await.map(drop)),
        ("find", ledger.find(&known.id).await.map(drop)),
        ("find a missing one", ledger.find(&missing).await.map(drop)),
        ("list", ledger.list(Filter { limit: 9, ..Filter::default() }).await.map(drop)),
        ("claim", ledger.claim(at(100), 10).await.map(drop)),
        ("release", ledger.release().await),
        ("next due", ledger.next_due(at(0)).await.map(drop)),
        ("settled since", ledger.settled_since(vec![(missing.clone(), 1)]).await.map(drop)),
        ("purge", ledger.purge(at(9), Duration::from_secs(1)).await.map(drop)),
        ("check", ledger.check().await),
    ] {
        assert!(matches!(result, Err(LedgerError::Unavailable(_))), "{operation}: {result:?}");
    }
}

async fn assert_available(ledger: &PostgresLedger, known: &Order, new: usize) {
    until_ready(ledger, true).await;
    assert_eq!(ledger.find(&known.id).await.unwrap().as_ref(), Some(known));
    admitted(ledger, new).await;
    assert_eq!(ledger.list(Filter { limit: 9, ..Filter::default() }).await.unwrap()[0].id.as_str(), new.to_string());
}

/// Opens every session that a ledger keeps.
async fn warm(ledger: &Arc<PostgresLedger>, known: &Order) {
    let reads = (0..8).map(|_| {
        let (ledger, id) = (Arc::clone(ledger), known.id.clone());
        tokio::spawn(async move { ledger.find(&id).await.unwrap() })
    });
    for read in reads.collect::<Vec<_>>() {
        read.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_that_became_read_only_are_dropped() {
    let Some(server) = Postgres::start() else { return };
    server.database("orders");
    let ledger = Arc::new(open(&url(&[&server])).await.unwrap());
    let order = admitted(&*ledger, 1).await;
    warm(&ledger, &order).await;
    ledger.check().await.unwrap();
    server.set("default_transaction_read_only", "on");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_unavailable(&ledger, &order).await;
    server.set("default_transaction_read_only", "off");
    assert_available(&ledger, &order, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_comes_back_as_a_standby_answers_nothing() {
    let Some(server) = Postgres::start() else { return };
    server.database("orders");
    let ledger = Arc::new(open(&url(&[&server])).await.unwrap());
    let order = admitted(&*ledger, 1).await;
    warm(&ledger, &order).await;
    server.crash();
    server.restart_read_only();
    assert_unavailable(&ledger, &order).await;
    let error = open(&url(&[&server])).await.unwrap_err();
    assert!(matches!(error, OpenError::Transient(_)) && error.to_string().contains("is a standby"), "{error}");
    server.promote();
    assert_available(&ledger, &order, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_hosts_the_one_that_can_write_is_used() {
    let Some(one) = Postgres::start() else { return };
    one.database("orders");
    let two = one.standby();
    // The standby comes first, and is passed over.
    let ledger = Arc::new(open(&url(&[&two, &one])).await.unwrap());
    let order = admitted(&*ledger, 1).await;
    warm(&ledger, &order).await;
    one.crash();
    one.restart_read_only();
    assert_unavailable(&ledger, &order).await;
    two.promote();
    assert_available(&ledger, &order, 2).await;
    let again = ledger.admit(candidate(1), Terms::new(at(5), GRACE)).await.unwrap();
    assert!(matches!(again, Admission::Joined(same) if same == order), "the standby has every commit");
    // The former primary comes first, and stays behind: it does not know order 2.
    let other = open(&url(&[&one, &two])).await.unwrap();
    assert!(other.find(&OrderId::of("2")).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_start_says_whether_it_may_pass() {
    let Some(server) = Postgres::start() else { return };
    server.database("orders");
    server.run_sql("postgres", "CREATE ROLE nobody LOGIN");
    server.run_sql("postgres", "CREATE ROLE limited LOGIN CONNECTION LIMIT 0");
    server.run_sql("postgres", "ALTER ROLE nobody SET default_transaction_read_only = on");
    let port = server.port;
    for (url, may_pass, expected) in [
        ("postgres://postgres@127.0.0.1:1/orders".to_owned(), true, "127.0.0.1:1: "),
        ("postgres://postgres@no-such-host.invalid/orders".to_owned(), true, "no-such-host.invalid:5432: "),
        (format!("postgres://limited@127.0.0.1:{port}/orders"), true, "too many connections"),
        (format!("postgres://nobody@127.0.0.1:{port}/orders"), true, "read-only"),
        (format!("postgres://postgres@127.0.0.1:{port}/nothing"), false, "database \"nothing\" does not exist"),
        (format!("postgres://stranger@127.0.0.1:{port}/orders"), false, "role \"stranger\" does not exist"),
        (format!("postgres://postgres@127.0.0.1:{port}/orders?sslmode=require"), false, "TLS"),
        (format!("postgres://postgres@127.0.0.1:{port}/orders?sslmod=require"), false, "sslmod: unknown parameter"),
        // The first host may come back, so the start waits.
        (format!("postgres://postgres@127.0.0.1:1,127.0.0.1:{port}/nothing"), true, "does not exist"),
    ] {
        let error = open(&url).await.unwrap_err();
        assert_eq!(matches!(error, OpenError::Transient(_)), may_pass, "{url}: {error}");
        assert!(error.to_string().contains(expected), "{url}: {error}");
    }
}
