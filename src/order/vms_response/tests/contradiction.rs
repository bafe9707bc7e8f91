//! Answers with a number, and with something that speaks against it.

use super::*;

fn number_at(pointer: &str) -> ResponseRules {
    ResponseRules { number_pointer: pointer.to_owned(), ..rules() }
}

#[test]
fn a_number_with_an_error_beside_it_is_unknown() {
    for body in [
        json!({ "error": { "code": "E7", "message": "no" } }),
        json!({ "error": "no budget" }),
        json!({ "error": "\u{932f}\u{8aa4}" }),
        json!({ "errors": [{ "message": "no" }] }),
        json!({ "errors": ["no"] }),
        json!({ "Errors": { "cost": ["unknown"] } }),
        json!({ "fault": { "faultstring": "no" } }),
        json!({ "exception": "NullPointerException" }),
        json!({ "errorCode": "E7" }),
        json!({ "error_code": 7 }),
        json!({ "errorMessage": "no budget" }),
        json!({ "hasErrors": true }),
        json!({ "success": false }),
        json!({ "success": "false", "errors": [] }),
        json!({ "isSuccess": false }),
        json!({ "ok": false }),
        json!({ "status": "ERROR" }),
        json!({ "status": "failed" }),
        json!({ "status": "Rejected" }),
        json!({ "result": "FAILURE" }),
        json!({ "status": 422, "title": "Unprocessable" }),
        json!({ "statusCode": "500" }),
        json!({ "data": { "errors": [{ "message": "no" }] } }),
        json!({ "meta": { "status": "ERROR" } }),
        json!({ "d": { "error": { "code": "E7" } } }),
        json!({ "results": [{ "success": false }] }),
        json!({ "compositeResponse": [{ "httpStatusCode": 400, "body": [] }] }),
        json!({ "messages": [{ "severity": "error", "text": "no" }] }),
        json!({ "messages": [{ "type": "E", "message": "no" }] }),
        json!({ "return": { "type": "A" } }),
    ] {
        let mut numbered = body.clone();
        numbered["poNumber"] = json!("45");
        for status in [200, 201] {
            let verdict = read_create(with_location(status, "/purchase-orders/45", numbered.clone()), &rules());
            assert_eq!(verdict.outcome(), Outcome::Unknown, "{status} {body}");
            assert!(verdict.detail().unwrap().contains("\" beside a number"), "{verdict:?}");
        }
        // The number of a Location is no better.
        let bare = read_create(with_location(201, "/purchase-orders/45", body.clone()), &rules());
        assert_eq!(bare.outcome(), Outcome::Unknown, "{body}");
        // A conflict is an error by its nature.
        assert_eq!(read_create(answered(409, numbered.clone()), &rules()).outcome(), Outcome::Created, "{numbered}");
    }
    let codes = ResponseRules { rejected_codes: vec!["E7".to_owned()], ..rules() };
    let refused = json!({ "poNumber": "45", "error": { "code": "E7" } });
    assert_eq!(read_create(answered(201, refused), &codes).outcome(), Outcome::Unknown, "a number speaks for an order");
}

#[test]
fn a_number_with_remarks_beside_it_is_a_created_order() {
    for mut body in [
        json!({ "errors": [], "error": null, "fault": {}, "exception": "" }),
        json!({ "success": true, "errors": [], "created": true }),
        json!({ "errorCode": 0, "errorMessage": " " }),
        json!({ "errorCode": "0000", "error": "NONE", "errorCount": "0" }),
        json!({ "error": false, "hasErrors": "false", "failed": 0 }),
        json!({ "warnings": ["late"], "warning": "late" }),
        json!({ "messages": [{ "severity": "warning" }, { "type": "W" }, { "type": "S" }] }),
        json!({ "messages": [{ "code": "E7", "message": "error-prone" }] }),
        json!({ "status": "CREATED", "statusCode": 201 }),
        json!({ "status": 200, "result": "OK" }),
        json!({ "status": { "code": "open" } }),
        json!({ "statuscode": 192_350_000, "statecode": 0, "status": "192350000" }),
        json!({ "lines": [{ "statuscode": 192_350_000, "result": "failed" }] }),
        json!({ "created": false, "complete": false, "accepted": false }),
        json!({ "lines": [{ "status": "failed inspection", "type": "E", "number": 500 }] }),
        json!({ "_links": { "self": { "href": "/x" }, "errors": { "href": "/x/errors" } } }),
        json!({ "supplier": { "externalId": "V-7" }, "lines": [{ "externalId": "L-1" }] }),
        json!({ "externalId": "4711", "reference": { "externalReference": "PROJECT-1" } }),
        json!({ "externalId": "4711", "externalReference": "2000000815" }),
        json!({ "externalReference": "002000000815", "data": { "externalId": 4711 } }),
        json!({ "externalReference": null, "clientReference": "" }),
    ] {
        body["poNumber"] = json!("45");
        assert_eq!(read_create(answered(201, body.clone()), &rules()).outcome(), Outcome::Created, "{body}");
    }
    for (pointer, body) in [
        ("/data/poNumber", json!({ "data": { "poNumber": "45", "status": "OPEN" }, "errors": [] })),
        ("/result", json!({ "result": "4500001234" })),
        ("/result", json!({ "result": "45", "status": "OK" })),
        ("/status/number", json!({ "status": { "number": 45, "code": 200 } })),
        ("/0/id", json!([{ "id": "45", "success": true, "errors": [] }])),
        ("/d/PoNumber", json!({ "d": { "__metadata": { "type": "E" }, "PoNumber": "45" } })),
    ] {
        let verdict = read_create(answered(201, body.clone()), &number_at(pointer));
        assert_eq!(verdict.outcome(), Outcome::Created, "{body}");
    }
}

