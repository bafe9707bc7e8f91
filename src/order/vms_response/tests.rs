//! Every status and body, and what it means.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::order::Outcome;

fn rules() -> ResponseRules {
    ResponseRules { number_pointer: "/poNumber".into(), transient_codes: vec!["REQUEST_LIMIT_EXCEEDED".into()] }
}

fn answered(status: u16, body: Value) -> CallOutcome {
    CallOutcome::Answered(VmsResponse {
        status,
        body: (!body.is_null()).then_some(body),
        defect: None,
        location: None,
        retry_after: None,
    })
}

fn outcome(status: u16, body: Value) -> Outcome {
    read_create(answered(status, body), &rules()).outcome()
}

#[test]
fn every_status_has_its_meaning() {
    let number = || json!({ "poNumber": "45" });
    let table = [
        (200, number(), Outcome::Created),
        (201, number(), Outcome::Created),
        (201, json!({ "poNumber": 45 }), Outcome::Created),
        (409, number(), Outcome::Created),
        (201, json!({}), Outcome::Unknown),
        (201, json!({ "poNumber": "" }), Outcome::Unknown),
        (201, json!({ "poNumber": "45\r\n46" }), Outcome::Unknown),
        (201, json!({ "poNumber": "4".repeat(65) }), Outcome::Unknown),
        (201, json!("<html>"), Outcome::Unknown),
        (202, number(), Outcome::Unknown),
        (204, Value::Null, Outcome::Unknown),
        (301, Value::Null, Outcome::Unknown),
        (400, Value::Null, Outcome::Rejected),
        (401, Value::Null, Outcome::NotDone),
        (403, Value::Null, Outcome::Rejected),
        (403, json!({ "errorCode": "REQUEST_LIMIT_EXCEEDED" }), Outcome::NotDone),
        (403, json!([{ "errorCode": "REQUEST_LIMIT_EXCEEDED" }]), Outcome::NotDone),
        (403, json!({ "error": { "code": "REQUEST_LIMIT_EXCEEDED" } }), Outcome::NotDone),
        (403, json!({ "errorCode": "INSUFFICIENT_ACCESS" }), Outcome::Rejected),
        (404, Value::Null, Outcome::Rejected),
        (408, Value::Null, Outcome::Unknown),
        (409, json!({}), Outcome::Rejected),
        (410, Value::Null, Outcome::Rejected),
        (413, Value::Null, Outcome::Rejected),
        (415, Value::Null, Outcome::Rejected),
        (418, Value::Null, Outcome::Rejected),
        (422, json!({ "message": "no" }), Outcome::Rejected),
        (425, Value::Null, Outcome::NotDone),
        (429, Value::Null, Outcome::NotDone),
        (500, Value::Null, Outcome::Unknown),
        (501, Value::Null, Outcome::Unknown),
        (502, Value::Null, Outcome::Unknown),
        (503, Value::Null, Outcome::Unknown),
        (504, Value::Null, Outcome::Unknown),
    ];
    for (status, body, expected) in table {
        assert_eq!(outcome(status, body.clone()), expected, "{status} {body}");
    }
}

#[test]
fn only_what_was_provably_not_sent_is_not_done() {
    assert_eq!(read_create(CallOutcome::NotSent("refused".into()), &rules()).outcome(), Outcome::NotDone);
    assert_eq!(read_create(CallOutcome::Lost("time-out".into()), &rules()).outcome(), Outcome::Unknown);
}

#[test]
fn a_refusal_is_quoted_in_the_words_of_11vms() {
    for body in
        [json!({ "message": "no cost center" }), json!([{ "message": "no cost center" }]), json!("no cost center")]
    {
        assert_eq!(read_create(answered(422, body), &rules()).detail(), Some("answered 422 \"no cost center\""));
    }
    assert_eq!(read_create(answered(422, Value::Null), &rules()).detail(), Some("answered 422"));
}

