//! The warnings about a cart: logged once, when the cart is accepted.

use std::sync::Mutex;

use serde_json::json;
use tracing_subscriber::fmt::MakeWriter as _;

use super::*;
use crate::order::Candidate;

#[tokio::test]
async fn each_cart_that_is_accepted_with_warnings_has_one_line_in_the_log() {
    let log: &'static Mutex<Vec<u8>> = Box::leak(Box::default());
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || log.make_writer()).finish();
    let _subscriber = tracing::subscriber::set_default(subscriber);
    let stack = stack(&[]);
    let warning = |text: &str| json!({ "type": "W", "id": "PO_WEBHOOK", "number": "099", "message": text, "row": 1 });
    let warnings = json!([warning("the shares add up to 200"), warning("x")]);
    let warned = || Candidate { warnings: serde_json::from_value(warnings.clone()).unwrap(), ..candidate("1") };
    for _ in 0..2 {
        stack.relay.submit(warned(), Duration::from_hours(1)).await.unwrap();
    }
    stack.relay.submit(candidate("2"), Duration::from_hours(1)).await.unwrap();
    let log = String::from_utf8(log.lock().unwrap().clone()).unwrap();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("warnings")).collect();
    let [line] = lines.as_slice() else { panic!("{log}") };
    for expected in ["WARN", "order.id=1", "order.warnings=2", "order.warning=\"the shares add up to 200\""] {
        assert!(line.contains(expected), "{expected}: {line}");
    }
}
