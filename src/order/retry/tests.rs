use proptest::prelude::*;
use serde_json::json;

use super::*;

fn rules() -> ResponseRules {
    ResponseRules { number_pointer: "/poNumber".into(), transient_codes: vec!["REQUEST_LIMIT_EXCEEDED".into()] }
}

fn answered(status: u16, body: Value) -> CallOutcome {
    CallOutcome::Answered(VmsResponse { status, body: (!body.is_null()).then_some(body), retry_after: None })
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
fn a_refusal_is_quoted_in_11vms_own_words() {
    for body in
        [json!({ "message": "no cost center" }), json!([{ "message": "no cost center" }]), json!("no cost center")]
    {
        assert_eq!(read_create(answered(422, body), &rules()).detail(), Some("answered 422 \"no cost center\""));
    }
    assert_eq!(read_create(answered(422, Value::Null), &rules()).detail(), Some("answered 422"));
}

#[test]
fn a_look_up_finds_or_does_not_find_or_can_not_tell() {
    let presence = |status, body| read_look_up(answered(status, body), "4711", &rules());
    assert_eq!(presence(200, json!({ "purchaseOrders": [] })), LookUpResult::Absent);
    assert!(matches!(
        presence(200, json!({ "purchaseOrders": [{ "poNumber": "45" }] })),
        LookUpResult::Found(Verdict::Created { number, found: true, duplicates: 0, .. }) if number == "45"
    ));
    assert!(matches!(
        presence(200, json!({ "purchaseOrders": [{ "poNumber": "45" }, { "poNumber": "46" }] })),
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
            matches!(presence(status, body.clone()), LookUpResult::Inconclusive(Verdict::Unknown { .. })),
            "{status} {body}"
        );
    }
    for lost in [CallOutcome::Lost("x".into()), CallOutcome::NotSent("x".into())] {
        assert!(matches!(read_look_up(lost, "4711", &rules()), LookUpResult::Inconclusive(_)));
    }
}

#[test]
fn an_11vms_that_ignores_the_filter_does_not_give_away_others_orders() {
    let presence = |entries: Value| read_look_up(answered(200, json!({ "purchaseOrders": entries })), "4711", &rules());
    for others in
        [json!([{ "poNumber": "1", "externalId": "other" }]), json!([{ "poNumber": "1", "externalId": 9999 }])]
    {
        assert!(matches!(presence(others), LookUpResult::Inconclusive(_)), "ours may stand on another page");
    }
    let among = json!([{ "poNumber": "1", "externalId": 9999 }, { "poNumber": "2", "externalId": 4711 }]);
    assert!(
        matches!(presence(among), LookUpResult::Found(Verdict::Created { number, duplicates: 0, .. }) if number == "2")
    );
}

#[test]
fn an_empty_page_before_others_can_not_tell() {
    for more in [json!({ "nextCursor": "abc" }), json!({ "hasMore": true }), json!({ "@odata.nextLink": "x" })] {
        let mut body = more.clone();
        body["purchaseOrders"] = json!([]);
        assert!(matches!(read_look_up(answered(200, body), "4711", &rules()), LookUpResult::Inconclusive(_)), "{more}");
    }
    let last = json!({ "purchaseOrders": [], "nextCursor": null, "hasMore": false, "next": "" });
    assert_eq!(read_look_up(answered(200, last), "4711", &rules()), LookUpResult::Absent);
}

#[test]
fn an_id_is_known_in_every_spelling() {
    let body =
        json!({ "purchaseOrders": [{ "poNumber": "45", "externalId": "005056A2-07C8-1ED1-BFC6-B69E72F50550" }] });
    let presence = read_look_up(answered(200, body), "005056a207c81ed1bfc6b69e72f50550", &rules());
    assert!(matches!(presence, LookUpResult::Found(_)));
}

#[test]
fn an_entry_of_a_list_may_be_flat_where_a_single_answer_is_not() {
    let nested = ResponseRules { number_pointer: "/data/poNumber".into(), transient_codes: Vec::new() };
    let body = json!({ "purchaseOrders": [{ "poNumber": "45" }] });
    assert!(matches!(read_look_up(answered(200, body), "4711", &nested), LookUpResult::Found(_)));
}

proptest! {
    #[test]
    fn a_delay_stays_within_its_jitter_and_its_limit(used in 1u32..10, chance in -1.0f64..1.0) {
        let policy = RetryPolicy { retries: 9, jitter: 0.1, ..RetryPolicy::usual() };
        let middle = (30.0 * 2f64.powi(i32::try_from(used).unwrap() - 1)).min(600.0);
        let delay = policy.delay(used, chance).unwrap().as_secs_f64();
        prop_assert!(delay >= middle * 0.899 && delay <= middle * 1.101, "{delay}");
        prop_assert_eq!(policy.delay(10, chance), None);
    }

    #[test]
    fn no_answer_whatever_is_taken_for_a_created_order_without_a_number(status in 100u16..600, body in "\\PC{0,40}") {
        let body = serde_json::from_str(&body).unwrap_or(Value::String(body));
        let verdict = read_create(answered(status, body), &rules());
        prop_assert!(verdict.outcome() != Outcome::Created);
    }
}