#[test]
fn a_look_up_finds_the_order_or_its_absence_or_is_inconclusive() {
    let look_up = |status, body| read_look_up(answered(status, body), "4711", &rules());
    assert_eq!(look_up(200, json!({ "purchaseOrders": [] })), LookUpResult::Absent);
    assert!(matches!(
        look_up(200, json!({ "purchaseOrders": [{ "poNumber": "45" }] })),
        LookUpResult::Found(Verdict::Created { number, found: true, duplicates: 0, .. }) if number == "45"
    ));
    assert!(matches!(
        look_up(200, json!({ "purchaseOrders": [{ "poNumber": "45" }, { "poNumber": "46" }] })),
        LookUpResult::Found(Verdict::Created { duplicates: 1, .. })
    ));
    for (status, body) in [
        (200, json!({})),
        (200, json!("x")),
        (404, Value::Null),
        (500, Value::Null),
        (200, json!({ "purchaseOrders": [{}] })),
    ] {
        assert!(
            matches!(look_up(status, body.clone()), LookUpResult::Inconclusive(Verdict::Unknown { .. })),
            "{status} {body}"
        );
    }
    for lost in [CallOutcome::Lost("x".into()), CallOutcome::NotSent("x".into())] {
        assert!(matches!(read_look_up(lost, "4711", &rules()), LookUpResult::Inconclusive(_)));
    }
}

#[test]
fn orders_of_others_are_never_taken_for_ours() {
    let look_up = |entries: Value| read_look_up(answered(200, json!({ "purchaseOrders": entries })), "4711", &rules());
    for others in
        [json!([{ "poNumber": "1", "externalId": "other" }]), json!([{ "poNumber": "1", "externalId": 9999 }])]
    {
        assert!(matches!(look_up(others), LookUpResult::Inconclusive(_)), "ours may be on another page");
    }
    let among = json!([{ "poNumber": "1", "externalId": 9999 }, { "poNumber": "2", "externalId": 4711 }]);
    assert!(
        matches!(look_up(among), LookUpResult::Found(Verdict::Created { number, duplicates: 0, .. }) if number == "2")
    );
}

#[test]
fn an_empty_page_before_others_is_inconclusive() {
    for more in [json!({ "nextCursor": "abc" }), json!({ "hasMore": true }), json!({ "@odata.nextLink": "x" })] {
        let mut body = more.clone();
        body["purchaseOrders"] = json!([]);
        assert!(matches!(read_look_up(answered(200, body), "4711", &rules()), LookUpResult::Inconclusive(_)), "{more}");
    }
    let last = json!({ "purchaseOrders": [], "nextCursor": null, "hasMore": false, "next": "" });
    assert_eq!(read_look_up(answered(200, last), "4711", &rules()), LookUpResult::Absent);
}

#[test]
fn an_id_is_recognised_in_every_spelling() {
    let body =
        json!({ "purchaseOrders": [{ "poNumber": "45", "externalId": "005056A2-07C8-1ED1-BFC6-B69E72F50550" }] });
    let look_up = read_look_up(answered(200, body), "005056a207c81ed1bfc6b69e72f50550", &rules());
    assert!(matches!(look_up, LookUpResult::Found(_)));
}

#[test]
fn an_entry_of_a_list_may_be_flat_where_a_single_response_is_nested() {
    let nested = ResponseRules { number_pointer: "/data/poNumber".into(), transient_codes: Vec::new() };
    let body = json!({ "purchaseOrders": [{ "poNumber": "45" }] });
    assert!(matches!(read_look_up(answered(200, body), "4711", &nested), LookUpResult::Found(_)));
}

proptest! {
    #[test]
    fn no_response_without_a_number_is_taken_for_a_created_order(status in 100u16..600, body in "\\PC{0,40}") {
        let body = serde_json::from_str(&body).unwrap_or(Value::String(body));
        let verdict = read_create(answered(status, body), &rules());
        prop_assert!(verdict.outcome() != Outcome::Created);
    }
}
