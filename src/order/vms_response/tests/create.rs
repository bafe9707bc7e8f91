//! Answers to a created order that are not what they seem: broken ones, ones about others, numbers that are none.

use super::*;

const GONE: &str = "broke off after 40 bytes: unexpected end";

fn broken(status: u16, text: &str) -> CallOutcome {
    CallOutcome::Answered(VmsResponse {
        status,
        body: (!text.is_empty()).then(|| json!(text)),
        defect: Some(GONE.to_owned()),
        location: None,
        retry_after: None,
        list_headers: Vec::new(),
    })
}

fn with_codes() -> ResponseRules {
    let codes = |code: &str| vec![code.to_owned(), "1700".to_owned()];
    ResponseRules { rejected_codes: codes("CLOSED"), transient_codes: vec!["LOCKED".to_owned()], ..rules() }
}

#[test]
fn a_conflict_whose_body_can_not_be_read_is_unknown() {
    for text in
        ["{\"poNumber\":\"45", "", "<html>409 Conflict", "no JSON", "{\"code\":\"CLOSED\",", "{\"code\":\"LOCKED\","]
    {
        let verdict = read_create(broken(409, text), &with_codes());
        assert_eq!(verdict.outcome(), Outcome::Unknown, "{text}");
        assert!(verdict.detail().unwrap().contains(GONE), "{verdict:?}");
    }
    for (body, expected) in [
        (json!({ "message": "exists" }), Outcome::Rejected),
        (Value::Null, Outcome::Rejected),
        (json!({ "code": "CLOSED" }), Outcome::Rejected),
        (json!({ "code": "LOCKED" }), Outcome::NotDone),
        (json!({ "poNumber": "45" }), Outcome::Created),
    ] {
        assert_eq!(read_create(answered(409, body.clone()), &with_codes()).outcome(), expected, "{body}");
    }
}

#[test]
fn a_conflict_without_a_number_is_looked_up_where_the_number_is_in_the_look_up() {
    let rules = ResponseRules { number_source: NumberSource::LookUp, ..with_codes() };
    let id = OrderId::of("4711");
    let names = OrderNames { id: &id, cart_number: "1" };
    for (create, expected) in [
        (answered(409, json!({ "message": "exists" })), true),
        (answered(409, Value::Null), true),
        (broken(409, "{\"mess"), true),
        (answered(409, json!({ "poNumber": "45" })), false),
        (answered(409, json!({ "externalId": "other" })), false),
        (answered(409, json!({ "code": "CLOSED" })), false),
        (answered(409, json!({ "code": "LOCKED" })), false),
        (answered(200, json!({ "externalId": "other" })), false),
        (answered(422, json!({})), false),
    ] {
        assert_eq!(needs_look_up(&create, names, &rules), expected, "{create:?}");
    }
    let shown = || answered(200, json!({ "purchaseOrders": [{ "externalId": "4711", "poNumber": "45" }] }));
    let none = || answered(200, json!({ "purchaseOrders": [] }));
    let whole = || answered(409, json!({ "message": "exists" }));
    for (create, look_up, expected) in [
        (whole(), shown(), Outcome::Created),
        (whole(), none(), Outcome::Rejected),
        (whole(), answered(500, Value::Null), Outcome::Unknown),
        (whole(), CallOutcome::Lost("no answer".into()), Outcome::Unknown),
        (broken(409, "{"), shown(), Outcome::Created),
        (broken(409, "{"), none(), Outcome::Unknown),
    ] {
        let text = format!("{create:?} {look_up:?}");
        let verdict = read_create_with_look_up(create, look_up, names, &rules);
        assert_eq!(verdict.outcome(), expected, "{text}");
    }
}

