//! The effects of a cart in every case: the requests that 11VMS gets, the orders that exist, and the next answer. Bodies have
//! `snapshots`, lists `listing.rs`, people's interventions `operate.rs`, batches `batch.rs`.

use std::time::Duration;

use purchase_order_webhook::sandbox::vms::{Effect, Fault};
use serde_json::{Value, json};

use crate::support::{Answer, ORDERS, Service, cart, example, expected_order};

#[tokio::test]
async fn the_sample_cart_becomes_its_order() {
    let service = Service::start().await;
    let answer = service.send(&example("asjson-sample")).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    // The carts of the snapshots have no GUID: their number is their id.
    assert_eq!(answer.body["id"], "005056a207c81ed1bfc6b69e72f50550");
    assert_eq!(answer.body["cartNumber"], "1000004711");
    let orders = service.vms.orders();
    assert_eq!(orders.len(), 1);
    assert_eq!(orders[0].body, expected_order("asjson-sample"));
}

#[tokio::test]
async fn the_same_cart_again_sends_nothing() {
    let service = Service::start().await;
    assert_eq!(service.send(&cart(1)).await.status, 201);
    assert_eq!(service.send(&cart(1)).await.status, 200);
    assert_eq!(service.vms.received().len(), 1);
}

#[tokio::test]
async fn a_cart_in_another_spelling_is_the_same_cart() {
    let service = Service::start().await;
    assert_eq!(service.send(&example("guid-hex")).await.status, 201);
    let other = service.send(&example("guid-base64-shortened")).await;
    assert_eq!(other.status, 200, "{}", other.text);
    assert_eq!(service.vms.orders().len(), 1);
}

#[tokio::test]
async fn a_changed_cart_under_a_known_id_sends_nothing() {
    let service = Service::start().await;
    service.send(&cart(1)).await;
    let mut changed = cart(1);
    changed["HEADER"]["TOTAL_VALUE"] = json!(999);
    service.send(&changed).await.is_problem(409, "order-exists");
    assert_eq!(service.vms.received().len(), 1);
}

#[tokio::test]
async fn fifty_callers_of_one_cart_share_one_order() {
    let service = Service::start().await;
    service.vms.set_latency(Duration::from_millis(100));
    let cart = cart(1);
    let answers: Vec<Answer> = send_at_once(50, || service.send(&cart)).await;
    let created = answers.iter().filter(|answer| answer.status == 201).count();
    assert!(created == 1 && answers.iter().all(|answer| matches!(answer.status, 200 | 201)));
    assert!(answers.iter().all(|answer| answer.body["purchaseOrderNumber"] == "4500000001"));
    assert_eq!(service.vms.orders().len(), 1);
}

