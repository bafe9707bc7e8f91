//! Several replicas share one PostgreSQL database: leases, claims, and an outage of the database.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use purchase_order_webhook::ledger::postgres::PostgresLedger;
use purchase_order_webhook::ledger::{Ledger, LedgerError, Stored};
use purchase_order_webhook::order::Verdict;
use purchase_order_webhook::order::{Admission, OrderId, State, Terms};

use crate::first_attempts::at_once;
use crate::{GRACE, LONG, Postgres, admitted, at, candidate, claimed, parsed, policy, until_ready, url_of};

async fn replica(url: &str, lease: Duration) -> PostgresLedger {
    PostgresLedger::open(url_of(url), lease).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_start_together_make_the_schema_once() {
    let Some(server) = Postgres::start() else { return };
    let url = server.database("orders");
    let starts: Vec<_> = (0..8)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move { replica(&url, LONG).await })
        })
        .collect();
    for start in starts {
        start.await.unwrap().check().await.unwrap();
    }
    assert_eq!(server.run_sql("orders", "SELECT count(*) FROM schema_version"), "4");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_many_equal_carts_on_several_replicas_is_started() {
    let Some(server) = Postgres::start() else { return };
    let url = server.database("orders");
    let mut calls = Vec::new();
    for _ in 0..4 {
        let ledger = Arc::new(replica(&url, LONG).await);
        // Each replica's carts come in another order, so that their groups meet each other in every way.
        for number in 0..200 {
            let (ledger, number) = (Arc::clone(&ledger), number * 37 % 50);
            calls.push(tokio::spawn(async move {
                ledger.admit(candidate(number), Terms::new(at(0), GRACE)).await.unwrap()
            }));
        }
    }
    let mut started = 0;
    for call in calls {
        started += usize::from(matches!(call.await.unwrap(), Admission::Started(_)));
    }
    assert_eq!(started, 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_belongs_to_one_replica_until_its_lease_ends() {
    let Some(server) = Postgres::start() else { return };
    let url = server.database("orders");
    let (one, other) = (replica(&url, LONG).await, replica(&url, Duration::from_millis(1)).await);
    let mut order = admitted(&one, 1).await;
    assert_eq!(claimed(&other, 100).await, Vec::<String>::new());
    order.begin(at(2)).unwrap();
    one.store(order.clone()).await.unwrap();
    assert_eq!(claimed(&other, 100).await, Vec::<String>::new());
    server.run_sql("orders", "UPDATE orders SET lease_until = now() - interval '1 second'");
    let taken = other.claim(at(100), 100).await.unwrap();
    assert_eq!((taken[0].id.as_str(), taken[0].state), ("1", State::Forwarding));
    // The replica that began the attempt concludes it late: the first conclusion counts, the second is superseded.
    let mut late = order.clone();
    order.interrupt(at(101), &policy()).unwrap();
    late.interrupt(at(102), &policy()).unwrap();
    assert_eq!(other.store(order.clone()).await.unwrap(), Stored::Committed);
    assert_eq!(one.store(late).await.unwrap(), Stored::Superseded);
    // An equal change of another replica is another one's all the same.
    assert_eq!(one.store(order).await.unwrap(), Stored::Superseded);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_whose_first_attempt_was_recorded_with_it_belongs_to_its_replica() {
    let Some(server) = Postgres::start() else { return };
    let url = server.database("orders");
    let (one, other) = (replica(&url, LONG).await, replica(&url, LONG).await);
    let Admission::Started(order) = one.admit(candidate(1), at_once()).await.unwrap() else { panic!() };
    assert_eq!(claimed(&other, 100).await, Vec::<String>::new());
    assert_eq!(other.store(order.clone()).await.unwrap(), Stored::Superseded, "it has not written it");
    server.run_sql("orders", "UPDATE orders SET lease_until = now() - interval '1 second'");
    let taken = other.claim(at(100), 100).await.unwrap();
    assert_eq!((taken[0].id.as_str(), taken[0].state, taken[0].revision), ("1", State::Forwarding, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_stops_releases_the_orders_that_it_has_not_begun() {
    let Some(server) = Postgres::start() else { return };
    let url = server.database("orders");
    let (one, other) = (replica(&url, LONG).await, replica(&url, LONG).await);
    let mut begun = admitted(&one, 1).await;
    begun.begin(at(2)).unwrap();
    one.store(begun).await.unwrap();
    admitted(&one, 2).await;
    admitted(&other, 3).await;
    one.release().await.unwrap();
    assert_eq!(claimed(&other, 100).await, ["2"], "neither an order that is being sent, nor another replica's");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_claim_together_share_the_due_orders() {
    let Some(server) = Postgres::start() else { return };
    let url = server.database("orders");
    let (one, other) = (replica(&url, LONG).await, replica(&url, LONG).await);
    for number in 0..60 {
        admitted(&one, number).await;
    }
    server.run_sql("orders", "UPDATE orders SET lease_until = NULL");
    let (here, there) = tokio::join!(one.claim(at(0), 20), other.claim(at(0), 20));
    let mut ids: Vec<OrderId> = here.unwrap().into_iter().chain(there.unwrap()).map(|order| order.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 40, "no order twice, and no replica waits for the other");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ledger_recovers_with_its_database() {
    let Some(server) = Postgres::start() else { return };
    let ledger = replica(&server.database("orders"), LONG).await;
    let order = admitted(&ledger, 1).await;
    server.crash();
    let refused = ledger.admit(candidate(2), Terms::new(at(2), GRACE)).await;
    assert!(matches!(refused, Err(LedgerError::Unavailable(_))), "{refused:?}");
    assert!(ledger.check().await.is_err());
    server.restart();
    assert_eq!(ledger.find(&order.id).await.unwrap(), Some(order));
    admitted(&ledger, 2).await;
    until_ready(&ledger, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_settled_by_another_replica_are_found() {
    let Some(server) = Postgres::start() else { return };
    let url = server.database("orders");
    let (one, other) = (replica(&url, LONG).await, replica(&url, LONG).await);
    let mut order = admitted(&one, 1).await;
    admitted(&one, 2).await;
    let awaited = vec![(OrderId::of("1"), 1), (OrderId::of("2"), 1), (OrderId::of("3"), 1)];
    assert_eq!(other.settled_since(awaited.clone()).await.unwrap(), []);
    order.begin(at(2)).unwrap();
    one.store(order.clone()).await.unwrap();
    let refused = Verdict::Rejected { status: 422, answer: None, detail: String::new() };
    order.conclude(refused, at(3), &policy(), 0.0).unwrap();
    one.store(order.clone()).await.unwrap();
    assert_eq!(other.settled_since(awaited).await.unwrap(), [order.clone()]);
    assert_eq!(other.settled_since(vec![(order.id, order.revision)]).await.unwrap(), [], "it is known already");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_password_is_read_again() {
    let Some(server) = Postgres::start() else { return };
    let good = server.database("orders");
    let current = Arc::new(Mutex::new(good.clone()));
    let url = {
        let current = Arc::clone(&current);
        Arc::new(move || parsed(&current.lock().unwrap()))
    };
    let ledger = PostgresLedger::open(url, LONG).await.unwrap();
    *current.lock().unwrap() = good.replace("postgres@", "nobody@");
    server.crash_and_restart();
    assert!(ledger.admit(candidate(1), Terms::new(at(1), GRACE)).await.is_err());
    *current.lock().unwrap() = good;
    admitted(&ledger, 1).await;
    ledger.check().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_commit_waits_for_the_disk() {
    let Some(server) = Postgres::start() else { return };
    let url = server.database("orders");
    server.run_sql("orders", "ALTER DATABASE orders SET synchronous_commit = off");
    let ledger = replica(&url, LONG).await;
    for number in 0..3 {
        admitted(&ledger, number).await;
        server.crash_and_restart();
        assert!(ledger.find(&OrderId::of(&number.to_string())).await.unwrap().is_some(), "{number}");
    }
}
