//! Answers to a look-up that are about another order, or from a cache: they prove no absence, and give no number.

use super::look_up::{in_a_word, with};
use super::*;

#[test]
fn a_stored_answer_shows_an_order_and_never_its_absence() {
    let none_by_status = with(|rules| rules.none_statuses = vec![204, 404]);
    let stored = |status, body, (name, value): (&str, &str)| {
        let CallOutcome::Answered(mut answer) = answered(status, body) else { unreachable!() };
        answer.list_headers = vec![(name.to_owned(), value.to_owned())];
        CallOutcome::Answered(answer)
    };
    let empty = || json!({ "purchaseOrders": [] });
    let ours = || json!({ "purchaseOrders": [{ "externalId": "4711", "poNumber": "45" }] });
    for (header, is_stored) in [
        (("age", "7"), true),
        (("warning", "110 - \"stale\""), true),
        (("warning", "111 - \"not validated\""), true),
        (("x-cache", "HIT"), true),
        (("age", "0"), false),
        (("warning", "199 - \"other\""), false),
    ] {
        let none = if is_stored { "inconclusive" } else { "absent" };
        for (status, body, expected) in [
            (200, empty(), none),
            (404, json!({ "message": "no" }), none),
            (204, Value::Null, none),
            (200, ours(), "45"),
        ] {
            assert_eq!(in_a_word(stored(status, body, header), &none_by_status), expected, "{status} {header:?}");
        }
    }
    let detail = read_look_up(stored(200, empty(), ("age", "7")), "4711", &rules()).description();
    assert!(detail.contains("from a cache: the header age"), "{detail}");
}

#[test]
fn an_order_that_names_another_id_is_never_ours() {
    let trusting = with(|rules| rules.id_pointer = None);
    for (entry, expected) in [
        (json!({ "externalId": "other" }), "inconclusive"),
        (json!({ "externalReference": "other" }), "inconclusive"),
        (json!({ "header": { "clientReference": "other" } }), "inconclusive"),
        (json!({ "externalId": 4712 }), "inconclusive"),
        (json!({ "externalId": "0000004711" }), "45"),
        (json!({ "externalReference": "2000000815" }), "45"),
        (json!({ "supplier": { "externalId": "V-7" }, "id": "other" }), "45"),
    ] {
        let mut entry = entry.clone();
        entry["poNumber"] = json!("45");
        let body = json!({ "purchaseOrders": [entry] });
        assert_eq!(in_a_word(answered(200, body.clone()), &trusting), expected, "{body}");
    }
    for (beside, expected) in [
        (json!({ "total": 0 }), "inconclusive"),
        (json!({ "count": "0" }), "inconclusive"),
        (json!({ "total": 1 }), "45"),
        (json!({ "query": { "externalId": "other" } }), "inconclusive"),
        (json!({ "query": { "externalId": "4711" } }), "45"),
    ] {
        let mut body = beside.clone();
        body["purchaseOrders"] = json!([{ "poNumber": "45" }]);
        assert_eq!(in_a_word(answered(200, body), &trusting), expected, "{beside}");
    }
    for (beside, expected) in [
        (json!({ "query": { "externalId": "other" } }), "inconclusive"),
        (json!({ "externalId": "other" }), "inconclusive"),
        (json!({ "query": { "externalId": "4711" } }), "absent"),
    ] {
        let mut body = beside.clone();
        body["purchaseOrders"] = json!([]);
        assert_eq!(in_a_word(answered(200, body), &rules()), expected, "{beside}");
    }
}

#[test]
fn an_empty_list_beside_a_code_of_the_settings_proves_nothing() {
    let codes = |code: &str| vec![code.to_owned()];
    let rules = ResponseRules { rejected_codes: codes("CLOSED"), transient_codes: codes("LOCKED"), ..rules() };
    for (beside, expected) in [
        (json!({ "code": "LOCKED" }), "inconclusive"),
        (json!({ "code": "CLOSED" }), "inconclusive"),
        (json!({ "messages": [], "errorCode": "LOCKED" }), "inconclusive"),
        (json!({ "code": "OK" }), "absent"),
    ] {
        let mut body = beside.clone();
        body["purchaseOrders"] = json!([]);
        assert_eq!(in_a_word(answered(200, body), &rules), expected, "{beside}");
    }
}
