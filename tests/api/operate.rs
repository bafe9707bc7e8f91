//! Interventions of people: an order is replayed or resolved, never while an attempt is under way, and once for all. Bodies
//! have `snapshots/operation.rs`.

use std::time::Duration;

use purchase_order_webhook::sandbox::vms::Effect;
use serde_json::{Value, json};

use crate::support::{Answer, ORDERS, Service, cart};

async fn post_as(service: &Service, token: &str, path: &str, body: &Value) -> Answer {
    let request = service.client.post(service.url(&format!("{ORDERS}/{path}"))).bearer_auth(token);
    Answer::of(request.header("content-type", "application/json").body(body.to_string()).send().await.unwrap()).await
}

async fn post(service: &Service, path: &str, body: &Value) -> Answer {
    post_as(service, &service.issuer.token(), path, body).await
}

/// A service that tries once, with one order parked.
async fn with_a_parked_order(effect: Effect) -> Service {
    let service = Service::start_with("retry.attempts = 0\ntarget.unknown_grace = \"0s\"").await;
    service.vms.next(effect);
    service.send(&cart(1)).await.is_problem(502, "parked");
    service
}

#[tokio::test]
async fn a_replay_of_a_created_order_sends_nothing() {
    let service = with_a_parked_order(Effect::status(429)).await;
    assert_eq!(post(&service, "1/replay", &json!(null)).await.status, 201);
    let again = post(&service, "1/replay", &json!(null)).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, "true"));
    assert_eq!(service.vms.received().len(), 2, "the attempt that failed, and the first replay");
}

/// The entries of a trail, a line each: time and request id are there, and are different each time.
fn trail(entries: &Value) -> Vec<String> {
    let entries = entries.as_array().unwrap();
    for entry in entries {
        assert!(entry["at"].is_string() && entry["requestId"].is_string(), "{entry}");
        assert_eq!(entry["address"], "127.0.0.1", "{entry}");
    }
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or("-").to_owned();
    let line =
        |entry| ["orderId", "cartNumber", "action", "by", "client", "detail"].map(|name| text(entry, name)).join(" ");
    entries.iter().map(line).collect()
}

#[tokio::test]
async fn who_did_what_stands_in_the_order_and_in_a_list() {
    let service = with_a_parked_order(Effect::status(429)).await;
    service.vms.next(Effect::status(429));
    service.send(&cart(1)).await.is_problem(502, "parked");
    post(&service, "1/resolve", &json!({ "cancelled": "no need" })).await;
    service.send(&cart(2)).await;
    let get = |path: String| {
        let request = service.client.get(service.url(&path)).bearer_auth(service.issuer.token());
        async move { Answer::of(request.send().await.unwrap()).await }
    };
    let order = get(format!("{ORDERS}/1")).await;
    let expected = ["1 1 sent srm7 srm7 -", "1 1 sent-again srm7 srm7 -", "1 1 cancelled srm7 srm7 no need"];
    assert_eq!(trail(&order.body["audit"]), expected, "{}", order.text);
    let list = get("/v2/audit".to_owned()).await;
    assert_eq!(trail(&list.body["entries"]), ["2 2 sent srm7 srm7 -", expected[2], expected[1], expected[0]]);
    let page = get("/v2/audit?limit=1&action=cancelled&client=srm7&sap-client=300".to_owned()).await;
    assert_eq!((trail(&page.body["entries"]), page.body.get("nextCursor")), (vec![expected[2].to_owned()], None));
    let first = get("/v2/audit?limit=3".to_owned()).await;
    let cursor = first.body["nextCursor"].as_str().unwrap();
    assert_eq!(trail(&get(format!("/v2/audit?limit=3&cursor={cursor}")).await.body["entries"]), [expected[0]]);
    for (query, named) in [
        ("action=sold", "sent-again"),
        ("from=yesterday", "from"),
        ("limit=0", "limit"),
        ("limit=1&limit=2", "more than once"),
        ("client=a&sap-client=1&sap-client=2&client=a", "more than once"),
        ("cursor=x", "cursor"),
        ("x=1", "client"),
    ] {
        let refused = get(format!("/v2/audit?{query}")).await;
        refused.is_problem(400, "invalid-parameter");
        assert!(refused.text.contains(named), "{}", refused.text);
    }
}

#[tokio::test]
async fn a_replay_looks_an_order_in_doubt_up_first() {
    let service = with_a_parked_order(Effect::HangUpAfter).await;
    let answer = post(&service, "1/replay", &json!(null)).await;
    assert_eq!((answer.status, &answer.body["attempts"][1]["outcome"]), (201, &json!("found")), "{}", answer.text);
    assert_eq!(service.vms.orders().len(), 1);
}

#[tokio::test]
async fn a_replay_sends_a_refused_order_with_its_recorded_body() {
    let service = Service::start().await;
    service.vms.next(Effect::status(422));
    service.send(&cart(1)).await.is_problem(422, "refused-by-11vms");
    service.vms.next(Effect::status(422));
    post(&service, "1/replay", &json!(null)).await.is_problem(422, "refused-by-11vms");
    assert_eq!(post(&service, "1/replay", &json!(null)).await.status, 201);
    assert_eq!(service.vms.orders()[0].body["externalNumber"], "1");
}

