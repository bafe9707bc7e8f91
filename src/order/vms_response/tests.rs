//! Every status and body, and what it means.

mod absence;
mod contradiction;
mod create;
mod look_up;
mod salesforce;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::order::{OrderId, Outcome};

fn rules() -> ResponseRules {
    ResponseRules::default()
}

fn read_create_of(call: CallOutcome, id: &OrderId, rules: &ResponseRules) -> Verdict {
    super::read_create(call, OrderNames { id, cart_number: "2000000815" }, rules)
}

fn read_look_up(call: CallOutcome, id: &str, rules: &ResponseRules) -> LookUpResult {
    super::read_look_up(call, OrderNames { id: &OrderId::of(id), cart_number: "2000000815" }, rules)
}

fn read_create(call: CallOutcome, rules: &ResponseRules) -> Verdict {
    read_create_of(call, &OrderId::of("4711"), rules)
}

/// A response whose body is not the JSON that was expected.
fn defective(status: u16, text: &str) -> CallOutcome {
    CallOutcome::Answered(VmsResponse {
        status,
        body: (!text.is_empty()).then(|| json!(text)),
        defect: (!text.is_empty()).then(|| "no JSON: expected value at line 1 column 1".to_owned()),
        location: None,
        retry_after: None,
        list_headers: Vec::new(),
    })
}

fn with_location(status: u16, location: &str, body: Value) -> CallOutcome {
    CallOutcome::Answered(VmsResponse {
        status,
        body: (!body.is_null()).then_some(body),
        defect: None,
        location: Some(location.to_owned()),
        retry_after: None,
        list_headers: Vec::new(),
    })
}