/// Runs several futures at once.
async fn send_at_once<F: Future<Output = Answer>>(count: usize, call: impl Fn() -> F) -> Vec<Answer> {
    let mut calls: Vec<_> = (0..count).map(|_| Box::pin(call())).collect();
    let mut answers = Vec::new();
    std::future::poll_fn(|context| {
        calls.retain_mut(|call| match call.as_mut().poll(context) {
            std::task::Poll::Ready(answer) => {
                answers.push(answer);
                false
            }
            std::task::Poll::Pending => true,
        });
        if calls.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    answers
}

#[tokio::test]
async fn a_cart_with_a_mistake_leaves_no_trace() {
    let service = Service::start().await;
    let mut wrong = cart(7);
    wrong["HEADER"]["ZZ_SALES_ORG"] = json!("");
    service.send(&wrong).await.is_problem(422, "invalid-cart");
    assert_eq!(service.get(&format!("{ORDERS}/7")).await.status, 404);
    assert_eq!(service.send(&cart(7)).await.status, 201);
}

#[tokio::test]
async fn items_with_different_suppliers_are_a_mistake_that_names_both() {
    let service = Service::start().await;
    let answer = service
        .send(&json!({
            "HEADER": cart(7)["HEADER"],
            "ITEM": [
                { "GUID": "A0000000000000000000000000000001", "NUMBER_INT": 1, "QUANTITY": 1, "UNIT": "H" },
                { "GUID": "A0000000000000000000000000000002", "NUMBER_INT": 2, "QUANTITY": 1, "UNIT": "H" }
            ],
            "PARTNER": [
                { "P_GUID": "A0000000000000000000000000000001", "PARTNER_FCT": 19, "PARTNER_ID": "300123" },
                { "P_GUID": "A0000000000000000000000000000002", "PARTNER_FCT": 19, "PARTNER_ID": "300999" },
                { "PARTNER_FCT": 27, "COUNTRY": "DE", "REGION": "08" }
            ]
        }))
        .await;
    answer.is_problem(422, "invalid-cart");
    let text = answer.body["messages"][0]["message"].as_str().unwrap();
    assert!(text.contains("300123") && text.contains("300999"), "{text}");
}

#[tokio::test]
async fn a_corrected_cart_is_sent_after_a_refusal_by_11vms() {
    let service = Service::start().await;
    service.vms.next(Effect::status(422));
    service.send(&cart(1)).await.is_problem(422, "refused-by-11vms");
    let mut changed = cart(1);
    changed["HEADER"]["TOTAL_VALUE"] = json!(1);
    let answer = service.send(&changed).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(answer.body["attempts"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_order_that_11vms_already_has_is_created() {
    let service = Service::start().await;
    service.vms.next(Effect::Status { status: 409, body: json!({ "poNumber": "4711" }), retry_after: None });
    let answer = service.send(&cart(1)).await;
    assert_eq!((answer.status, &answer.body["purchaseOrderNumber"]), (201, &json!("4711")));
}

#[tokio::test]
async fn a_caller_that_does_not_wait_finds_the_order_later() {
    let service = Service::start().await;
    let answer = service.post(cart(1).to_string()).header("prefer", "respond-async").send().await.unwrap();
    assert_eq!(answer.status(), 202);
    service.until("1", "created").await;
    assert_eq!(service.send(&cart(1)).await.status, 200);
}

#[tokio::test]
async fn an_unknown_outcome_is_looked_up_before_anything_is_sent_again() {
    for effect in [Effect::HangUpAfter, Effect::Garbage, Effect::CreatedButStatus(500), Effect::CreatedButStatus(504)] {
        let service = Service::start().await;
        service.vms.next(effect.clone());
        let cart = cart(1);
        let (answer, ()) = tokio::join!(service.send(&cart), async {
            service.until("1", "retrying").await;
            service.clock.advance(Duration::from_secs(40));
        });
        assert_eq!(answer.status, 201, "{effect:?} {}", answer.text);
        assert_eq!(answer.body["attempts"][1]["outcome"], "found", "{effect:?}");
        assert_eq!(service.vms.orders().len(), 1, "{effect:?}");
    }
}

#[tokio::test]
async fn an_unknown_outcome_that_11vms_does_not_know_is_sent_again() {
    for effect in [Effect::HangUpBefore, Effect::status(500), Effect::status(408)] {
        let service = Service::start().await;
        service.vms.next(effect.clone());
        let cart = cart(1);
        let (answer, ()) = tokio::join!(service.send(&cart), async {
            service.until("1", "retrying").await;
            service.clock.advance(Duration::from_secs(40));
        });
        assert_eq!(answer.status, 201, "{effect:?} {}", answer.text);
        let methods: Vec<String> = service.vms.received().into_iter().map(|request| request.method).collect();
        assert_eq!(methods, ["POST", "GET", "POST"], "{effect:?}");
        assert_eq!(service.vms.orders().len(), 1, "{effect:?}");
    }
}

#[tokio::test]
async fn an_order_that_11vms_creates_after_the_time_out_is_found() {
    let service = Service::start_with("target.timeout = \"200ms\"").await;
    service.vms.queue(Fault { delay_ms: 500, effect: Effect::Normal });
    let cart = cart(1);
    let (answer, ()) = tokio::join!(service.send(&cart), async {
        let order = service.until("1", "retrying").await;
        assert_eq!(order["attempts"][0]["outcome"], "unknown");
        while service.vms.orders().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        service.clock.advance(Duration::from_secs(40));
    });
    assert_eq!((answer.status, &answer.body["attempts"][1]["outcome"]), (201, &json!("found")), "{}", answer.text);
    assert_eq!(service.vms.orders().len(), 1);
}

#[tokio::test]
async fn a_retry_after_of_11vms_delays_the_next_attempt() {
    let service = Service::start().await;
    service.vms.next(Effect::Status { status: 503, body: Value::Null, retry_after: Some("300".into()) });
    service.post(cart(1).to_string()).header("prefer", "respond-async").send().await.unwrap();
    service.until("1", "retrying").await;
    service.clock.advance(Duration::from_secs(290));
    // Another order's whole way shows that the first one had its chance.
    assert_eq!(service.send(&cart(2)).await.status, 201);
    assert_eq!(service.until("1", "retrying").await["attempts"].as_array().unwrap().len(), 1);
    service.clock.advance(Duration::from_secs(20));
    service.until("1", "created").await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Service::start().await;
    let service = Service::start_with("retry.attempts = 0").await;
    service.vms.next(Effect::Redirect(elsewhere.vms.url().join("purchase-orders").unwrap().to_string()));
    service.send(&cart(1)).await.is_problem(502, "parked");
    assert!(elsewhere.vms.received().is_empty(), "neither the order nor the token goes to another host");
}

#[tokio::test]
async fn an_oversized_answer_is_an_unknown_outcome() {
    let service = Service::start_with("retry.attempts = 0\ntarget.max_answer = \"256KiB\"").await;
    let large = json!({ "poNumber": "45", "padding": "x".repeat(300 * 1024) });
    service.vms.next(Effect::Status { status: 201, body: large, retry_after: None });
    service.send(&cart(1)).await.is_problem(502, "parked");
    let order = service.get(&format!("{ORDERS}/1")).await.body;
    assert_eq!(order["attempts"][0]["outcome"], "unknown");
}

#[tokio::test]
async fn an_order_that_11vms_certainly_did_not_create_is_sent_again_without_a_look_up() {
    let service = Service::start().await;
    service.vms.next(Effect::status(429));
    let cart = cart(1);
    let (answer, ()) = tokio::join!(service.send(&cart), async {
        service.until("1", "retrying").await;
        service.clock.advance(Duration::from_secs(40));
    });
    assert_eq!(answer.status, 201);
    let methods: Vec<String> = service.vms.received().into_iter().map(|request| request.method).collect();
    assert_eq!(methods, ["POST", "POST"]);
}

#[tokio::test]
async fn an_unknown_outcome_without_a_guard_is_parked_and_looked_up_when_the_cart_is_sent_again() {
    let service = Service::start_with("target.duplicate_guard = \"none\"\ntarget.unknown_grace = \"0s\"").await;
    service.vms.next(Effect::HangUpAfter);
    service.send(&cart(1)).await.is_problem(502, "parked");
    service.vms.next(Effect::status(404));
    service.send(&cart(1)).await.is_problem(502, "parked");
    let answer = service.send(&cart(1)).await;
    assert_eq!((answer.status, &answer.body["attempts"][2]["outcome"]), (201, &json!("found")), "{}", answer.text);
    assert_eq!(service.vms.orders().len(), 1);
}

#[tokio::test]
async fn an_unknown_outcome_under_an_idempotency_key_is_sent_again_without_a_look_up() {
    let service = Service::start_with("target.duplicate_guard = \"idempotency-key\"").await;
    service.vms.next(Effect::HangUpBefore);
    let cart = cart(1);
    let (answer, ()) = tokio::join!(service.send(&cart), async {
        service.until("1", "retrying").await;
        service.clock.advance(Duration::from_secs(40));
    });
    assert_eq!(answer.status, 201, "{}", answer.text);
    let received = service.vms.received();
    assert_eq!(received.iter().map(|request| request.method.as_str()).collect::<Vec<_>>(), ["POST", "POST"]);
    assert!(received.iter().all(|request| request.header("idempotency-key") == Some("1")));
}

#[tokio::test]
async fn an_order_is_parked_when_all_attempts_failed_and_may_be_sent_again() {
    let service = Service::start_with("retry.attempts = 0").await;
    service.vms.next(Effect::status(429));
    service.send(&cart(1)).await;
    assert_eq!(service.get(&format!("{ORDERS}?state=parked")).await.body["orders"][0]["id"], "1");
    assert_eq!(service.send(&cart(1)).await.status, 201);
}

#[tokio::test]
async fn an_attempt_that_does_not_reach_11vms_counts_as_not_done() {
    let service = Service::start_with("target.base_url = \"http://127.0.0.1:1\"\nretry.attempts = 0").await;
    service.send(&cart(1)).await.is_problem(502, "parked");
    let order = service.get(&format!("{ORDERS}/1")).await.body;
    assert_eq!(order["attempts"][0]["outcome"], "not-done");
}

#[tokio::test]
async fn a_caller_that_hangs_up_changes_nothing() {
    let service = Service::start().await;
    service.vms.set_latency(Duration::from_millis(200));
    let call = tokio::spawn(service.post(cart(1).to_string()).send());
    while service.vms.received().is_empty() {
        tokio::task::yield_now().await;
    }
    call.abort();
    service.until("1", "created").await;
    assert_eq!(service.send(&cart(1)).await.status, 200);
    assert_eq!(service.vms.orders().len(), 1);
}

#[tokio::test]
async fn trace_headers_of_the_caller_are_passed_on_to_11vms() {
    let service = Service::start().await;
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    service
        .post(cart(1).to_string())
        .header("traceparent", traceparent)
        .header("sap-passport", "2A54482A0300E60000")
        .header("x-request-id", "call-1")
        .send()
        .await
        .unwrap();
    let received = &service.vms.received()[0];
    assert_eq!(received.header("traceparent"), Some(traceparent));
    assert_eq!(received.header("sap-passport"), Some("2A54482A0300E60000"));
    assert_eq!(received.header("x-request-id"), Some("call-1"));
    assert_eq!(received.header("idempotency-key"), Some("1"));
}
