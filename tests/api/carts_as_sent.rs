//! What senders do to carts, seen from outside: in the answer, in the preview, in the stored order.

use serde_json::{Value, json};

use crate::support::{Answer, ORDERS, Service, cart};

async fn post(service: &Service, path: &str, body: String) -> Answer {
    let request = service.client.post(service.url(path)).bearer_auth(service.issuer.token());
    Answer::of(request.header("content-type", "application/json").body(body).send().await.unwrap()).await
}

/// Number and type of each message.
fn messages(body: &Value) -> Vec<(String, String)> {
    let text = |message: &Value, name: &str| message[name].as_str().unwrap().to_owned();
    let messages = body["messages"].as_array().unwrap_or_else(|| panic!("{body}"));
    messages.iter().map(|message| (text(message, "number"), text(message, "type"))).collect()
}

fn expected<const N: usize>(messages: [(&str, &str); N]) -> Vec<(String, String)> {
    messages.map(|(number, kind)| (number.to_owned(), kind.to_owned())).into()
}

#[tokio::test]
async fn a_section_that_nobody_reads_is_warned_of_in_the_preview_and_in_every_answer_with_the_order() {
    const GUID: &str = "42010aef4c1d1edca5b1c2d3e4f5a001";
    let service = Service::start().await;
    let mut cart = cart(1);
    cart["ITEM"][0]["GUID"] = json!(GUID);
    cart["ACCOUNTS"] = json!([{ "P_GUID": GUID, "COST_CTR": "0000002000" }]);
    let text = "ACCOUNTS has rows of items, and the mapping does not read it; it reads ACCOUNT";

    let preview = post(&service, &format!("{ORDERS}/preview"), cart.to_string()).await;
    assert_eq!((preview.status, messages(&preview.body)), (200, expected([("030", "W")])));
    assert_eq!(preview.body["messages"][0]["message"], text);
    assert_eq!(preview.body["order"]["lines"][0]["allocations"][0]["costCenter"], "1000");

    let created = service.send(&cart).await;
    assert_eq!((created.status, messages(&created.body)), (201, expected([("100", "S"), ("030", "W")])));
    assert_eq!(created.body["messages"][1]["message"], text);
    let stored = service.get(&format!("{ORDERS}/1")).await;
    assert_eq!(stored.body["messages"], created.body["messages"]);
    let replayed = service.send(&cart).await;
    assert_eq!((replayed.status, &replayed.body["messages"]), (200, &created.body["messages"]));
    let batch = post(&service, &format!("{ORDERS}/batch"), json!([cart]).to_string()).await;
    assert_eq!(batch.body["results"][0]["order"]["messages"], created.body["messages"]);
}

#[tokio::test]
async fn half_a_character_is_replaced_and_warned_of_and_a_nul_is_refused_on_every_way_in() {
    let service = Service::start().await;
    let with_text = |number: u32, text: &str| cart(number).to_string().replace("\"Service\"", &format!("\"{text}\""));
    for (number, body, path) in [
        (1, with_text(1, "cut \\ud83d"), ORDERS.to_owned()),
        (2, format!("[{}]", with_text(2, "cut \\ud83d")), ORDERS.to_owned()),
        (3, format!("[{}]", with_text(3, "cut \\ud83d")), format!("{ORDERS}/batch")),
        (4, format!("{{\"CARTS\":[{}]}}", with_text(4, "cut \\ud83d")), format!("{ORDERS}/batch")),
    ] {
        let answer = post(&service, &path, body).await;
        let order = if path == ORDERS { &answer.body } else { &answer.body["results"][0]["order"] };
        assert_eq!(messages(order), expected([("100", "S"), ("031", "W")]), "{number} {}", answer.text);
    }
    for order in service.vms.orders() {
        assert!(order.body.to_string().contains("cut \u{fffd}"), "{order:?}");
    }
    let refused = post(&service, ORDERS, with_text(5, "cut \\u0000")).await;
    refused.is_problem(422, "invalid-cart");
    let message = refused.body["messages"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("ITEM.DESCRIPTION of item 1 (NUMBER_INT 1) has the character U+0000"), "{message}");
    assert_eq!(service.vms.orders().len(), 4);
}

#[tokio::test]
async fn carts_of_one_number_from_two_systems_are_two_orders() {
    let service = Service::start().await;
    for system in ["SRMCLNT300", "SRMCLNT400"] {
        let mut cart = cart(1);
        cart["HEADER"]["LOGSYS"] = json!(system);
        let created = service.send(&cart).await;
        let id = format!("{system}:1");
        assert_eq!((created.status, created.body["id"].as_str()), (201, Some(id.as_str())), "{}", created.text);
        assert_eq!(service.send(&cart).await.status, 200);
        assert_eq!(service.get(&format!("{ORDERS}/{id}")).await.body["cartNumber"], "1");
    }
    assert_eq!(service.send(&cart(1)).await.body["id"], "1");
    assert_eq!(service.vms.orders().len(), 3);
}