#[test]
fn of_a_body_that_broke_off_only_the_code_of_a_refusal_counts() {
    let code = "{\"message\":\"no\",\"errorCode\" : \"CLOSED\",\"fie";
    for (status, text, expected) in [
        (422, code, Outcome::Rejected),
        (403, "[{\"code\":\"LOCKED\",\"m", Outcome::NotDone),
        (429, code, Outcome::Rejected),
        (429, "{\"code\":1700,\"m", Outcome::Rejected),
        (429, "{\"code\":17001,\"m", Outcome::NotDone),
        (429, "{\"code\":1700", Outcome::NotDone),
        (429, "{\"message\":\"CLOSED\",\"fie", Outcome::NotDone),
        (429, "{\"status\":\"CLOSED\",\"fie", Outcome::NotDone),
        (429, "{\"message\":\"not \\\"CLOSED\\\" yet\",\"fie", Outcome::NotDone),
        (429, "{\"codes\":[\"CLOSED\",", Outcome::NotDone),
        (400, "{\"message\":\"LOCKED\",\"fie", Outcome::Rejected),
        (200, code, Outcome::Unknown),
        (201, code, Outcome::Unknown),
        (202, code, Outcome::Unknown),
        (302, code, Outcome::Unknown),
        (408, code, Outcome::Unknown),
        (500, code, Outcome::Unknown),
        (503, code, Outcome::Unknown),
    ] {
        assert_eq!(read_create(broken(status, text), &with_codes()).outcome(), expected, "{status} {text}");
    }
}

#[test]
fn a_success_is_denied_by_an_error_and_not_by_a_remark() {
    for (status, body, expected) in [
        (200, json!({ "code": "CLOSED" }), Outcome::Rejected),
        (200, json!([{ "errorCode": "CLOSED" }]), Outcome::Rejected),
        (200, json!({ "errors": [{ "code": "CLOSED" }] }), Outcome::Rejected),
        (200, json!({ "error": { "code": "CLOSED" } }), Outcome::Rejected),
        (200, json!({ "fault": { "code": "CLOSED" } }), Outcome::Rejected),
        (200, json!({ "details": [{ "code": "CLOSED" }] }), Outcome::Unknown),
        (201, json!({ "messages": [{ "code": "CLOSED" }] }), Outcome::Unknown),
        (201, json!({ "cause": { "code": "CLOSED" } }), Outcome::Unknown),
        (200, json!({ "error": { "details": [{ "code": "CLOSED" }] } }), Outcome::Unknown),
        (202, json!({ "messages": [{ "code": "CLOSED" }] }), Outcome::Unknown),
        (500, json!({ "details": [{ "code": "CLOSED" }] }), Outcome::Rejected),
        (408, json!({ "code": "CLOSED" }), Outcome::Unknown),
        (408, json!({ "code": "LOCKED" }), Outcome::Unknown),
    ] {
        assert_eq!(read_create(answered(status, body.clone()), &with_codes()).outcome(), expected, "{status} {body}");
    }
}

#[test]
fn a_success_about_another_order_is_no_number_of_ours() {
    let look_up = ResponseRules { number_source: NumberSource::LookUp, ..rules() };
    for rules in [rules(), look_up] {
        for status in [200, 201] {
            let read = |external: Value| {
                let body = json!({ "poNumber": "45", "externalId": external });
                read_create(answered(status, body), &rules)
            };
            for other in [json!("other"), json!(4712), json!("47110")] {
                let verdict = read(other.clone());
                assert_eq!(verdict.outcome(), Outcome::Unknown, "{other}");
                assert!(verdict.detail().unwrap().ends_with(", about the order of another id"), "{verdict:?}");
            }
            for ours in [json!("4711"), json!(4711), json!("0000004711"), Value::Null, json!("")] {
                assert_eq!(read(ours.clone()).outcome(), Outcome::Created, "{ours}");
            }
        }
    }
}

