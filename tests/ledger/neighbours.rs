//! Other users of the database, and servers that do not answer: what they hold up, and what they must not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use purchase_order_webhook::ledger::postgres::{OpenError, PostgresLedger};
use purchase_order_webhook::ledger::{Ledger, LedgerError, Stored};
use purchase_order_webhook::order::{Resolution, Resolved, Terms};
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::{GRACE, LONG, Postgres, admitted, at, candidate, claimed, until_ready, url_of};

/// The key of the lock under which the schema is changed.
const SCHEMA_LOCK: i64 = 0x0070_6F2D_686F_6F6B;

/// A session of somebody else, with an open transaction.
async fn neighbour(url: &str, statement: &str) -> PgConnection {
    let mut connection = PgConnection::connect(url).await.unwrap();
    connection.execute(sqlx::raw_sql("BEGIN")).await.unwrap();
    connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned()))).await.unwrap();
    connection
}

/// Waits until something holds, longer than any limit of the ledger.
async fn until(holds: impl AsyncFn() -> bool) {
    for _ in 0..300 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it never came to that");
}

async fn open(url: &str) -> PostgresLedger {
    PostgresLedger::open(url_of(url), LONG).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_leaves_the_ledger_ready() {
    let Some(server) = Postgres::start() else { return };
    let url = server.database("orders");
    let ledger = open(&url).await;
    // The lock that pg_dump holds on every table until it ends.
    let _dump = neighbour(&url, "LOCK TABLE orders, schema_version IN ACCESS SHARE MODE").await;
    ledger.check().await.unwrap();
    admitted(&ledger, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_order_holds_up_no_other_and_no_purge() {
    let Some(server) = Postgres::start() else { return };
    let url = server.database("orders");
    let ledger = Arc::new(open(&url).await);
    let (mut first, mut second) = (admitted(&*ledger, 1).await, admitted(&*ledger, 2).await);
    let settled = admitted(&*ledger, 99).await.resolve(&Resolution::Cancelled("not needed".into()), "a person", at(1));
    let Resolved::Applied(settled) = settled else { panic!("{settled:?}") };
    ledger.store(settled).await.unwrap();
    let person = neighbour(&url, "SELECT * FROM orders FOR UPDATE").await;
    first.begin(at(1)).unwrap();
    second.begin(at(1)).unwrap();
    // The writer waits for the first order; meanwhile the others come together in one group.
    let blocked = tokio::spawn({
        let (ledger, first) = (Arc::clone(&ledger), first.clone());
        async move { ledger.store(first).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let others: Vec<_> = (3..20)
        .map(|number| {
            let ledger = Arc::clone(&ledger);
            tokio::spawn(async move { ledger.admit(candidate(number), Terms::new(at(0), GRACE)).await })
        })
        .collect();
    let (stored, purged) = tokio::join!(ledger.store(second.clone()), ledger.purge(at(9), Duration::ZERO));
    for result in [blocked.await.unwrap(), stored, ledger.store(first.clone()).await] {
        assert!(matches!(result, Err(LedgerError::Locked(_))), "{result:?}");
    }
    assert_eq!(purged.unwrap(), 0);
    for other in others {
        other.await.unwrap().unwrap();
    }
    person.close().await.unwrap();
    // The server ends the transaction in a moment.
    for order in [first, second] {
        until(async || matches!(ledger.store(order.clone()).await, Ok(Stored::Committed))).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_nobody_can_write_is_not_ready() {
    let Some(server) = Postgres::start() else { return };
    let url = server.database("orders");
    let ledger = open(&url).await;
    // What the making of an index takes.
    let person = neighbour(&url, "LOCK TABLE orders IN SHARE MODE").await;
    let reason = ledger.check().await.unwrap_err().to_string();
    assert!(reason.contains("55P03"), "{reason}");
    person.close().await.unwrap();
    until_ready(&ledger, true).await;
}

/// Sessions of this program whose commit waits for a standby.
fn waiting_commits(server: &Postgres) -> usize {
    let query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    server.run_sql("orders", query).parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_that_wait_for_a_standby_do_not_take_every_connection() {
    let Some(server) = Postgres::start() else { return };
    let ledger = open(&server.database("orders")).await;
    ledger.check().await.unwrap();
    for number in 10..20 {
        admitted(&ledger, number).await;
    }
    ledger.release().await.unwrap();
    server.set("synchronous_standby_names", "nobody");
    // The first commit of each kind is left waiting; after it, the reason is known, and none is added.
    let is_known =
        async || ledger.check().await.is_err_and(|error| error.to_string().contains("waits for a synchronous standby"));
    let (admitted_first, claimed_first, ()) =
        tokio::join!(ledger.admit(candidate(1), Terms::new(at(0), GRACE)), ledger.claim(at(99), 3), until(is_known));
    admitted_first.unwrap_err();
    claimed_first.unwrap_err();
    for number in 2..6 {
        let admitted = ledger.admit(candidate(number), Terms::new(at(0), GRACE)).await.map(drop);
        for error in [admitted.unwrap_err(), ledger.claim(at(99), 3).await.map(drop).unwrap_err()] {
            assert!(error.to_string().contains("waits for a synchronous standby"), "{error}");
        }
    }
    ledger.check().await.unwrap_err();
    assert_eq!(waiting_commits(&server), 3);
    server.set("synchronous_standby_names", "");
    until(async || waiting_commits(&server) == 0).await;
    admitted(&ledger, 6).await;
    until_ready(&ledger, true).await;
    // The claim was made in the end, and its three orders are this replica's, with those that were admitted.
    let ids = claimed(&ledger, 99).await;
    assert!(["10", "11", "12"].iter().all(|id| ids.iter().any(|found| found == id)), "{ids:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_host_is_not_asked_again() {
    let Some(server) = Postgres::start() else { return };
    server.database("orders");
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let asked = Arc::new(AtomicUsize::new(0));
    tokio::spawn({
        let asked = Arc::clone(&asked);
        async move {
            let mut held = Vec::new();
            while let Ok((connection, _)) = silent.accept().await {
                asked.fetch_add(1, Ordering::Relaxed);
                held.push(connection);
            }
        }
    });
    let hosts = format!("127.0.0.1:{port},127.0.0.1:{}", server.port);
    let url = format!("postgres://postgres@{hosts}/orders?sslmode=disable&connect_timeout=1");
    let ledger = Arc::new(open(&url).await);
    // The start's first session alone.
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    ledger.check().await.unwrap();
    let order = admitted(&*ledger, 1).await;
    server.crash_and_restart();
    assert_eq!(ledger.find(&order.id).await.unwrap(), Some(order));
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_whose_answer_was_lost_is_found_by_the_next_one() {
    let Some(server) = Postgres::start() else { return };
    let url = server.database("orders");
    let (ledger, other) = (open(&url).await, open(&url).await);
    for number in 1..=3 {
        admitted(&other, number).await;
    }
    // The statement is prepared, so the next time it goes out in one piece.
    assert!(ledger.claim(at(9), 10).await.unwrap().is_empty());
    other.release().await.unwrap();
    let neighbour = neighbour(&url, "LOCK TABLE orders IN EXCLUSIVE MODE").await;
    // The statement is on its way when its caller goes.
    tokio::time::timeout(Duration::from_millis(500), ledger.claim(at(9), 10)).await.unwrap_err();
    neighbour.close().await.unwrap();
    until(async || server.run_sql("orders", "SELECT count(*) FROM orders WHERE lease_until IS NOT NULL") == "3").await;
    assert!(other.claim(at(9), 10).await.unwrap().is_empty());
    let claimed: Vec<String> =
        ledger.claim(at(9), 10).await.unwrap().into_iter().map(|order| order.id.to_string()).collect();
    assert_eq!(claimed, ["1", "2", "3"]);
    assert!(ledger.claim(at(9), 10).await.unwrap().is_empty(), "once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_that_break_while_they_rest_are_replaced_unseen() {
    let Some(server) = Postgres::start() else { return };
    let ledger = open(&server.database("orders")).await;
    admitted(&ledger, 1).await;
    ledger.claim(at(9), 10).await.unwrap();
    server.run_sql(
        "orders",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = 'orders'",
    );
    // At once: they have not rested long enough to be asked whether they work.
    ledger.claim(at(9), 10).await.unwrap();
    admitted(&ledger, 2).await;
    ledger.check().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_does_not_wait_for_ever_for_the_schema() {
    let Some(server) = Postgres::start() else { return };
    let url = server.database("orders");
    let replica = neighbour(&url, &format!("SELECT pg_advisory_xact_lock({SCHEMA_LOCK})")).await;
    let error = PostgresLedger::open(url_of(&url), LONG).await.unwrap_err();
    assert!(matches!(error, OpenError::Transient(_)) && error.to_string().contains("55P03"), "{error}");
    replica.close().await.unwrap();
    open(&url).await;
}
