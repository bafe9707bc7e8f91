//! The log of one cart, whole: how it came, what became of it, and who settled it. And the log of a start and a stop.

use std::collections::BTreeMap;

use purchase_order_webhook::sandbox::vms::Effect;
use serde_json::{Value, json};

use crate::process::Process;
use crate::snapshot_files::{assert_snapshot, redact_ports};
use crate::support::cart;

/// Sends the cart 1 as SRM does, and expects a status.
async fn send(service: &Process, status: u16) {
    let answer = service.post("", "from-srm-1", cart(1).to_string()).send().await.unwrap();
    assert_eq!(answer.status(), status, "{}", answer.text().await.unwrap());
}

/// Whether a line is about the order 1, or about a request of this test.
fn is_of_the_cart(line: &Value) -> bool {
    let is_of_a_request = line["http.request.id"].as_str().is_some_and(|id| id.ends_with("-1"));
    line["order.id"] == "1" || is_of_a_request
}

/// One JSON object a line of the log, its fields sorted; what differs from run to run is redacted.
fn log_text<'a>(lines: impl Iterator<Item = &'a Value>) -> String {
    let lines: Vec<String> = lines
        .map(|line| {
            let mut fields: BTreeMap<&str, Value> =
                line.as_object().unwrap().iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
            for (name, replacement) in [
                ("timestamp", "[time]"),
                ("order.next_attempt_at", "[time]"),
                ("http.server.request.duration", "[seconds]"),
                ("ledger.location", "[folder]/orders.db"),
                ("mapping.since", "[time]"),
                ("mapping.version", "[mapping version]"),
                ("service.version", "[version]"),
            ] {
                fields.entry(name).and_modify(|value| *value = replacement.into());
            }
            redact_ports(&serde_json::to_string_pretty(&fields).unwrap())
        })
        .collect();
    lines.join("\n")
}

/// Stops the service, and compares the lines of the cart with a file.
async fn assert_log_of_the_cart(service: Process, file: &str) {
    let lines = service.stop().await;
    assert_snapshot(file, &log_text(lines.iter().filter(|line| is_of_the_cart(line))));
}

#[tokio::test]
async fn a_start_and_a_stop() {
    let service = Process::start("").await;
    // Its token can't be verified before the issuer's keys were fetched.
    send(&service, 201).await;
    let lines = service.stop().await;
    assert_snapshot("log/a-start-and-a-stop.snap", &log_text(lines.iter().filter(|line| !is_of_the_cart(line))));
}

#[tokio::test]
async fn a_cart_that_is_created() {
    let service = Process::start("").await;
    send(&service, 201).await;
    assert_log_of_the_cart(service, "log/a-cart-that-is-created.snap").await;
}

#[tokio::test]
async fn a_cart_with_mistakes() {
    let service = Process::start("").await;
    let mut mistaken = cart(1);
    mistaken["HEADER"]["ZZ_SALES_ORG"] = json!("");
    mistaken["ITEM"][0]["UNIT"] = json!("FURLONG");
    let answer = service.post("", "from-srm-1", mistaken.to_string()).send().await.unwrap();
    assert_eq!(answer.status(), 422);
    assert_log_of_the_cart(service, "log/a-cart-with-mistakes.snap").await;
}

#[tokio::test]
async fn a_cart_that_is_retried_then_created() {
    let service = Process::start("retry.initial_delay = \"50ms\"").await;
    service.vms.next(Effect::status(429));
    send(&service, 201).await;
    assert_log_of_the_cart(service, "log/a-cart-that-is-retried-then-created.snap").await;
}

#[tokio::test]
async fn a_cart_that_is_parked_and_settled_by_hand() {
    let service = Process::start("retry.attempts = 0").await;
    service.vms.next(Effect::HangUpAfter);
    send(&service, 502).await;
    let number = json!({ "purchaseOrderNumber": "4500000001" }).to_string();
    let answer = service.post("/1/resolve", "from-desk-1", number).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    assert_log_of_the_cart(service, "log/a-cart-that-is-parked-and-settled-by-hand.snap").await;
}

#[tokio::test]
async fn a_cart_whose_outcome_is_unknown_then_found() {
    let service = Process::start("retry.initial_delay = \"50ms\"\ntarget.unknown_grace = \"0s\"").await;
    service.vms.next(Effect::HangUpAfter);
    send(&service, 201).await;
    assert_log_of_the_cart(service, "log/a-cart-whose-outcome-is-unknown-then-found.snap").await;
}

#[tokio::test]
async fn a_batch_with_a_refused_cart() {
    let service = Process::start("").await;
    let mut mistaken = cart(2);
    mistaken["HEADER"]["ZZ_SALES_ORG"] = json!("");
    let batch = json!([cart(1), mistaken]).to_string();
    let answer = service.post("/batch", "from-batch-1", batch).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_log_of_the_cart(service, "log/a-batch-with-a-refused-cart.snap").await;
}
