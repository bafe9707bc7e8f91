//! What operators get: an order with its history, orders that were tried again or settled by hand, probes.

use std::time::Duration;

use purchase_order_webhook::sandbox::vms::Effect;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{exchange, get, request, send, start, start_without_retries, token};
use crate::exchange::conversation;
use crate::snapshot_files::assert_snapshot;
use crate::support::{ORDERS, Service, cart};

/// A service with one order that was parked after one attempt, a minute ago.
async fn with_a_parked_order(effect: Effect) -> Service {
    let service = start_without_retries().await;
    service.vms.next(effect);
    send(&service, &cart(1)).await;
    service.clock.advance(Duration::from_mins(1));
    service
}

/// A resolution of a person who signed in at a client of its own.
fn resolve(service: &Service, resolution: &Value) -> RequestBuilder {
    let person = token(service, &json!({ "sub": "m.mueller", "client_id": "operations-desk" }));
    let request = service.client.post(service.url(&format!("{ORDERS}/1/resolve"))).bearer_auth(person);
    request.header("content-type", "application/json").body(resolution.to_string())
}

#[tokio::test]
async fn a_parked_order_is_tried_again() {
    let service = with_a_parked_order(Effect::status(429)).await;
    let answer = exchange(&service, request(&service, Method::POST, "/1/replay")).await;
    assert_snapshot("operation/201-a-parked-order-is-tried-again.snap", &answer.text());
}

#[tokio::test]
async fn a_parked_order_is_settled_by_hand_with_its_number() {
    let service = with_a_parked_order(Effect::HangUpAfter).await;
    let answer = exchange(&service, resolve(&service, &json!({ "purchaseOrderNumber": "4500000001" }))).await;
    assert_snapshot("operation/200-a-parked-order-is-settled-with-its-number.snap", &answer.text());
}

#[tokio::test]
async fn a_parked_order_is_cancelled_by_hand() {
    let service = with_a_parked_order(Effect::status(429)).await;
    let answer = exchange(&service, resolve(&service, &json!({ "cancelled": "ordered by telephone" }))).await;
    assert_snapshot("operation/200-a-parked-order-is-cancelled.snap", &answer.text());
}

#[tokio::test]
async fn an_order_shows_every_attempt_and_every_intervention() {
    let service = with_a_parked_order(Effect::status(429)).await;
    service.vms.next(Effect::HangUpAfter);
    exchange(&service, request(&service, Method::POST, "/1/replay")).await;
    service.clock.advance(Duration::from_mins(5));
    exchange(&service, resolve(&service, &json!({ "purchaseOrderNumber": "4500000001" }))).await;
    let answer = exchange(&service, get(&service, "/1")).await;
    assert_snapshot("operation/200-an-order-with-attempts-and-interventions.snap", &answer.text());
}

#[tokio::test]
async fn probes_say_alive_and_ready() {
    let service = start().await;
    // The keys are there when a token was verified.
    exchange(&service, get(&service, "")).await;
    let probe = |path: &str| service.client.get(format!("http://{}{path}", service.management));
    let answers = [exchange(&service, probe("/livez")).await, exchange(&service, probe("/readyz")).await];
    assert_snapshot("operation/200-probes.snap", &conversation(&answers));
}