#[test]
fn a_location_has_no_number_but_of_an_order_below_the_path_of_the_profile() {
    let rules = |collection: Option<&str>| ResponseRules { collection: collection.map(str::to_owned), ..rules() };
    for (collection, location, expected) in [
        (Some("purchase-orders"), "/api/purchase-orders/45", Outcome::Created),
        (Some("purchase-orders"), "45", Outcome::Created),
        (Some("purchase-orders"), "/api/carts/45", Outcome::Unknown),
        (Some("purchase-orders"), "/api/v2", Outcome::Unknown),
        (Some("purchase-orders"), "/purchase-orders/2000000815", Outcome::Unknown),
        (Some("purchase-orders"), "/purchase-orders/002000000815", Outcome::Unknown),
        (Some("purchase-orders"), "/PurchaseOrders('2000000815')", Outcome::Unknown),
        (Some("po"), "/api/po/45", Outcome::Created),
        (Some("po"), "/api/purchase-orders/45", Outcome::Unknown),
        (None, "/api/purchase-orders/45", Outcome::Unknown),
        (None, "/api/PurchaseOrders(45)", Outcome::Created),
    ] {
        let verdict = read_create(with_location(201, location, Value::Null), &rules(collection));
        assert_eq!(verdict.outcome(), expected, "{collection:?} {location}");
    }
}

#[test]
fn several_records_have_an_id_only_where_it_is_their_key() {
    for (repetition, expected) in
        [(Repetition::SecondOrder, "expected no redirect"), (Repetition::SameOrder, "more than one record has this id")]
    {
        let rules = ResponseRules { repetition, ..rules() };
        let verdict = read_create(answered(300, Value::Null), &rules);
        assert!(verdict.detail().unwrap().contains(expected), "{verdict:?}");
        let look_up = read_look_up(answered(300, Value::Null), "4711", &rules).description();
        assert_eq!(look_up.contains("more than one record"), repetition == Repetition::SameOrder, "{look_up}");
    }
}

#[test]
fn a_number_is_where_the_profile_says_and_in_a_whole_answer() {
    for body in [
        json!([{ "poNumber": "45" }]),
        json!({ "PONUMBER": "45" }),
        json!({ "poNumber": ["45"] }),
        json!({ "poNumber": { "value": "45" } }),
        json!({ "poNumber": null }),
        json!({ "poNumber": "0" }),
        json!({ "poNumber": "45\u{200b}46" }),
        json!({ "data": { "poNumber": "45" } }),
        json!("45"),
        json!(45),
        json!([]),
    ] {
        for status in [200, 201] {
            assert_eq!(read_create(answered(status, body.clone()), &rules()).outcome(), Outcome::Unknown, "{body}");
        }
    }
    let bare = ResponseRules { number_pointer: String::new(), ..rules() };
    assert_eq!(read_create(answered(201, json!("45")), &bare).outcome(), Outcome::Created);
    for status in [201, 409] {
        assert_eq!(read_create(broken(status, "45"), &bare).outcome(), Outcome::Unknown, "{status}: half a number");
    }
}

#[test]
fn of_json_with_a_name_twice_the_status_counts_and_no_code() {
    let read = |status, body| {
        let CallOutcome::Answered(mut answer) = answered(status, body) else { unreachable!() };
        answer.defect = Some("with the name \"code\" twice in one object".to_owned());
        read_create(CallOutcome::Answered(answer), &with_codes()).outcome()
    };
    for (status, code, expected) in [
        (404, "LOCKED", Outcome::Rejected),
        (400, "LOCKED", Outcome::Rejected),
        (422, "CLOSED", Outcome::Rejected),
        (429, "CLOSED", Outcome::NotDone),
        (401, "CLOSED", Outcome::NotDone),
        (409, "LOCKED", Outcome::Unknown),
        (500, "CLOSED", Outcome::Unknown),
        (201, "CLOSED", Outcome::Unknown),
    ] {
        for body in [json!({ "code": code }), json!({ "errors": [{ "code": code }] })] {
            assert_eq!(read(status, body.clone()), expected, "{status} {body}");
        }
    }
}
