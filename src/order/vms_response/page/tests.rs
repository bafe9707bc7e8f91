//! What bodies and headers say about orders beside an empty list.

use serde_json::json;

use super::*;

fn beyond(body: &Value, headers: &[(&str, &str)]) -> Beyond {
    let list_headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let body = Some(body.clone());
    let response = VmsResponse { status: 200, body, defect: None, location: None, retry_after: None, list_headers };
    beyond_list(&response, "/orders")
}

fn beyond_empty_list(body: &Value) -> Beyond {
    beyond(body, &[])
}

#[test]
fn more_orders_are_named_in_many_ways() {
    for body in [
        json!({ "nextCursor": "abc" }),
        json!({ "hasMore": true }),
        json!({ "@odata.nextLink": "x" }),
        json!({ "d": { "results": [], "__next": "x" } }),
        json!({ "d": { "results": [], "__count": "2" } }),
        json!({ "@odata.count": 1 }),
        json!({ "_links": { "next": { "href": "/x?page=1" } } }),
        json!({ "links": [{ "rel": "next", "href": "x" }] }),
        json!({ "page": { "totalElements": 3, "totalPages": 1, "number": 5 } }),
        json!({ "page": { "totalPages": 2 } }),
        json!({ "meta": { "pagination": { "next_page": 2 } } }),
        json!({ "total": 1 }),
        json!({ "total": -1 }),
        json!({ "totalSize": 1, "done": true }),
        json!({ "totalSize": 0, "done": false }),
        json!({ "last": false }),
        json!({ "timed_out": true }),
        json!({ "errors": [{ "message": "one shard did not answer" }] }),
        json!({ "next": 2 }),
        json!({ "nextOffset": 20 }),
        json!({ "next_start_key": { "id": "7" } }),
        json!({ "hasMoreItems": true }),
        json!({ "has_next_page": true }),
        json!({ "moreAvailable": true }),
        json!({ "more-results": "yes" }),
        json!({ "totalOrders": 3 }),
        json!({ "totalMatches": "3" }),
        json!({ "total": "unknown" }),
        json!({ "total": "" }),
        json!({ "total": 0.5 }),
        json!({ "total": true }),
        json!({ "total": { "value": 1, "relation": "gte" } }),
        json!({ "count": [3] }),
        json!({ "complete": false }),
        json!({ "isComplete": false }),
        json!({ "success": false }),
        json!({ "success": "false" }),
        json!({ "pages": 2 }),
        json!({ "pageCount": "3" }),
        json!({ "meta": { "last_page": 4 } }),
        json!({ "lastPage": false }),
        json!({ "totalPages": 1.5 }),
        json!({ "partialResults": true }),
        json!({ "errorCode": "E7" }),
        json!({ "links": [{ "rel": ["last", "Next"], "href": "x" }] }),
        json!({ "status": "ERROR" }),
        json!({ "status": 500 }),
        json!({ "result": "failed" }),
        json!({ "warnings": ["the index is stale"] }),
    ] {
        assert!(matches!(beyond_empty_list(&body), Beyond::More(_)), "{body}");
    }
}

#[test]
fn a_search_that_failed_is_told_by_codes_and_messages() {
    for body in [
        json!({ "code": "REQUEST_LIMIT_EXCEEDED" }),
        json!({ "code": "SEARCH_UNAVAILABLE" }),
        json!({ "code": 7 }),
        json!({ "Code": "E7" }),
        json!({ "exceptionCode": "X" }),
        json!({ "faultcode": "x" }),
        json!({ "faultstring": "x" }),
        json!({ "returnCode": "12" }),
        json!({ "statusCode": "SEARCH_UNAVAILABLE" }),
        json!({ "meta": { "code": "E7" } }),
        json!({ "status": { "code": "E7" } }),
        json!({ "messages": [{ "severity": "error", "text": "x" }] }),
        json!({ "messages": [{ "type": "E", "text": "x" }] }),
        json!({ "messages": [{ "type": "S" }, { "type": "A" }] }),
        json!({ "return": { "type": "A" } }),
        json!({ "messages": [{ "code": "E7", "text": "x" }] }),
        json!({ "meta": { "messages": [{ "level": "FATAL" }] } }),
        json!({ "status": "PROCESSING" }),
        json!({ "state": "pending" }),
        json!({ "degraded": true }),
        json!({ "stale": true }),
        json!({ "aborted": "yes" }),
    ] {
        assert!(matches!(beyond_empty_list(&body), Beyond::More(_)), "{body}");
    }
}

