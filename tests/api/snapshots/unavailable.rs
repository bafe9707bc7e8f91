//! Problems of the service: a part that it needs fails, or it has too much to do.

use std::time::Duration;

use purchase_order_webhook::problem::ProblemKind;
use purchase_order_webhook::sandbox::issuer::{Behaviour, Issuer};
use rusqlite::Connection;

use super::{assert_problem, exchange, get, post, send, start, start_beside, start_with};
use crate::support::cart;

#[tokio::test]
async fn a_record_that_can_not_be_read() {
    let service = start().await;
    send(&service, &cart(1)).await;
    Connection::open(service.ledger_file())
        .unwrap()
        .execute("UPDATE orders SET record = '{}', packed = NULL", [])
        .unwrap();
    let answer = exchange(&service, get(&service, "/1")).await;
    assert_problem(ProblemKind::INTERNAL_ERROR, "problems/500-internal-error.snap", &answer);
}

#[tokio::test]
async fn an_issuer_that_does_not_answer() {
    let issuer = Issuer::start().await.unwrap();
    issuer.set_behaviour(Behaviour::Unavailable);
    let service = start_beside(issuer, "").await;
    let answer = exchange(&service, get(&service, "")).await;
    assert_problem(ProblemKind::ISSUER_UNAVAILABLE, "problems/503-issuer-unavailable.snap", &answer);
}

#[tokio::test]
async fn a_ledger_that_can_not_be_written() {
    let service = start().await;
    // The lock is held for longer than the service waits for it.
    let blocker = Connection::open(service.ledger_file()).unwrap();
    blocker.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let answer = send(&service, &cart(1)).await;
    assert_problem(ProblemKind::LEDGER_UNAVAILABLE, "problems/503-ledger-unavailable.snap", &answer);
}

#[tokio::test]
async fn more_carts_than_are_worked_on_at_a_time() {
    let service = start_with("server.max_in_flight = 1").await;
    service.vms.close_gate();
    let waiting = cart(1);
    let (_, answer) = tokio::join!(send(&service, &waiting), async {
        service.until("1", "forwarding").await;
        let answer = send(&service, &cart(2)).await;
        service.vms.open_gate();
        answer
    });
    assert_problem(ProblemKind::OVERLOADED, "problems/503-overloaded.snap", &answer);
}

#[tokio::test]
async fn a_service_that_stops() {
    let mut service = start().await;
    service.vms.close_gate();
    exchange(&service, post(&service, "", cart(1).to_string()).header("prefer", "respond-async")).await;
    service.until("1", "forwarding").await;
    let (client, vms) = (service.client.clone(), service.vms.clone());
    let url = format!("http://{}/readyz", service.management);
    let ((), answer) = tokio::join!(service.stop(), async {
        while client.get(&url).send().await.is_ok_and(|answer| answer.status() == 200) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let answer = crate::exchange::Exchange::of(&client, client.get(&url)).await;
        vms.open_gate();
        answer
    });
    assert_problem(ProblemKind::STOPPING, "problems/503-stopping.snap", &answer);
}
