//! Several replicas on one real PostgreSQL database, each with its own clock, act as one service.

use std::sync::Arc;
use std::time::Duration;

use purchase_order_webhook::sandbox::issuer::Issuer;
use purchase_order_webhook::sandbox::vms::{Effect, Fault, SandboxVms};

use crate::postgres::Postgres;
use crate::support::{Answer, ORDERS, Service, cart};

struct Replicas {
    server: Postgres,
    services: Vec<Service>,
}

impl Replicas {
    async fn start(count: usize, settings: &str) -> Option<Self> {
        let server = Postgres::start()?;
        let settings = format!("ledger.url = {:?}\n{settings}", server.database("orders"));
        let issuer = Issuer::start().await.unwrap();
        let vms = SandboxVms::start(issuer.clone()).await.unwrap();
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let mut services = Vec::new();
        for _ in 0..count {
            let service = Service::start_beside(issuer.clone(), vms.clone(), Arc::clone(&folder), &settings).await;
            services.push(service);
        }
        Some(Self { server, services })
    }

    /// Waits until every replica answers its probe with a status.
    async fn until_ready(&self, status: u16) {
        for service in &self.services {
            let mut polls = 0;
            while service.get("/readyz").await.status != status {
                polls += 1;
                assert!(polls < 200, "/readyz was never {status}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// Moves the clocks of all replicas on, little by little, until the work is done.
    async fn until<T>(&self, work: impl Future<Output = T>) -> T {
        let pass = async {
            loop {
                tokio::time::sleep(Duration::from_millis(5)).await;
                self.services.iter().for_each(|service| service.clock.advance(Duration::from_millis(50)));
            }
        };
        tokio::select! { biased; done = work => done, () = pass => unreachable!() }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_of_one_cart_on_different_replicas_share_one_outcome() {
    let Some(replicas) = Replicas::start(3, "server.deadline = \"10m\"").await else { return };
    let vms = &replicas.services[0].vms;
    vms.set_latency(Duration::from_millis(200));
    let calls: Vec<_> =
        (0..48).map(|at| tokio::spawn(replicas.services[at % 3].post(cart(1).to_string()).send())).collect();
    let answers = replicas.until(async {
        let mut answers = Vec::new();
        for call in calls {
            answers.push(Answer::of(call.await.unwrap().unwrap()).await);
        }
        answers
    });
    let answers = answers.await;
    let created = answers.iter().filter(|answer| answer.status == 201).count();
    assert!(created == 1 && answers.iter().all(|answer| matches!(answer.status, 200 | 201)), "{created}");
    assert!(answers.iter().all(|answer| answer.body["purchaseOrderNumber"] == "4500000001"));
    assert_eq!(vms.orders().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_orders_of_a_lost_replica_are_taken_over() {
    let Some(mut replicas) = Replicas::start(2, "target.timeout = \"1s\"").await else { return };
    let mut gone = replicas.services.remove(0);
    gone.vms.next(Effect::status(429));
    assert_eq!(gone.post(cart(1).to_string()).header("prefer", "wait=0").send().await.unwrap().status(), 202);
    gone.until("1", "retrying").await;
    gone.stop().await;
    let other = &replicas.services[0];
    replicas.until(other.until("1", "created")).await;
    // As after a kill: the ledger has the begin of an attempt that no process makes any more.
    other.vms.queue(Fault { delay_ms: 0, effect: Effect::status(429) });
    other.post(cart(2).to_string()).header("prefer", "wait=0").send().await.unwrap();
    other.until("2", "retrying").await;
    let forged = "UPDATE orders SET state = 'forwarding', writer = 'another', lease_until = now() - interval '1 second',
        next_attempt_at = NULL, record = replace(record, '\"state\":\"retrying\"', '\"state\":\"forwarding\"') WHERE id = '2'";
    replicas.server.run_sql("orders", forged);
    let order = replicas.until(other.until("2", "created")).await;
    assert_eq!(order["attempts"][0]["outcome"], "interrupted", "{order}");
    let methods: Vec<String> =
        other.vms.received().into_iter().filter(|request| request.id == "2").map(|request| request.method).collect();
    assert_eq!(methods, ["POST", "GET", "POST"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_without_its_database_sends_nothing_until_it_is_back() {
    let Some(replicas) = Replicas::start(1, "").await else { return };
    let service = &replicas.services[0];
    assert_eq!(service.send(&cart(1)).await.status, 201);
    replicas.server.crash();
    let answer = service.send(&cart(2)).await;
    answer.is_problem(503, "ledger-unavailable");
    assert!(!answer.header("retry-after").is_empty());
    assert_eq!(service.get("/readyz").await.status, 503);
    assert_eq!(service.vms.received().len(), 1);
    replicas.server.restart();
    replicas.until_ready(200).await;
    assert_eq!(replicas.until(service.send(&cart(2))).await.status, 201);
    assert_eq!(service.get(&format!("{ORDERS}?limit=5")).await.body["orders"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_waits_for_its_database() {
    let Some(server) = Postgres::start() else { return };
    let settings = format!("ledger.url = {:?}", server.database("orders"));
    server.crash();
    let start = tokio::spawn(async move { Service::start_with(&settings).await });
    server.restart();
    let service = start.await.unwrap();
    assert_eq!(service.send(&cart(1)).await.status, 201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_has_become_read_only_is_not_ready_and_recovers_by_itself() {
    let Some(replicas) = Replicas::start(2, "").await else { return };
    let (one, server) = (&replicas.services[0], &replicas.server);
    assert_eq!(one.send(&cart(1)).await.status, 201);
    server.set("default_transaction_read_only", "on");
    replicas.until_ready(503).await;
    one.send(&cart(2)).await.is_problem(503, "ledger-unavailable");
    assert_eq!(one.vms.orders().len(), 1);
    server.set("default_transaction_read_only", "off");
    replicas.until_ready(200).await;
    assert_eq!(replicas.until(one.send(&cart(2))).await.status, 201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cart_that_the_ledger_can_not_store_is_refused_alone() {
    let Some(replicas) = Replicas::start(1, "server.deadline = \"10m\"").await else { return };
    let service = &replicas.services[0];
    // As an encoding that lacks a letter does.
    replicas.server.run_sql("orders", "ALTER TABLE orders ADD CHECK (record NOT LIKE '%Łódź%')");
    let named = |number: u32| {
        let mut cart = cart(number);
        cart["ITEM"][0]["DESCRIPTION"] = if number == 7 { "Łódź" } else { "Warszawa" }.into();
        cart
    };
    let calls: Vec<_> = (1..=40).map(|number| tokio::spawn(service.post(named(number).to_string()).send())).collect();
    let answers = replicas.until(async {
        let mut answers = Vec::new();
        for call in calls {
            answers.push(Answer::of(call.await.unwrap().unwrap()).await);
        }
        answers
    });
    for (number, answer) in (1..).zip(answers.await) {
        if number == 7 {
            answer.is_problem(422, "invalid-cart");
            assert!(answer.body["detail"].as_str().unwrap().contains("can't store this"), "{}", answer.text);
        } else {
            assert_eq!(answer.status, 201, "{}", answer.text);
        }
    }
}
