//! Restarts and stops: open orders are found and finished at their stored times. Kills at any moment have `tests/chaos`.

use std::time::Duration;

use purchase_order_webhook::clock::{Clock as _, SystemClock};
use purchase_order_webhook::digest::hex;
use purchase_order_webhook::ledger::sqlite::{SqliteLedger, unpack_ledger};
use purchase_order_webhook::sandbox::vms::{CreatedOrder, Effect, Fault};
use serde_json::json;

use crate::support::{ORDERS, Service, cart};

#[tokio::test]
async fn a_retry_survives_a_restart_at_its_stored_time() {
    let service = Service::start().await;
    service.vms.next(Effect::status(429));
    service.post(cart(1).to_string()).header("prefer", "respond-async").send().await.unwrap();
    let waiting = service.until("1", "retrying").await;
    let service = service.restart().await;
    let found = service.get(&format!("{ORDERS}/1")).await.body;
    assert_eq!(found["nextAttemptAt"], waiting["nextAttemptAt"], "a restart neither hurries nor delays a retry");
    assert_eq!(service.vms.received().len(), 1);
    service.clock.advance(Duration::from_secs(40));
    service.until("1", "created").await;
    assert_eq!(service.vms.orders().len(), 1);
}

#[tokio::test]
async fn a_stop_finishes_the_attempt_under_way_and_answers_waiting_callers() {
    let mut service = Service::start().await;
    service.vms.queue(Fault { delay_ms: 300, effect: Effect::Normal });
    service.vms.queue(Fault { delay_ms: 0, effect: Effect::status(429) });
    let (in_flight, waiting) = (cart(1), cart(2));
    let first = tokio::spawn(service.post(in_flight.to_string()).send());
    while service.vms.received().is_empty() {
        tokio::task::yield_now().await;
    }
    let second = tokio::spawn(service.post(waiting.to_string()).send());
    service.until("2", "retrying").await;
    service.stop().await;
    assert_eq!(first.await.unwrap().unwrap().status(), 201);
    assert_eq!(second.await.unwrap().unwrap().status(), 202);
}

#[tokio::test]
async fn a_service_that_stops_is_not_ready_until_its_last_attempt_has_ended() {
    let mut service = Service::start().await;
    service.vms.close_gate();
    service.post(cart(1).to_string()).header("prefer", "respond-async").send().await.unwrap();
    service.until("1", "forwarding").await;
    let (vms, client) = (service.vms.clone(), service.client.clone());
    let probe = format!("http://{}/readyz", service.management);
    let ((), ()) = tokio::join!(service.stop(), async {
        loop {
            if client.get(&probe).send().await.unwrap().status() == 503 {
                return vms.open_gate();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert_eq!(service.vms.orders().len(), 1);
}

#[tokio::test]
async fn an_order_interrupted_in_an_attempt_is_looked_up_first() {
    let service = Service::start().await;
    service.send(&cart(1)).await;
    let service = {
        // As after a kill: the attempt's begin is in the ledger, its end is not.
        let ledger = service.ledger_file();
        let mut service = service;
        service.stop().await;
        unpack_ledger(&ledger).unwrap();
        let database = rusqlite::Connection::open(ledger).unwrap();
        let record: String = database.query_row("SELECT record FROM orders", [], |row| row.get(0)).unwrap();
        let mut record: serde_json::Value = serde_json::from_str(&record).unwrap();
        record["state"] = "forwarding".into();
        record["purchase_order_number"] = serde_json::Value::Null;
        record["settled_at"] = serde_json::Value::Null;
        database
            .execute("UPDATE orders SET state = 'forwarding', settled_at = NULL, record = ?1", [record.to_string()])
            .unwrap();
        drop(database);
        service.restart().await
    };
    let order = service.until("1", "retrying").await;
    assert_eq!(order["attempts"][0]["outcome"], "interrupted");
    service.clock.advance(Duration::from_secs(40));
    let order = service.until("1", "created").await;
    assert_eq!(order["attempts"][1]["outcome"], "found");
    assert_eq!(service.vms.orders().len(), 1);
}

#[tokio::test]
async fn a_caller_is_told_what_is_stored_where_the_ledger_can_not_store_the_answer() {
    let mut service = Service::start().await;
    assert_eq!(service.send(&cart(2)).await.status, 201);
    service.stop().await;
    // As an encoding does that lacks a letter.
    let database = rusqlite::Connection::open(service.ledger_file()).unwrap();
    let letters = hex("Łódź".as_bytes()).to_uppercase();
    let refuse = format!(
        "CREATE TRIGGER refuse BEFORE UPDATE ON orders WHEN hex(NEW.packed) LIKE '%{letters}%'
        BEGIN SELECT RAISE(ABORT, 'no such letter'); END"
    );
    database.execute_batch(&refuse).unwrap();
    drop(database);
    let service = service.restart().await;
    let body = json!({ "message": "no such city: Łódź" });
    service.vms.next(Effect::Status { status: 422, body, retry_after: None });
    let answer = service.send(&cart(1)).await;
    answer.is_problem(422, "refused-by-11vms");
    let stored = service.get(&format!("{ORDERS}/1")).await.body;
    assert_eq!((&stored["state"], &answer.body["vms"]), (&json!("rejected"), &stored["vms"]), "{}", answer.text);
    assert_eq!(answer.body["messages"], stored["messages"], "{}", answer.text);
    assert!(answer.text.contains("??d?") && !answer.text.contains("Łódź"), "{}", answer.text);
}

#[tokio::test]
async fn two_services_can_not_use_one_ledger() {
    let service = Service::start().await;
    let other = SqliteLedger::open(&service.ledger_file());
    assert!(other.unwrap_err().to_string().contains("another process"));
}

#[tokio::test]
async fn a_cart_that_was_ordered_after_the_backup_gets_that_order() {
    let backup = SystemClock.now();
    let service = Service::start_with(&format!("ledger.restored_at = \"{backup}\"")).await;
    let order = CreatedOrder { number: "4500000815".into(), body: json!({ "externalId": "1" }) };
    service.vms.add_order(order);
    let (lost, new) = (cart(1), cart(2));
    let (lost, new, ()) = tokio::join!(service.send(&lost), service.send(&new), async {
        for id in ["1", "2"] {
            service.until(id, "accepted").await;
        }
        assert!(service.vms.received().is_empty(), "11VMS may still be working on what was sent before the restore");
        service.clock.advance(Duration::from_secs(31));
    });
    assert_eq!((lost.status, &lost.body["purchaseOrderNumber"]), (201, &json!("4500000815")));
    assert!(lost.body["messages"][1]["message"].as_str().unwrap().contains("restored from a backup"), "{}", lost.body);
    assert_eq!((new.status, new.body["messages"].as_array().unwrap().len()), (201, 1));
    assert_eq!(service.vms.orders().len(), 2);
}

#[tokio::test]
async fn settled_orders_are_removed_after_their_retention() {
    let service = Service::start_with("ledger.retention = \"1d\"").await;
    service.send(&cart(1)).await;
    service.clock.advance(Duration::from_hours(23));
    assert_eq!(service.get(&format!("{ORDERS}/1")).await.status, 200);
    for _ in 0..2_000 {
        service.clock.advance(Duration::from_hours(2));
        if service.get(&format!("{ORDERS}/1")).await.status == 404 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the order is still there");
}
