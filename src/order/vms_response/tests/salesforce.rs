//! The answers of Salesforce to an upsert by external id, and to the look-up of its record.

use super::*;

const ID: &str = "005056a207c81ed1bfc6b69e72f50550";

fn rules() -> ResponseRules {
    ResponseRules::salesforce("External_Id__c")
}

fn record(number: &str) -> Value {
    json!({ "attributes": { "type": "Purchase_Order__c" }, "Id": number, "Name": "PO-7", "External_Id__c": ID })
}

#[test]
fn an_upsert_has_its_meaning_by_status_and_code() {
    let created = || json!({ "id": "a0X1", "success": true, "errors": [], "created": true });
    let error = |code: &str| json!([{ "message": "no", "errorCode": code, "fields": [] }]);
    for (status, body, expected) in [
        (201, created(), Outcome::Created),
        (200, created(), Outcome::Created),
        (204, Value::Null, Outcome::Unknown),
        (300, json!(["/a/1", "/a/2"]), Outcome::Unknown),
        (400, error("REQUIRED_FIELD_MISSING"), Outcome::Rejected),
        (400, error("INVALID_FIELD"), Outcome::Rejected),
        (400, error("UNABLE_TO_LOCK_ROW"), Outcome::NotDone),
        (400, error("DUPLICATE_VALUE"), Outcome::NotDone),
        (401, error("INVALID_SESSION_ID"), Outcome::NotDone),
        (403, error("REQUEST_LIMIT_EXCEEDED"), Outcome::NotDone),
        (403, error("INSUFFICIENT_ACCESS"), Outcome::Rejected),
        (404, error("NOT_FOUND"), Outcome::Rejected),
        (500, error("UNKNOWN_EXCEPTION"), Outcome::Unknown),
        (503, error("SERVER_UNAVAILABLE"), Outcome::Unknown),
    ] {
        assert_eq!(read_create(answered(status, body.clone()), &rules()).outcome(), expected, "{status} {body}");
    }
    let refused = read_create(answered(400, error("REQUIRED_FIELD_MISSING")), &rules());
    assert_eq!(refused.detail(), Some("answered 400 \"no\" (REQUIRED_FIELD_MISSING)"));
    let several = read_create(answered(300, json!(["/a/1", "/a/2"])), &rules());
    assert!(several.detail().unwrap().contains("more than one record"), "{several:?}");
}

#[test]
fn a_look_up_finds_the_record_or_its_absence() {
    let read = |status, body| read_look_up(answered(status, body), ID, &rules());
    assert!(
        matches!(read(200, record("a0X1")), LookUpResult::Found(Verdict::Created { number, .. }) if number == "a0X1")
    );
    assert_eq!(read(404, json!([{ "errorCode": "NOT_FOUND", "message": "no" }])), LookUpResult::Absent);
    for (status, body) in [
        (404, json!([{ "errorCode": "INVALID_TYPE", "message": "no" }])),
        (300, json!(["/a/1", "/a/2"])),
        (200, json!({ "Id": "a0X1", "External_Id__c": "other" })),
        (200, json!({ "Id": "a0X1" })),
        (200, json!([])),
    ] {
        let is_absent = body == json!([]);
        let result = read(status, body.clone());
        assert_eq!(matches!(result, LookUpResult::Inconclusive(_)), !is_absent, "{status} {body}");
    }
}

#[test]
fn the_number_of_an_upsert_without_one_is_looked_up() {
    let rules = ResponseRules { number_pointer: "/Name".to_owned(), ..rules() };
    let created = || answered(201, json!({ "id": "a0X1", "success": true }));
    let id = OrderId::of(ID);
    let names = OrderNames { id: &id, cart_number: "4711" };
    let needs_look_up = |call: &CallOutcome, rules: &ResponseRules| needs_look_up(call, names, rules);
    assert!(needs_look_up(&created(), &rules) && needs_look_up(&answered(204, Value::Null), &rules));
    assert!(!needs_look_up(&answered(200, json!({ "Name": "PO-7" })), &rules));
    assert!(
        !needs_look_up(&answered(400, json!([])), &rules) && !needs_look_up(&CallOutcome::Lost("x".into()), &rules)
    );
    assert!(!needs_look_up(&created(), &ResponseRules::default()));
    let read = |look_up| read_create_with_look_up(created(), look_up, names, &rules);
    assert!(matches!(
        read(answered(200, record("a0X1"))),
        Verdict::Created { number, status: 201, found: false, .. } if number == "a0X1"
    ));
    for (look_up, expected) in [
        (answered(404, json!([{ "errorCode": "NOT_FOUND" }])), "does not show it yet"),
        (CallOutcome::Lost("no answer".into()), "look-up: no answer"),
    ] {
        let verdict = read(look_up);
        assert_eq!(verdict.outcome(), Outcome::Unknown);
        assert!(verdict.detail().unwrap().contains(expected), "{verdict:?}");
    }
}
