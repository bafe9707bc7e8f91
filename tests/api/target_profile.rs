//! The profile "11vms", its settings one by one, and answers that prove nothing about our order.

use std::time::Duration;

use purchase_order_webhook::sandbox::vms::Effect;
use serde_json::{Value, json};

use crate::raw_server::{RawAnswer, RawServer};
use crate::support::{ORDERS, Service, cart};

fn answered(status: u16, body: Value) -> Effect {
    Effect::Status { status, body, retry_after: None }
}

fn calls(service: &Service) -> Vec<String> {
    service.vms.received().iter().map(|request| format!("{} {}", request.method, request.path)).collect()
}

#[tokio::test]
async fn a_look_up_that_shows_a_stranger_gives_no_number_and_sends_nothing() {
    let service = Service::start().await;
    let stranger = json!({ "purchaseOrders": [{ "poNumber": "STRANGER-1", "externalReference": "other-1" }] });
    service.vms.next(Effect::status(503));
    service.vms.next(answered(200, stranger));
    service.post(cart(1).to_string()).header("prefer", "respond-async").send().await.unwrap();
    service.until("1", "retrying").await;
    service.clock.advance(Duration::from_secs(40));
    let order = loop {
        let order = service.until("1", "retrying").await;
        if order["attempts"].as_array().unwrap().len() == 2 && order["attempts"][1]["outcome"] != Value::Null {
            break order;
        }
    };
    assert_eq!(order["attempts"][1]["outcome"], "unknown");
    let detail = order["attempts"][1]["detail"].as_str().unwrap();
    assert!(detail.contains("target.lookup.id_pointer"), "{detail}");
    assert!(service.vms.orders().is_empty());
    // The next look-up is 11VMS's own: it does not have the order.
    service.clock.advance(Duration::from_secs(100));
    let created = service.until("1", "created").await;
    assert_eq!(created["purchaseOrderNumber"], "4500000001");
}

#[tokio::test]
async fn the_number_may_be_at_the_end_of_the_location() {
    let service = Service::start().await;
    service.vms.next(Effect::CreatedAt("/api/purchase-orders/".to_owned()));
    let answer = service.send(&cart(1)).await;
    assert_eq!((answer.status, &answer.body["purchaseOrderNumber"]), (201, &json!("4500000001")), "{}", answer.text);
}

#[tokio::test]
async fn a_redirect_and_a_body_that_is_no_json_are_told() {
    let service = Service::start_with("retry.attempts = 0").await;
    for (number, effect, expected) in [
        (1, Effect::Redirect("https://login.example/sso?state=hidden".to_owned()), "Location"),
        (2, Effect::Garbage, "no JSON: expected value at line 1 column 1; expected JSON with a purchase order number"),
    ] {
        service.vms.next(effect);
        service.send(&cart(number)).await.is_problem(502, "parked");
        let order = service.get(&format!("{ORDERS}/{number}")).await;
        let detail = order.body["attempts"][0]["detail"].as_str().unwrap();
        assert!(detail.contains(expected) && !detail.contains("hidden"), "{detail}");
    }
}

#[tokio::test]
async fn the_requests_are_those_of_the_settings() {
    let settings = "target.create.path = \"/purchase-orders?client=100&cart={number}\"\n\
        target.create.headers.X-Api-Key = \"key-{id}\"\n\
        target.create.headers.content-type = \"application/vnd.vms+json\"\n\
        target.lookup.query.externalId = \"{id}\"\n\
        target.lookup.query.\"$top\" = 2";
    let service = Service::start_with(settings).await;
    service.vms.next(Effect::HangUpAfter);
    service.post(cart(1).to_string()).header("prefer", "respond-async").send().await.unwrap();
    service.until("1", "retrying").await;
    service.clock.advance(Duration::from_secs(40));
    service.until("1", "created").await;
    assert_eq!(
        calls(&service),
        ["POST /purchase-orders?client=100&cart=1", "GET /purchase-orders?$top=2&externalId=1"]
    );
    let request = &service.vms.received()[0];
    assert_eq!(request.header("x-api-key"), Some("key-1"));
    assert_eq!(request.header("content-type"), Some("application/vnd.vms+json"));
    let look_up = &service.vms.received()[1];
    assert_eq!((look_up.header("x-api-key"), look_up.header("content-type")), (Some("key-1"), None));
}

