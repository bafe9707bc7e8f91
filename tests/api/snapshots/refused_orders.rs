//! Problems of an order that is known: 11VMS refused it, it waits, or it is settled otherwise.

use std::time::Duration;

use purchase_order_webhook::problem::ProblemKind;
use purchase_order_webhook::sandbox::vms::Effect;
use serde_json::json;

use super::{assert_problem, exchange, post, send, start, start_with, start_without_retries};
use crate::support::{Service, cart};

/// A service with one order whose attempt 11VMS has not answered yet.
async fn with_an_attempt_under_way(settings: &str) -> Service {
    let service = start_with(settings).await;
    service.vms.close_gate();
    exchange(&service, post(&service, "", cart(1).to_string()).header("prefer", "respond-async")).await;
    service.until("1", "forwarding").await;
    service
}

#[tokio::test]
async fn another_cart_under_a_known_id() {
    let service = start().await;
    send(&service, &cart(1)).await;
    let mut changed = cart(1);
    changed["HEADER"]["TOTAL_VALUE"] = json!(999);
    let answer = send(&service, &changed).await;
    assert_problem(ProblemKind::ORDER_EXISTS, "problems/409-order-exists.snap", &answer);
}

#[tokio::test]
async fn a_cart_whose_order_was_cancelled_by_hand() {
    let service = start_without_retries().await;
    service.vms.next(Effect::status(429));
    send(&service, &cart(1)).await;
    let cancelled = json!({ "cancelled": "ordered by telephone" }).to_string();
    exchange(&service, post(&service, "/1/resolve", cancelled)).await;
    let answer = send(&service, &cart(1)).await;
    assert_problem(ProblemKind::ORDER_CANCELLED, "problems/409-order-cancelled.snap", &answer);
}

#[tokio::test]
async fn a_resolution_of_an_order_that_is_created() {
    let service = start().await;
    send(&service, &cart(1)).await;
    let answer = exchange(&service, post(&service, "/1/resolve", json!({ "cancelled": "too late" }).to_string())).await;
    assert_problem(ProblemKind::ALREADY_SETTLED, "problems/409-already-settled.snap", &answer);
}

#[tokio::test]
async fn a_resolution_while_an_attempt_is_under_way() {
    // The attempt lasts longer than the resolution waits.
    let service = with_an_attempt_under_way("target.timeout = \"1h\"").await;
    let resolution = post(&service, "/1/resolve", json!({ "cancelled": "too early" }).to_string());
    let time_passes = async {
        loop {
            tokio::time::sleep(Duration::from_millis(5)).await;
            service.clock.advance(Duration::from_secs(1));
        }
    };
    let answer = tokio::select! {
        answer = exchange(&service, resolution) => answer,
        () = time_passes => unreachable!(),
    };
    assert_problem(ProblemKind::ATTEMPT_UNDER_WAY, "problems/409-attempt-under-way.snap", &answer);
    service.vms.open_gate();
}

#[tokio::test]
async fn an_order_that_11vms_refused() {
    let service = start().await;
    let body = json!({ "message": "cost center 1000 is closed" });
    service.vms.next(Effect::Status { status: 422, body, retry_after: None });
    let answer = send(&service, &cart(1)).await;
    assert_problem(ProblemKind::REFUSED_BY_11VMS, "problems/422-refused-by-11vms.snap", &answer);
}

#[tokio::test]
async fn an_order_that_is_parked_and_does_not_exist_in_11vms() {
    let service = start_without_retries().await;
    service.vms.next(Effect::status(429));
    let answer = send(&service, &cart(1)).await;
    assert_problem(ProblemKind::PARKED, "problems/502-parked.snap", &answer);
}

#[tokio::test]
async fn an_order_that_is_parked_and_may_exist_in_11vms() {
    let service = start_without_retries().await;
    service.vms.next(Effect::HangUpAfter);
    let answer = send(&service, &cart(1)).await;
    assert_problem(ProblemKind::PARKED, "problems/502-parked-outcome-unknown.snap", &answer);
}

#[tokio::test]
async fn an_order_that_is_open_at_the_deadline_where_the_operator_chose_an_error() {
    let service = start_with("server.on_deadline = \"error\"\nserver.deadline = \"5s\"").await;
    service.vms.next(Effect::status(429));
    let cart = cart(1);
    let (answer, ()) = tokio::join!(send(&service, &cart), async {
        service.until("1", "retrying").await;
        service.clock.advance(Duration::from_secs(5));
    });
    assert_problem(ProblemKind::STILL_OPEN, "problems/504-still-open.snap", &answer);
}
