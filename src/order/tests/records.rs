//! Orders as they are recorded: what every release can read.

use serde_json::{Value, json};

use super::*;

/// A record as it was read, and the body that ledgers store beside it.
pub fn with_body_of(order: &Order, read: Order) -> Order {
    assert_eq!(read.body, "", "a record is written without its body");
    Order { body: order.body.clone(), ..read }
}

#[test]
fn a_record_survives_the_ledger() {
    let order = parked_in_doubt();
    let text = serde_json::to_string(&order).unwrap();
    assert_eq!(with_body_of(&order, serde_json::from_str(&text).unwrap()), order);
}

#[test]
fn a_record_of_the_first_release_is_read_and_written_in_its_spelling() {
    let mut record = json!({
        "id": "4711", "cart_number": "0000004711", "state": "retrying", "purchase_order_number": null,
        "received_at": "2025-01-31T09:30:00Z", "settled_at": null, "next_attempt_at": "2025-01-31T09:30:31Z",
        "mapping_version": "fbc70c580a07623b",
        "attempts": [{
            "number": 1, "started_at": "2025-01-31T09:30:00Z", "duration_ms": 12, "outcome": "not-done",
            "http_status": 429, "detail": "answered 429"
        }],
        "messages": [], "vms": { "message": "later" }, "fingerprint": "f", "body": "{}",
        "baggage": { "traceparent": null, "sap_passport": "2A54", "request_id": "from-srm" },
        "doubt": "none", "used": 1, "revision": 3,
        "interventions": [{ "at": "2025-01-31T09:30:00Z", "by": "desk", "action": "replayed", "detail": null }]
    });
    let order: Order = serde_json::from_value(record.clone()).unwrap();
    assert_eq!((order.attempts_used, order.request_id()), (1, Some("from-srm")));
    assert_eq!(order.vms_response, Some(json!({ "message": "later" })));
    assert_eq!(record.as_object_mut().unwrap().remove("body"), Some(json!(order.body)));
    assert_eq!(serde_json::to_value(&order).unwrap(), without_nulls(record));
}

/// What a record said by `null`, it says by leaving it out.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let said = members.into_iter().filter(|(_, value)| !value.is_null());
            said.map(|(name, value)| (name, without_nulls(value))).collect()
        }
        Value::Array(entries) => entries.into_iter().map(without_nulls).collect(),
        value => value,
    }
}

#[test]
fn what_is_new_in_a_record_is_left_out_where_it_says_nothing_and_read_where_it_is_missing() {
    let plain = serde_json::to_string(&after_attempt(unknown())).unwrap();
    assert!(!plain.contains("restored") && !plain.contains("look_up_lost"), "{plain}");
    let mut order = after_attempt(unknown());
    order.begin(at(40)).unwrap();
    order.doubt_since_restore(at(7));
    let lost = Verdict::LookUpLost { detail: "look-up: no answer".into() };
    order.conclude(lost, at(41), &RetryPolicy::usual(), 0.0).unwrap();
    let record = serde_json::to_value(&order).unwrap();
    assert_eq!(with_body_of(&order, serde_json::from_value(record.clone()).unwrap()), order);
    // A release before this one knows every value, and ignores the fields that it does not know.
    assert_eq!((&record["doubt"], &record["attempts"][1]["outcome"]), (&json!("earlier-content"), &json!("unknown")));
}
