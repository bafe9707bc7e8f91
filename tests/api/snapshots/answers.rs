//! What a caller gets for a cart, a batch, a preview and a list.

use std::time::Duration;

use purchase_order_webhook::sandbox::vms::Effect;
use reqwest::Method;
use serde_json::json;

use super::{exchange, get, post, request, send, start};
use crate::exchange::conversation;
use crate::snapshot_files::assert_snapshot;
use crate::support::cart;

#[tokio::test]
async fn a_new_cart_is_created() {
    let service = start().await;
    let answer = send(&service, &cart(1)).await;
    assert_snapshot("answers/201-a-new-cart-is-created.snap", &answer.with_every_header());
}

#[tokio::test]
async fn the_same_cart_again_is_replayed() {
    let service = start().await;
    send(&service, &cart(1)).await;
    let answer = send(&service, &cart(1)).await;
    assert_snapshot("answers/200-the-same-cart-again-is-replayed.snap", &answer.text());
}

#[tokio::test]
async fn a_caller_that_does_not_wait_gets_the_recorded_order() {
    let service = start().await;
    // Its attempt does not end before the order is asked for.
    service.vms.close_gate();
    let request = post(&service, "", cart(1).to_string()).header("prefer", "respond-async");
    let answer = exchange(&service, request).await;
    assert_snapshot("answers/202-a-caller-that-does-not-wait.snap", &answer.text());
    service.vms.open_gate();
}

#[tokio::test]
async fn an_order_that_is_open_at_the_deadline_says_when_it_is_tried_again() {
    let service = start().await;
    service.vms.next(Effect::status(503));
    let request = post(&service, "", cart(1).to_string()).header("prefer", "wait=10");
    let (answer, ()) = tokio::join!(exchange(&service, request), async {
        service.until("1", "retrying").await;
        service.clock.advance(Duration::from_secs(10));
    });
    assert_snapshot("answers/202-an-order-is-open-at-the-deadline.snap", &answer.text());
}

#[tokio::test]
async fn a_batch_has_one_result_for_each_cart() {
    let service = start().await;
    send(&service, &cart(1)).await;
    let mut mistaken = cart(3);
    mistaken["HEADER"]["ZZ_SALES_ORG"] = json!("");
    let lines = format!("{}\n{}\n{mistaken}\n{{\"HEADER\":\n", cart(1), cart(2));
    let request = request(&service, Method::POST, "/batch").header("content-type", "application/x-ndjson").body(lines);
    let answer = exchange(&service, request).await;
    assert_snapshot("answers/200-a-batch-has-one-result-for-each-cart.snap", &answer.text());
}

#[tokio::test]
async fn a_preview_shows_where_every_field_comes_from() {
    let service = start().await;
    let answer = exchange(&service, post(&service, "/preview", cart(1).to_string())).await;
    assert_snapshot("answers/200-a-preview-shows-where-every-field-comes-from.snap", &answer.text());
}

#[tokio::test]
async fn a_preview_of_a_cart_with_mistakes_names_them_and_has_no_order() {
    let service = start().await;
    let mut mistaken = cart(1);
    mistaken["HEADER"]["ZZ_SALES_ORG"] = json!(null);
    mistaken["ITEM"][0]["UNIT"] = json!("FURLONG");
    let answer = exchange(&service, post(&service, "/preview", mistaken.to_string())).await;
    assert_snapshot("answers/200-a-preview-of-a-cart-with-mistakes.snap", &answer.text());
}

#[tokio::test]
async fn a_list_has_pages_newest_first() {
    let service = start().await;
    for number in 1..=3 {
        send(&service, &cart(number)).await;
        service.clock.advance(Duration::from_secs(1));
    }
    let first = exchange(&service, get(&service, "?limit=2")).await;
    let body: serde_json::Value = serde_json::from_str(&first.body).unwrap();
    let next = format!("?limit=2&cursor={}", body["nextCursor"].as_str().unwrap());
    let second = exchange(&service, get(&service, &next)).await;
    assert_snapshot("answers/200-a-list-in-two-pages.snap", &conversation(&[first, second]));
}

#[tokio::test]
async fn an_abap_client_fetches_a_csrf_token() {
    let service = start().await;
    let answer = exchange(&service, get(&service, "").header("x-csrf-token", "fetch")).await;
    assert_snapshot("answers/200-a-csrf-token-is-fetched.snap", &answer.text());
}