#[test]
fn the_end_of_a_list_is_no_further_page() {
    for (body, expected) in [
        (json!({ "nextCursor": null, "hasMore": false, "next": "", "errors": [] }), Beyond::Silence),
        (json!({ "_links": { "self": { "href": "/x" }, "next": { "href": null } } }), Beyond::Silence),
        (json!({ "page": { "size": 20, "totalElements": 0, "totalPages": 0, "number": 0 } }), Beyond::Nothing),
        (json!({ "d": { "results": [], "__count": "0" } }), Beyond::Nothing),
        (json!({ "totalSize": 0, "done": true, "records": [] }), Beyond::Nothing),
        (json!({ "limit": 20, "offset": 0, "total": 0 }), Beyond::Nothing),
        (json!([]), Beyond::Silence),
        (json!({ "success": true, "complete": true, "pages": 1, "errorCode": 0 }), Beyond::Silence),
        (json!({ "total": null, "pageCount": 0, "last_page": 1, "lastPage": true }), Beyond::Silence),
        (json!({ "hasMore": 0, "moreResults": "false", "partial": 0 }), Beyond::Silence),
        (json!({ "rel": "last", "took": 12 }), Beyond::Silence),
        (json!({ "code": "OK", "returnCode": 0, "responseCode": "200" }), Beyond::Silence),
        (json!({ "code": "SUCCESS", "exceptionCode": null, "faultcode": "" }), Beyond::Silence),
        (json!({ "code": "", "messages": [] }), Beyond::Silence),
        (json!({ "messages": [{ "type": "I", "code": "BBP123" }, { "severity": "info" }] }), Beyond::Silence),
        (json!({ "query": { "company": { "code": "1000" } } }), Beyond::Silence),
        (json!({ "stale": false, "degraded": 0, "state": "done" }), Beyond::Silence),
        (json!({ "status": "OK", "statusCode": 200, "result": "success", "warnings": [] }), Beyond::Silence),
    ] {
        assert_eq!(beyond_empty_list(&body), expected, "{body}");
    }
}

#[test]
fn headers_name_further_orders_too() {
    for (name, value, is_more) in [
        ("link", "<https://vms.example/po?page=2>; rel=\"next\"", true),
        ("link", "</po?a=1,2;x>; title=\"x\"; rel=next, </po>; rel=\"first\"", true),
        ("link", "</po>; rel=\"first\", </po?page=2>;rel = \"last NEXT\"", true),
        ("link", "</po?rel=next>; rel=\"self\"", false),
        ("link", "</po>; rel=\"first\", </po>; rel=\"last\"", false),
        ("x-total-count", "1", true),
        ("x-total-count", "many", true),
        ("x-total-count", "0", false),
        ("x-total", "12", true),
        ("content-range", "items 0-0/5", true),
        ("content-range", "items 0-9/*", true),
        ("content-range", "items */0", false),
        ("x-next-page", "2", true),
        ("x-next-page", "", false),
        ("x-total-pages", "3", true),
        ("x-total-pages", "1", false),
        ("x-total-pages", "0", false),
        ("x-wp-total", "1", true),
        ("x-wp-total", "0", false),
        ("x-wp-totalpages", "2", true),
        ("x-pagination", "{\"total\":5}", true),
        ("x-pagination", "{\"TotalCount\":1,\"TotalPages\":1}", true),
        ("x-pagination", "{\"TotalCount\":0,\"HasNext\":true}", true),
        ("x-pagination", "{\"total\":0,\"totalPages\":0,\"hasNext\":false}", false),
        ("x-pagination", "page 1 of 3", true),
        ("x-has-more", "true", true),
        ("x-has-more", "false", false),
        ("x-next-cursor", "abc", true),
        ("total-count", "1", true),
    ] {
        let found = beyond(&json!({ "orders": [] }), &[(name, value)]);
        assert_eq!(matches!(found, Beyond::More(_)), is_more, "{name}: {value}");
    }
}

#[test]
fn the_orders_of_a_list_are_counted_and_not_searched() {
    let orders = || json!([{ "total": 100.5, "nextStep": "approval", "success": false }]);
    for (mut body, expected) in [
        (json!({}), false),
        (json!({ "total": 1, "count": "1" }), false),
        (json!({ "total": 2 }), true),
        (json!({ "next": "x" }), true),
    ] {
        body["orders"] = orders();
        assert_eq!(matches!(beyond_empty_list(&body), Beyond::More(_)), expected, "{body}");
    }
}
