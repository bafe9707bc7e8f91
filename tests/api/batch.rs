//! A batch has one result for each cart, in the order sent: the answer that the cart alone would have got. The results themselves have
//! `snapshots/answers.rs`.

use std::time::Duration;

use purchase_order_webhook::sandbox::vms::Effect;
use serde_json::{Value, json};

use crate::support::{Answer, ORDERS, Service, cart};

async fn send(service: &Service, content_type: &str, body: String) -> Answer {
    let request = service.client.post(service.url(&format!("{ORDERS}/batch"))).bearer_auth(service.issuer.token());
    Answer::of(request.header("content-type", content_type).body(body).send().await.unwrap()).await
}

async fn send_array(service: &Service, carts: &[Value]) -> Answer {
    send(service, "application/json", json!(carts).to_string()).await
}

fn statuses(answer: &Answer) -> Vec<u64> {
    let results = answer.body["results"].as_array().unwrap_or_else(|| panic!("{}", answer.text));
    results.iter().map(|result| result["status"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn every_cart_of_an_array_gets_its_result_at_its_position() {
    let service = Service::start().await;
    service.send(&cart(2)).await;
    let mut unmapped = cart(3);
    unmapped["HEADER"]["ZZ_SALES_ORG"] = json!("");
    let answer = send_array(&service, &[cart(1), cart(2), unmapped, json!(7), cart(4)]).await;
    assert_eq!(statuses(&answer), [201, 200, 422, 422, 201], "{}", answer.text);
    assert_eq!(service.vms.orders().len(), 3);
    assert_eq!(service.get(&format!("{ORDERS}/3")).await.status, 404, "no trace of the cart with a mistake");
}

#[tokio::test]
async fn a_line_that_is_no_json_harms_no_other_line() {
    let service = Service::start().await;
    let body = format!("\u{feff}{}\r\n\n{{\"HEADER\":\n{}\n", cart(1), cart(2));
    let answer = send(&service, "application/x-ndjson; charset=utf-8", body).await;
    assert_eq!(statuses(&answer), [201, 400, 201], "{}", answer.text);
    assert_eq!(answer.body["results"][1]["problem"]["line"], 3, "of the body: {}", answer.text);
}

#[tokio::test]
async fn the_answer_to_a_batch_full_of_mistakes_is_shortened() {
    let service = Service::start().await;
    let wrong = |number: usize| json!({ "HEADER": { "OBJECT_ID": number.to_string() }, "ITEM": vec![json!({}); 900] });
    let carts: Vec<Value> = (1..=20).map(wrong).collect();
    let answer = send_array(&service, &carts).await;
    assert_eq!(statuses(&answer), [422; 20]);
    let listed = |at: usize| answer.body["results"][at]["problem"]["messages"].as_array().unwrap().len();
    assert!(listed(0) > 1_000 && listed(19) == 20, "{} {}", listed(0), listed(19));
    assert!(answer.body["results"][19]["problem"]["detail"].as_str().unwrap().contains("Alone, it gets them all"));
}

#[tokio::test]
async fn equal_carts_in_one_batch_are_handled_once() {
    let service = Service::start().await;
    service.vms.next(Effect::status(422));
    let answer = send_array(&service, &[cart(1), cart(1), cart(1)]).await;
    assert_eq!(statuses(&answer), [422, 422, 422], "{}", answer.text);
    assert_eq!(service.vms.received().len(), 1, "a refusal is not tried again for each of them");
    let mut spelt = cart(2);
    spelt["HEADER"]["OBJECT_ID"] = json!("0000000002");
    let answer = send_array(&service, &[cart(2), spelt]).await;
    assert_eq!(statuses(&answer), [201, 200], "{}", answer.text);
    assert_eq!(service.vms.orders().len(), 1);
}

#[tokio::test]
async fn different_carts_under_one_id_follow_each_other() {
    let service = Service::start().await;
    let mut changed = cart(1);
    changed["HEADER"]["TOTAL_VALUE"] = json!(999);
    let answer = send_array(&service, &[cart(1), changed.clone(), cart(1)]).await;
    assert_eq!(statuses(&answer), [201, 409, 200], "{}", answer.text);
    assert_eq!(service.vms.orders()[0].body["totalAmount"], "100.5");
}

#[tokio::test]
async fn one_deadline_holds_for_the_whole_batch() {
    let service = Service::start().await;
    for _ in 0..3 {
        service.vms.next(Effect::status(429));
    }
    let carts = [cart(1), cart(2), cart(3)];
    let (answer, ()) = tokio::join!(send_array(&service, &carts), async {
        for id in ["1", "2", "3"] {
            service.until(id, "retrying").await;
        }
        service.clock.advance(Duration::from_secs(50));
    });
    assert_eq!(statuses(&answer), [202, 202, 202], "{}", answer.text);
    let request = service.client.post(service.url(&format!("{ORDERS}/batch"))).bearer_auth(service.issuer.token());
    let request = request.header("content-type", "application/json").header("prefer", "respond-async");
    let answer = Answer::of(request.body(json!([cart(4)]).to_string()).send().await.unwrap()).await;
    assert_eq!((statuses(&answer), answer.header("preference-applied")), (vec![202], "respond-async"));
}

#[tokio::test]
async fn a_batch_over_a_limit_is_refused_whole() {
    let service = Service::start_with("server.max_body = \"4KiB\"").await;
    let many: Vec<Value> = (1..=501).map(|number| json!({ "HEADER": { "OBJECT_ID": number.to_string() } })).collect();
    send_array(&service, &many).await.is_problem(413, "too-large");
    let lines = "{}\n".repeat(501);
    send(&service, "application/x-ndjson", lines).await.is_problem(413, "too-large");
    let large = format!("[\"{}\"]", "x".repeat(11 * 1024 * 1024));
    send(&service, "application/json", large).await.is_problem(413, "too-large");
    let padded = format!("{}{}", cart(1), " ".repeat(5_000));
    let answer = send(&service, "application/json", format!("[{padded}, {{\"x\": \"{}\"}}]", "x".repeat(5_000))).await;
    assert_eq!(statuses(&answer), [201, 413], "{}", answer.text);
}

#[tokio::test]
async fn a_body_that_is_no_batch_is_refused_with_its_line() {
    let service = Service::start().await;
    for (body, at) in [("{}", "line 1"), ("[1,\n2", "line 2"), ("[] []", "line 1"), ("", "line 1")] {
        let answer = send(&service, "application/json", body.to_owned()).await;
        answer.is_problem(400, "malformed-json");
        let detail = answer.body["detail"].as_str().unwrap();
        assert!(detail.contains(at) && detail.contains("expected an array of carts"), "{detail}");
    }
    let refused = send(&service, "text/csv", String::new()).await;
    refused.is_problem(415, "unsupported-media-type");
    assert!(refused.body["detail"].as_str().unwrap().contains("application/x-ndjson"), "{}", refused.text);
    assert_eq!(refused.header("accept-post"), "application/json, application/x-ndjson");
    assert_eq!(statuses(&send(&service, "application/json", "[]".to_owned()).await), Vec::<u64>::new());
}

#[tokio::test]
async fn each_cart_of_a_batch_takes_a_permit_in_flight() {
    let service = Service::start_with("server.max_in_flight = 4").await;
    service.vms.set_latency(Duration::from_millis(300));
    let waiting = tokio::spawn(service.post(cart(9).to_string()).send());
    while service.vms.received().is_empty() {
        tokio::task::yield_now().await;
    }
    let four: Vec<Value> = (1..=4).map(cart).collect();
    let answer = send_array(&service, &four).await;
    answer.is_problem(503, "overloaded");
    assert!(!answer.header("retry-after").is_empty());
    assert_eq!(waiting.await.unwrap().unwrap().status(), 201);
    assert_eq!(service.vms.received().len(), 1, "nothing of the batch was recorded");
    let six: Vec<Value> = (1..=6).map(cart).collect();
    assert_eq!(statuses(&send_array(&service, &six).await), [201; 6], "a batch that no room could ever hold");
}