#[tokio::test]
async fn an_empty_page_whose_headers_leave_room_for_the_order_sends_nothing() {
    let empty = "{\"purchaseOrders\":[]}";
    for (header, value) in [
        ("Link", "</po?page=2>; rel=\"next\""),
        ("X-Total-Count", "1"),
        ("Age", "60"),
        ("Warning", "110 - \"Response is Stale\""),
        ("X-Cache", "HIT"),
    ] {
        let answer = move |request: &str| {
            let is_post = request.starts_with("POST");
            if is_post { RawAnswer::whole(503, &[], "") } else { RawAnswer::whole(200, &[(header, value)], empty) }
        };
        let vms = RawServer::start(answer).await;
        let service = Service::start_with(&format!("target.base_url = {:?}", vms.url())).await;
        service.post(cart(1).to_string()).header("prefer", "respond-async").send().await.unwrap();
        service.until("1", "retrying").await;
        service.clock.advance(Duration::from_secs(40));
        let order = loop {
            let order = service.get(&format!("{ORDERS}/1")).await.body;
            if order["attempts"][1]["outcome"] != Value::Null {
                break order;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        let detail = order["attempts"][1]["detail"].as_str().unwrap();
        assert!(detail.contains(&format!("the header {}", header.to_ascii_lowercase())), "{detail}");
        let requests = vms.requests();
        assert_eq!(requests.len(), 2, "nothing was sent again");
        let no_cache = |request: &String| {
            let head = request.to_ascii_lowercase();
            [head.contains("\r\ncache-control: no-cache\r\n"), head.contains("\r\npragma: no-cache\r\n")]
        };
        assert_eq!([no_cache(&requests[0]), no_cache(&requests[1])], [[false; 2], [true; 2]], "{requests:?}");
    }
}

#[tokio::test]
async fn a_refusal_by_code_and_the_text_of_an_error_are_those_of_the_settings() {
    let settings = "target.rejected_codes = [\"CLOSED\"]\ntarget.transient_codes = [\"LOCKED\"]\n\
        target.error_pointer = \"/problem/0/text\"";
    let service = Service::start_with(settings).await;
    service.vms.next(answered(500, json!({ "code": "CLOSED", "problem": [{ "text": "the year is closed" }] })));
    let answer = service.send(&cart(1)).await;
    answer.is_problem(422, "refused-by-11vms");
    assert!(answer.text.contains("the year is closed"), "{}", answer.text);
    service.vms.next(answered(409, json!({ "code": "LOCKED" })));
    service.post(cart(2).to_string()).header("prefer", "respond-async").send().await.unwrap();
    service.until("2", "retrying").await;
    service.clock.advance(Duration::from_secs(40));
    service.until("2", "created").await;
}

#[tokio::test]
async fn a_secret_that_11vms_repeats_is_shown_to_nobody() {
    for (status, form) in [(500, "page"), (500, "json"), (422, "json"), (302, "none")] {
        let answer = move |request: &str| {
            let body = match form {
                "page" => format!("<html>{request}</html>"),
                "json" => json!({ "message": request, "headers": [request], request: 1 }).to_string(),
                _ => String::new(),
            };
            RawAnswer::whole(status, &[("Location", "/login/HDRSECRET42")], body)
        };
        let vms = RawServer::start(answer).await;
        let settings = "retry.attempts = 0\ntarget.create.headers.X-Api-Key = \"HDRSECRET42\"";
        let service = Service::start_with(&format!("target.base_url = {:?}\n{settings}", vms.url())).await;
        let answer = service.send(&cart(1)).await;
        let order = service.get(&format!("{ORDERS}/1")).await;
        let request = &vms.requests()[0];
        let token = request.split("earer ").nth(1).and_then(|rest| rest.split("\r\n").next()).unwrap();
        assert!(request.contains("HDRSECRET42"), "{request}");
        for text in [&answer.text, &order.text] {
            assert!(!text.contains("HDRSECRET42") && !text.contains(token), "{status}: {text}");
        }
        assert!(order.text.contains("***"), "{status}: {}", order.text);
    }
}