#[test]
fn a_number_with_the_id_of_another_anywhere_is_unknown() {
    let other = || json!({ "externalReference": "other-1" });
    for (statuses, body) in [
        (vec![200, 409], json!({ "error": other() })),
        (vec![200, 409], json!({ "conflicts": [{ "externalId": "other" }] })),
        (vec![201, 409], json!({ "existing": { "externalId": 4712 } })),
        (vec![201, 409], json!({ "externalReference": "other-1" })),
        (vec![201, 409], json!({ "data": { "external_id": "other" } })),
        (vec![201, 409], json!({ "d": { "purchaseOrder": other() } })),
        (vec![201, 409], json!({ "orders": [other()] })),
        (vec![201, 409], json!({ "details": [{ "value": { "ExternalID": "other" } }] })),
        (vec![201, 409], json!({ "externalId": "4711", "duplicateOf": { "externalId": "other" } })),
        (vec![201, 409], json!({ "duplicates": [{ "externalIds": ["4711", "other"] }] })),
        (vec![201, 409], json!({ "idempotencyKey": "other" })),
        (vec![409], json!({ "somewhere": { "deep": [[other()]] } })),
    ] {
        for status in statuses {
            let mut numbered = body.clone();
            numbered["poNumber"] = json!("P-9");
            let verdict = read_create(answered(status, numbered), &rules());
            assert_eq!(verdict.outcome(), Outcome::Unknown, "{status} {body}");
            let detail = verdict.detail().unwrap();
            assert!(detail.contains(" of another id, ") || detail.contains("beside a number"), "{detail}");
        }
    }
    for body in [
        json!({ "error": { "externalReference": "4711", "code": "DUPLICATE" } }),
        json!({ "error": { "externalReference": "0000004711" }, "externalId": "4711" }),
        json!({ "error": { "externalId": null }, "errors": [{ "message": "exists" }] }),
        json!({ "externalId": "4711", "supplier": { "externalId": "V-7" }, "lines": [{ "externalId": "1" }] }),
    ] {
        let mut numbered = body.clone();
        numbered["poNumber"] = json!("P-9");
        assert_eq!(read_create(answered(409, numbered), &rules()).outcome(), Outcome::Created, "{body}");
    }
}

#[test]
fn a_conflict_with_the_guid_of_another_is_unknown_wherever_it_is() {
    const OURS: &str = "005056a207c81ed1bfc6b69e72f50550";
    const OTHER: &str = "4115056a207c81ed1bfc6b69e72f5bad";
    const DASHED: &str = "4115056A-207C-81ED-1BFC-6B69E72F5BAD";
    let id = OrderId::of(OURS);
    for (body, expected) in [
        (json!({ "reference": OTHER }), Outcome::Unknown),
        (json!({ "guid": DASHED }), Outcome::Unknown),
        (json!({ "id": OTHER }), Outcome::Unknown),
        (json!({ "orderId": OTHER }), Outcome::Unknown),
        (json!({ "cartId": DASHED }), Outcome::Unknown),
        (json!({ "existing": { "ref": OTHER } }), Outcome::Unknown),
        (json!({ "conflicts": [DASHED] }), Outcome::Unknown),
        (json!({ "conflicts": { OTHER: {} } }), Outcome::Unknown),
        (json!({ "message": format!("order P-9 belongs to cart {OTHER}.") }), Outcome::Unknown),
        (json!({ "message": format!("<urn:uuid:{DASHED}>, {OURS}") }), Outcome::Unknown),
        (json!({ "errors": [{ "text": format!("cart='{DASHED}'") }] }), Outcome::Unknown),
        (json!({ "reference": OURS }), Outcome::Created),
        (json!({ "guid": "005056A2-07C8-1ED1-BFC6-B69E72F50550" }), Outcome::Created),
        (json!({ "message": format!("cart {OURS} exists") }), Outcome::Created),
        (json!({ "etag": "4115056a207c81ed1bfc6b69e72f5b" }), Outcome::Created),
        (json!({ "externalId": OURS, "id": OTHER }), Outcome::Created),
    ] {
        let mut numbered = body.clone();
        numbered["poNumber"] = json!("P-9");
        assert_eq!(read_create_of(answered(409, numbered), &id, &rules()).outcome(), expected, "{body}");
    }
    let number_is_guid = json!({ "poNumber": OTHER });
    assert_eq!(read_create_of(answered(409, number_is_guid), &id, &rules()).outcome(), Outcome::Created);
}

#[test]
fn our_own_id_and_our_carts_number_are_no_numbers_of_11vms() {
    const OURS: &str = "005056a207c81ed1bfc6b69e72f50550";
    let id = OrderId::of(OURS);
    for own in [OURS, "005056A2-07C8-1ED1-BFC6-B69E72F50550", "2000000815", "002000000815"] {
        let body = json!({ "poNumber": own, "externalId": OURS });
        for status in [200, 201] {
            assert_eq!(
                read_create_of(answered(status, body.clone()), &id, &rules()).outcome(),
                Outcome::Unknown,
                "{own}"
            );
        }
        assert_ne!(read_create_of(answered(409, body.clone()), &id, &rules()).outcome(), Outcome::Created, "{own}");
        let list = json!({ "purchaseOrders": [body] });
        let found = read_look_up(answered(200, list), OURS, &rules());
        assert!(matches!(found, LookUpResult::Inconclusive(_)), "{own}");
    }
    let body = json!({ "poNumber": 2_000_000_815, "externalId": OURS });
    assert_eq!(read_create_of(answered(201, body), &id, &rules()).outcome(), Outcome::Unknown);
}