fn answered(status: u16, body: Value) -> CallOutcome {
    CallOutcome::Answered(VmsResponse {
        status,
        body: (!body.is_null()).then_some(body),
        defect: None,
        location: None,
        retry_after: None,
        list_headers: Vec::new(),
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
        (201, json!({ "poNumber": 0 }), Outcome::Unknown),
        (201, json!({ "poNumber": "0000000000" }), Outcome::Unknown),
        (409, json!({ "poNumber": 0 }), Outcome::Rejected),
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
        (400, json!({ "code": "REQUEST_LIMIT_EXCEEDED" }), Outcome::NotDone),
        (409, json!({ "errors": [{ "code": "REQUEST_LIMIT_EXCEEDED" }] }), Outcome::NotDone),
        (422, json!({ "error": { "innererror": { "code": "REQUEST_LIMIT_EXCEEDED" } } }), Outcome::NotDone),
        (422, json!({ "lines": [{ "code": "REQUEST_LIMIT_EXCEEDED" }] }), Outcome::Rejected),
        (503, json!({ "code": "REQUEST_LIMIT_EXCEEDED" }), Outcome::Unknown),
        (300, Value::Null, Outcome::Unknown),
        (404, Value::Null, Outcome::Rejected),
        (405, Value::Null, Outcome::Rejected),
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
fn the_words_and_the_code_of_11vms_are_found_where_apis_put_them() {
    for (body, expected) in [
        (json!({ "message": "no", "code": "E1" }), "answered 422 \"no\" (E1)"),
        (json!([{ "message": "no", "errorCode": "E1", "fields": ["a"] }]), "answered 422 \"no\" (E1)"),
        (json!({ "error": { "code": "E1", "message": { "lang": "en", "value": "no" } } }), "answered 422 \"no\" (E1)"),
        (json!({ "errors": [{ "code": 17, "detail": "no" }] }), "answered 422 \"no\" (17)"),
        (json!({ "errors": ["no", "never"] }), "answered 422 \"no\""),
        (json!({ "type": "about:blank", "title": "no", "status": 422 }), "answered 422 \"no\""),
        (json!({ "error": "no" }), "answered 422 \"no\""),
        (json!({ "statusCode": 422, "message": "no" }), "answered 422 \"no\""),
    ] {
        assert_eq!(read_create(answered(422, body.clone()), &rules()).detail(), Some(expected), "{body}");
    }
}

#[test]
fn the_text_of_an_error_is_where_the_profile_says() {
    let rules = ResponseRules { error_pointer: Some("/problem/texts".to_owned()), ..rules() };
    for (body, expected) in [
        (json!({ "message": "x", "problem": { "texts": ["a", "b"] } }), "answered 422 \"a; b\""),
        (json!({ "message": "x", "problem": { "texts": "a" } }), "answered 422 \"a\""),
        (json!({ "problem": { "texts": [{ "en": "a" }] } }), "answered 422 \"[{\\\"en\\\":\\\"a\\\"}]\""),
        (json!({ "message": "x" }), "answered 422 \"x\""),
    ] {
        assert_eq!(read_create(answered(422, body.clone()), &rules).detail(), Some(expected), "{body}");
    }
}

#[test]
fn a_code_of_the_settings_decides_whatever_the_status() {
    let codes = |code: &str| vec![code.to_owned()];
    let rules =
        ResponseRules { rejected_codes: codes("CLOSED"), transient_codes: codes("LOCKED"), ..ResponseRules::default() };
    for (status, body, expected) in [
        (500, json!({ "code": "CLOSED" }), Outcome::Rejected),
        (503, json!([{ "errorCode": "CLOSED" }]), Outcome::Rejected),
        (429, json!({ "code": "CLOSED" }), Outcome::Rejected),
        (200, json!({ "success": false, "errors": [{ "code": "CLOSED" }] }), Outcome::Rejected),
        (422, json!({ "errors": [{ "code": "LOCKED" }, { "code": "CLOSED" }] }), Outcome::Rejected),
        (201, json!({ "poNumber": "45", "code": "CLOSED" }), Outcome::Created),
        (500, json!({ "code": "OTHER" }), Outcome::Unknown),
        (500, json!({ "lines": [{ "code": "CLOSED" }] }), Outcome::Unknown),
        (400, json!({ "code": "LOCKED" }), Outcome::NotDone),
        (400, json!({ "code": "locked" }), Outcome::Rejected),
        (500, json!({ "code": "LOCKED" }), Outcome::Unknown),
    ] {
        assert_eq!(read_create(answered(status, body.clone()), &rules).outcome(), expected, "{status} {body}");
    }
}

#[test]
fn the_status_decides_whatever_comes_of_the_body() {
    for (status, text, expected) in [
        (422, "{\"message\": \"no cost cen", Outcome::Rejected),
        (400, "<html>", Outcome::Rejected),
        (404, "{\"message\": \"no such", Outcome::Rejected),
        (404, "no such vendor", Outcome::Rejected),
        (429, "<html>", Outcome::NotDone),
        (425, "x", Outcome::NotDone),
        (403, "[{\"errorCode\":\"REQUEST_LIMIT_EXCEEDED\",\"message\":\"Tot", Outcome::NotDone),
        (403, "REQUEST_LIMIT_EXCEEDED", Outcome::Rejected),
        (201, "{\"poNumber\":\"45", Outcome::Unknown),
        (500, "{\"mess", Outcome::Unknown),
    ] {
        assert_eq!(read_create(defective(status, text), &rules()).outcome(), expected, "{status} {text}");
    }
}

#[test]
fn a_page_of_a_gateway_is_no_refusal_of_11vms() {
    for page in ["<html><h1>403 Forbidden</h1>", " \r\n<!DOCTYPE html>", "\u{feff}<?xml version=\"1.0\"?><Error/>"] {
        for status in [403, 404, 405] {
            let verdict = read_create(defective(status, page), &rules());
            assert_eq!(verdict.outcome(), Outcome::Unknown, "{status} {page}");
            assert!(verdict.detail().unwrap().contains("a page of a gateway"), "{verdict:?}");
        }
        let trusting = ResponseRules { gateway_statuses: Vec::new(), ..rules() };
        assert_eq!(read_create(defective(404, page), &trusting).outcome(), Outcome::Rejected);
    }
}

#[test]
fn what_is_wrong_with_a_success_is_said_with_what_was_expected() {
    let detail = |call: CallOutcome| read_create(call, &rules()).detail().unwrap().to_owned();
    assert_eq!(
        detail(defective(201, "{\"poNumber\": oops}")),
        "answered 201 \"{\\\"poNumber\\\": oops}\", no JSON: expected value at line 1 column 1; expected JSON with a \
         purchase order number at /poNumber"
    );
    assert_eq!(
        detail(answered(201, Value::Null)),
        "answered 201 without a body; expected JSON with a purchase order number at /poNumber"
    );
    assert_eq!(
        detail(answered(200, json!({ "number": "45" }))),
        "answered 200 without a purchase order number at /poNumber"
    );
    assert_eq!(
        detail(answered(201, json!({ "poNumber": 0 }))),
        "answered 201 with 0 at /poNumber, which is no purchase order number"
    );
    assert_eq!(
        detail(with_location(201, "/api/purchase-orders?x=y", json!({}))),
        "answered 201 without a purchase order number at /poNumber, Location \"/api/purchase-orders\""
    );
}

#[test]
fn a_redirect_is_told_with_its_location_and_not_followed() {
    let detail = |call: CallOutcome| read_create(call, &rules()).detail().unwrap().to_owned();
    assert_eq!(
        detail(with_location(307, "https://login.example/sso?state=hidden#x", Value::Null)),
        "answered 307, Location \"https://login.example/sso\"; expected no redirect, none is followed"
    );
    assert_eq!(
        detail(answered(302, Value::Null)),
        "answered 302 without a Location; expected no redirect, none is followed"
    );
    let look_up = read_look_up(with_location(301, "https://new.example/api", Value::Null), "4711", &rules());
    assert!(look_up.description().contains("https://new.example/api"), "{look_up:?}");
}

#[test]
fn the_number_of_a_created_order_may_be_in_its_location() {
    let read = |status, body| {
        read_create(with_location(status, "https://vms.example/api/purchase-orders/4500001234", body), &rules())
    };
    let number = |verdict: &Verdict| match verdict {
        Verdict::Created { number, .. } => number.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(number(&read(201, Value::Null)), "4500001234");
    assert_eq!(number(&read(201, json!({ "status": "CREATED" }))), "4500001234");
    assert_eq!(number(&read(201, json!({ "poNumber": "45" }))), "45", "the body comes first");
    for status in [200, 202, 204, 303, 409] {
        assert_ne!(read(status, Value::Null).outcome(), Outcome::Created, "{status}");
    }
    let CallOutcome::Answered(mut broken) = defective(201, "{\"poNu") else { unreachable!() };
    broken.location = Some("4500001234".to_owned());
    assert_eq!(number(&read_create(CallOutcome::Answered(broken), &rules())), "4500001234");
}

#[test]
fn a_location_with_our_own_id_has_no_number_of_11vms() {
    let id = OrderId::of("1000004711");
    let read = |location: &str| read_create_of(with_location(201, location, Value::Null), &id, &rules()).outcome();
    assert_eq!(read("/purchase-orders/1000004711"), Outcome::Unknown);
    assert_eq!(read("/PurchaseOrders('1000004711')"), Outcome::Unknown);
    assert_eq!(read("/purchase-orders/4500001234"), Outcome::Created);
    assert_eq!(read("/carts/1000004711/orders/4500001234"), Outcome::Created);
}

#[test]
fn a_conflict_with_the_order_of_another_is_not_our_order() {
    let read = |body| read_create_of(answered(409, body), &OrderId::of("4711"), &rules()).outcome();
    assert_eq!(read(json!({ "poNumber": "45" })), Outcome::Created);
    assert_eq!(read(json!({ "poNumber": "45", "externalId": 4711 })), Outcome::Created);
    assert_eq!(read(json!({ "poNumber": "45", "externalId": "other" })), Outcome::Rejected);
}

proptest! {
    #[test]
    fn no_response_without_a_number_is_taken_for_a_created_order(status in 100u16..600, body in "\\PC{0,40}") {
        let body = serde_json::from_str(&body).unwrap_or(Value::String(body));
        let verdict = read_create(answered(status, body), &rules());
        prop_assert!(verdict.outcome() != Outcome::Created);
    }
}