#[tokio::test]
async fn a_replay_of_an_open_order_waits_and_hurries_nothing() {
    let service = Service::start().await;
    service.vms.next(Effect::status(429));
    service.post(cart(1).to_string()).header("prefer", "respond-async").send().await.unwrap();
    let waiting = service.until("1", "retrying").await;
    let call = service.client.post(service.url(&format!("{ORDERS}/1/replay"))).bearer_auth(service.issuer.token());
    let answer = Answer::of(call.header("prefer", "wait=0").send().await.unwrap()).await;
    assert_eq!((answer.status, &answer.body["nextAttemptAt"]), (202, &waiting["nextAttemptAt"]), "not hurried");
    assert_eq!(service.vms.received().len(), 1);
}

#[tokio::test]
async fn an_order_settled_by_hand_is_final_and_not_sent_again() {
    let service = with_a_parked_order(Effect::HangUpAfter).await;
    let number = json!({ "purchaseOrderNumber": "4500000001" });
    let answer = post(&service, "1/resolve", &number).await;
    assert_eq!(post(&service, "1/resolve", &number).await.body, answer.body, "again changes nothing");
    let other = post(&service, "1/resolve", &json!({ "purchaseOrderNumber": "4500000002" })).await;
    other.is_problem(409, "already-settled");
    assert_eq!(service.send(&cart(1)).await.status, 200);
    assert_eq!(service.vms.received().len(), 1, "11VMS was not asked or sent anything again");
}

#[tokio::test]
async fn an_order_cancelled_by_hand_is_never_sent() {
    let service = Service::start().await;
    service.vms.next(Effect::status(429));
    let cart = cart(1);
    let (waiting, cancelled) = tokio::join!(service.send(&cart), async {
        service.until("1", "retrying").await;
        post(&service, "1/resolve", &json!({ "cancelled": "ordered by telephone" })).await
    });
    waiting.is_problem(409, "order-cancelled");
    service.clock.advance(Duration::from_mins(10));
    service.send(&cart).await.is_problem(409, "order-cancelled");
    post(&service, "1/replay", &json!(null)).await.is_problem(409, "order-cancelled");
    assert_eq!(post(&service, "1/resolve", &json!({ "cancelled": "again" })).await.body, cancelled.body);
    assert_eq!(service.vms.received().len(), 1);
    assert_eq!(service.get(&format!("{ORDERS}?state=cancelled")).await.body["orders"][0]["id"], "1");
}

#[tokio::test]
async fn a_resolution_waits_for_the_attempt_under_way() {
    let service = Service::start().await;
    service.vms.close_gate();
    let cart = cart(1);
    let too_late = json!({ "cancelled": "too late" });
    let (created, (refused, ())) = tokio::join!(service.send(&cart), async {
        service.until("1", "forwarding").await;
        tokio::join!(post(&service, "1/resolve", &too_late), async { service.vms.open_gate() })
    });
    assert_eq!(created.status, 201, "{}", created.text);
    refused.is_problem(409, "already-settled");
    assert!(refused.body["detail"].as_str().unwrap().contains("created as 4500000001"), "{}", refused.text);
}

#[tokio::test]
async fn an_invalid_resolution_and_an_unknown_order_are_refused() {
    let service = with_a_parked_order(Effect::status(429)).await;
    for body in [json!({ "cancelled": " " }), json!([]), json!({ "purchaseOrderNumber": 45 })] {
        let answer = post(&service, "1/resolve", &body).await;
        answer.is_problem(400, "invalid-body");
        assert!(answer.body["detail"].as_str().unwrap().contains("expected"), "{}", answer.text);
    }
    post(&service, "2/resolve", &json!({ "cancelled": "x" })).await.is_problem(404, "not-found");
    post(&service, "2/replay", &json!(null)).await.is_problem(404, "not-found");
    assert_eq!(service.get(&format!("{ORDERS}/1")).await.body["state"], "parked");
}

#[tokio::test]
async fn an_intervention_needs_the_operate_scope_and_no_other() {
    let service = with_a_parked_order(Effect::status(429)).await;
    let mut claims = service.issuer.claims();
    let header = json!({ "alg": "RS256", "kid": service.issuer.kid() });
    claims["scope"] = json!("purchase-orders.write purchase-orders.read");
    let token = service.issuer.sign(&header, &claims);
    for path in ["1/replay", "1/resolve"] {
        let answer = post_as(&service, &token, path, &json!({ "cancelled": "x" })).await;
        answer.is_problem(403, "insufficient-scope");
        assert!(answer.header("www-authenticate").contains("purchase-orders.operate"));
    }
    claims["scope"] = json!("purchase-orders.operate");
    let token = service.issuer.sign(&header, &claims);
    let answer = post_as(&service, &token, "1/resolve", &json!({ "cancelled": "not needed" })).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}
