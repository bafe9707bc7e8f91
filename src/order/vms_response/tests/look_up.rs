//! Every answer to a look-up, and what it proves.

use super::*;

pub fn with(change: impl FnOnce(&mut LookUpRules)) -> ResponseRules {
    let mut rules = rules();
    change(&mut rules.look_up);
    rules
}

/// What a look-up shows, in one word; the number if it was found.
pub fn in_a_word(call: CallOutcome, rules: &ResponseRules) -> String {
    match read_look_up(call, "4711", rules) {
        LookUpResult::Found(Verdict::Created { number, duplicates: 0, .. }) => number,
        LookUpResult::Found(Verdict::Created { number, duplicates, .. }) => format!("{number} and {duplicates}"),
        LookUpResult::Found(other) => panic!("{other:?}"),
        LookUpResult::Absent => "absent".to_owned(),
        LookUpResult::Inconclusive(_) => "inconclusive".to_owned(),
    }
}

#[test]
fn a_look_up_finds_the_order_or_its_absence_or_is_inconclusive() {
    let look_up = |status, body| read_look_up(answered(status, body), "4711", &rules());
    assert_eq!(look_up(200, json!({ "purchaseOrders": [] })), LookUpResult::Absent);
    assert!(matches!(
        look_up(200, json!({ "purchaseOrders": [{ "poNumber": "45", "externalId": "4711" }] })),
        LookUpResult::Found(Verdict::Created { number, found: true, duplicates: 0, .. }) if number == "45"
    ));
    assert!(matches!(
        look_up(
            200,
            json!({ "purchaseOrders": [{ "poNumber": "45", "externalId": 4711 }, { "poNumber": "46", "externalId": "4711" }] })
        ),
        LookUpResult::Found(Verdict::Created { duplicates: 1, .. })
    ));
    for (status, body) in [
        (200, json!({})),
        (200, json!("x")),
        (404, Value::Null),
        (500, Value::Null),
        (200, json!({ "purchaseOrders": [{}] })),
        (200, json!({ "purchaseOrders": null })),
        (200, json!({ "purchaseOrders": {} })),
        (200, json!({ "purchaseOrders": [{ "externalId": "4711" }] })),
        (204, Value::Null),
        (206, json!({ "purchaseOrders": [] })),
        (200, json!({ "total": 0 })),
        (200, json!({ "_embedded": {} })),
        (200, json!({ "value": [] })),
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
    let nested = with(|rules| rules.number_pointers = vec!["/data/poNumber".into(), "/poNumber".into()]);
    for (mut entry, expected) in [
        (json!({ "poNumber": "45" }), "45"),
        (json!({ "data": { "poNumber": "46" }, "poNumber": "45" }), "46"),
        // It has no number yet; what is at the top is another.
        (json!({ "data": { "poNumber": null }, "poNumber": "45" }), "inconclusive"),
        (json!({ "data": { "poNumber": "0" }, "poNumber": "45" }), "inconclusive"),
        (json!({ "data": {}, "poNumber": "45" }), "inconclusive"),
        (json!({ "data": null, "poNumber": "45" }), "inconclusive"),
    ] {
        entry["externalId"] = json!("4711");
        let body = json!({ "purchaseOrders": [entry] });
        assert_eq!(in_a_word(answered(200, body.clone()), &nested), expected, "{body}");
    }
}

#[test]
fn an_entry_counts_only_if_it_says_that_it_is_ours() {
    let ours = || json!({ "poNumber": "45", "externalId": "4711" });
    let unnamed = || json!({ "poNumber": "9", "externalReference": "4711" });
    let other = || json!({ "poNumber": "8", "externalId": "47110" });
    for (entries, expected) in [
        (json!([unnamed()]), "inconclusive"),
        (json!([unnamed(), other()]), "inconclusive"),
        (json!([{ "poNumber": "9", "externalId": null }]), "inconclusive"),
        (json!([{ "poNumber": "9", "externalId": "" }]), "inconclusive"),
        (json!([{ "poNumber": "9", "externalId": true }]), "inconclusive"),
        (json!([{ "poNumber": "9", "externalId": ["4711"] }]), "inconclusive"),
        (json!([{ "poNumber": "9", "externalId": 4711.0 }]), "inconclusive"),
        (json!(["4711"]), "inconclusive"),
        (json!([other()]), "inconclusive"),
        (json!([{ "poNumber": "9", "externalId": "471" }]), "inconclusive"),
        (json!([{ "poNumber": "9", "externalId": "4711-1" }]), "inconclusive"),
        (json!([ours()]), "45"),
        (json!([unnamed(), other(), ours()]), "45"),
        (json!([ours(), ours()]), "45"),
        (json!([{ "externalId": "4711" }, ours()]), "45"),
        (json!([ours(), { "poNumber": "46", "externalId": "0000004711" }]), "45 and 1"),
    ] {
        assert_eq!(in_a_word(answered(200, json!({ "purchaseOrders": entries })), &rules()), expected, "{entries}");
    }
    let stranger = json!({ "purchaseOrders": [{ "poNumber": "STRANGER-1", "externalReference": "other-1" }] });
    let detail = read_look_up(answered(200, stranger), "4711", &rules()).description();
    assert!(detail.contains("/externalId (target.lookup.id_pointer)"), "{detail}");
}

#[test]
fn ids_with_letters_are_compared_to_the_letter_unless_they_are_guids() {
    let read = |id: &str, external: &str| {
        let body = json!({ "purchaseOrders": [{ "poNumber": "45", "externalId": external }] });
        matches!(read_look_up(answered(200, body), id, &rules()), LookUpResult::Found(_))
    };
    assert!(read("PO-1a", " PO-1a "));
    assert!(!read("PO-1a", "PO-1A"));
    assert!(read("005056a207c81ed1bfc6b69e72f50550", "005056A207C81ED1BFC6B69E72F50550"));
    assert!(!read("005056a207c81ed1bfc6b69e72f50550", "005056a207c81ed1bfc6b69e72f5055"));
}

#[test]
fn an_11vms_that_does_not_repeat_the_id_is_trusted_with_one_order_if_the_settings_say_so() {
    let trusting = with(|rules| rules.id_pointer = None);
    for (entries, expected) in [
        (json!([{ "poNumber": "45" }]), "45"),
        (json!([]), "absent"),
        (json!([{ "poNumber": "45" }, { "poNumber": "46" }]), "inconclusive"),
        (json!([{}]), "inconclusive"),
    ] {
        assert_eq!(in_a_word(answered(200, json!({ "purchaseOrders": entries })), &trusting), expected, "{entries}");
    }
}

#[test]
fn the_one_order_of_a_list_that_does_not_repeat_the_id_counts_only_if_the_list_is_complete() {
    let trusting = with(|rules| rules.id_pointer = None);
    for (mut body, expected) in [
        (json!({}), "45"),
        (json!({ "total": 1, "hasMore": false, "next": null }), "45"),
        (json!({ "total": 2 }), "inconclusive"),
        (json!({ "total": "many" }), "inconclusive"),
        (json!({ "next": "/po?page=2" }), "inconclusive"),
        (json!({ "hasMore": true }), "inconclusive"),
        (json!({ "done": false }), "inconclusive"),
        (json!({ "complete": false }), "inconclusive"),
        (json!({ "page": { "totalPages": 2 } }), "inconclusive"),
        (json!({ "errors": [{ "message": "a shard is down" }] }), "inconclusive"),
    ] {
        body["purchaseOrders"] = json!([{ "poNumber": "45", "total": 100, "nextStep": "approval" }]);
        assert_eq!(in_a_word(answered(200, body.clone()), &trusting), expected, "{body}");
        body["purchaseOrders"][0]["externalId"] = json!("4711");
        assert_eq!(in_a_word(answered(200, body.clone()), &rules()), "45", "who repeats the id is ours: {body}");
    }
}

#[test]
fn headers_can_say_that_a_list_goes_on() {
    let trusting = with(|rules| rules.id_pointer = None);
    for (header, value, one, none) in [
        ("link", "</po?page=2>; rel=\"next\"", "inconclusive", "inconclusive"),
        ("link", "</po>; rel=\"first\"", "45", "absent"),
        ("x-total-count", "0", "45", "absent"),
        ("x-total-count", "1", "45", "inconclusive"),
        ("x-total-count", "2", "inconclusive", "inconclusive"),
    ] {
        for (entries, expected) in [(json!([{ "poNumber": "45" }]), one), (json!([]), none)] {
            let CallOutcome::Answered(mut answer) = answered(200, json!({ "purchaseOrders": entries })) else {
                unreachable!()
            };
            answer.list_headers = vec![(header.to_owned(), value.to_owned())];
            assert_eq!(in_a_word(CallOutcome::Answered(answer), &trusting), expected, "{header}: {value} {entries}");
        }
    }
}

#[test]
fn only_a_whole_list_can_be_empty() {
    for more in [
        json!({ "_links": { "next": { "href": "x" } } }),
        json!({ "page": { "totalPages": 3 } }),
        json!({ "total": 1 }),
        json!({ "errors": [{ "message": "a shard is down" }] }),
    ] {
        let mut body = more.clone();
        body["purchaseOrders"] = json!([]);
        assert_eq!(in_a_word(answered(200, body), &rules()), "inconclusive", "{more}");
    }
    let CallOutcome::Answered(mut cut) = answered(200, json!({ "purchaseOrders": [] })) else { unreachable!() };
    cut.defect = Some("not whole".to_owned());
    assert_eq!(in_a_word(CallOutcome::Answered(cut), &rules()), "inconclusive");
}

#[test]
fn the_list_is_where_the_profile_says() {
    let entry = || json!({ "poNumber": "45", "externalId": "4711" });
    let cases = [
        ("/value", json!({ "@odata.count": 0, "value": [] }), "absent"),
        ("/value", json!({ "@odata.count": 1, "value": [] }), "inconclusive"),
        ("/value", json!({ "value": [entry()] }), "45"),
        ("/d/results", json!({ "d": { "results": [] } }), "absent"),
        ("/d/results", json!({ "d": { "results": [], "__count": "0" } }), "absent"),
        ("/d/results", json!({ "d": { "results": [], "__next": "x" } }), "inconclusive"),
        ("/d/results", json!({ "d": {} }), "inconclusive"),
        ("/d/results", json!({ "d": { "results": [entry()] } }), "45"),
        ("/_embedded/orders", json!({ "_embedded": { "orders": [] } }), "absent"),
        ("/_embedded/orders", json!({ "_embedded": { "orders": [entry()] } }), "45"),
        ("/_embedded/orders", json!({ "_embedded": {} }), "absent"),
        ("/_embedded/orders", json!({ "_embedded": {}, "total": 1 }), "inconclusive"),
        ("/_embedded/orders", json!({ "_embedded": { "others": [] } }), "inconclusive"),
        ("/_embedded/orders", json!({ "page": { "totalElements": 0, "totalPages": 0 } }), "absent"),
        ("/_embedded/orders", json!({ "_links": { "self": { "href": "x" } } }), "inconclusive"),
        ("/_embedded/orders", json!({}), "inconclusive"),
        ("", json!([]), "absent"),
        ("", json!([entry()]), "45"),
        ("", entry(), "45"),
        ("", json!({}), "inconclusive"),
        ("", json!({ "message": "no such order" }), "inconclusive"),
        ("", json!("[]"), "inconclusive"),
    ];
    for (pointer, body, expected) in cases {
        let rules = with(|rules| pointer.clone_into(&mut rules.list_pointer));
        assert_eq!(in_a_word(answered(200, body.clone()), &rules), expected, "{pointer} {body}");
    }
}

#[test]
fn a_status_means_none_only_where_the_profile_says_so_and_11vms_itself_answers() {
    let none = |statuses: &[u16], codes: &[&str]| {
        with(|rules| {
            rules.none_statuses = statuses.to_vec();
            rules.none_codes = codes.iter().map(|code| (*code).to_owned()).collect();
        })
    };
    let plain = none(&[204, 404], &[]);
    let coded = none(&[404], &["NOT_FOUND"]);
    let not_found = || json!([{ "errorCode": "NOT_FOUND", "message": "no" }]);
    let default = rules();
    for (rules, call, expected) in [
        (&plain, answered(404, json!({ "message": "no such order" })), "absent"),
        (&plain, answered(204, Value::Null), "absent"),
        (&plain, answered(410, json!({})), "inconclusive"),
        (&plain, answered(404, Value::Null), "inconclusive"),
        (&plain, defective(404, "<html>404"), "inconclusive"),
        (&plain, defective(404, "default backend - 404"), "inconclusive"),
        (&plain, answered(404, json!("no")), "inconclusive"),
        (&plain, answered(403, json!({})), "inconclusive"),
        (&plain, answered(500, json!({})), "inconclusive"),
        (&coded, answered(404, not_found()), "absent"),
        (&coded, answered(404, json!({ "error": "Not Found", "path": "/apii" })), "inconclusive"),
        (&coded, defective(404, "[{\"errorCode\":\"NOT_FOUND\""), "inconclusive"),
        (&coded, answered(204, Value::Null), "inconclusive"),
        (&default, answered(404, json!({ "message": "no such order" })), "inconclusive"),
        (&default, answered(204, Value::Null), "inconclusive"),
    ] {
        assert_eq!(in_a_word(call.clone(), rules), expected, "{call:?}");
    }
}

#[test]
fn an_inconclusive_look_up_says_what_was_expected() {
    for (call, expected) in [
        (
            defective(200, "<html>"),
            "answered 200 \"<html>\" to the look-up, no JSON: expected value at line 1 column 1; expected JSON with the \
             list of orders at /purchaseOrders",
        ),
        (answered(200, json!({})), "answered 200 to the look-up without a list of orders at /purchaseOrders"),
        (
            answered(200, json!({ "purchaseOrders": [], "hasMore": true })),
            "answered 200 to the look-up, with an empty page before others: \"hasMore\"",
        ),
        (answered(500, json!({ "message": "no" })), "answered 500 \"no\" to the look-up"),
        (CallOutcome::Lost("no answer".into()), "look-up: no answer"),
    ] {
        let LookUpResult::Inconclusive(verdict) = read_look_up(call, "4711", &rules()) else { panic!("{expected}") };
        assert_eq!(verdict.detail(), Some(expected));
    }
}

#[test]
fn an_empty_list_beside_the_order_itself_proves_nothing() {
    let ours = || json!({ "externalId": "4711", "poNumber": "45" });
    for (more, expected) in [
        (json!({ "archived": [ours()] }), "inconclusive"),
        (json!({ "data": { "purchaseOrders": [ours()] } }), "inconclusive"),
        (ours(), "inconclusive"),
        (json!({ "archived": [{ "externalId": "0000004711", "poNumber": 45 }] }), "inconclusive"),
        // A filter that is repeated, and others' orders.
        (json!({ "filter": { "externalId": "4711" } }), "absent"),
        (json!({ "externalId": "4711", "poNumber": null }), "absent"),
        (json!({ "latest": { "externalId": "other", "poNumber": "44" } }), "absent"),
    ] {
        let mut body = more.clone();
        body["purchaseOrders"] = json!([]);
        assert_eq!(in_a_word(answered(200, body), &rules()), expected, "{more}");
    }
}

#[test]
fn a_list_of_anything_but_orders_proves_nothing() {
    for body in [
        json!([]),
        json!([{ "externalId": "4711", "poNumber": "45" }]),
        json!({ "PurchaseOrders": [] }),
        json!({ "purchaseOrders": [[]] }),
        json!({ "purchaseOrders": [null] }),
        json!({ "purchaseOrders": "[]" }),
        json!({ "purchaseOrders": 0 }),
        json!({ "purchaseOrders": false }),
        json!({ "purchaseOrders": { "purchaseOrders": [] } }),
        json!({ "purchaseOrders": [{ "externalId": "4711\u{200b}", "poNumber": "45" }] }),
        json!({ "purchaseOrders": [{ "externalId": "4711", "poNumber": "45\u{200b}46" }] }),
        json!({ "purchaseOrders": [{ "externalId": "4711", "poNumber": "0" }] }),
    ] {
        assert_eq!(in_a_word(answered(200, body.clone()), &rules()), "inconclusive", "{body}");
    }
}
