//! Orders are found by id and in lists, in pages and with filters.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Answer, ORDERS, Service, cart, example};

#[tokio::test]
async fn orders_are_listed_newest_first_in_pages() {
    let service = Service::start().await;
    for number in 1..=5 {
        service.send(&cart(number)).await;
        service.clock.advance(Duration::from_secs(1));
    }
    let numbers = |page: &Answer| -> Vec<String> {
        page.body["orders"]
            .as_array()
            .unwrap()
            .iter()
            .map(|order| order["cartNumber"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = service.get(&format!("{ORDERS}?limit=2")).await;
    assert_eq!(numbers(&first), ["5", "4"]);
    let second = service.get(&format!("{ORDERS}?limit=2&cursor={}", first.body["nextCursor"].as_str().unwrap())).await;
    assert_eq!(numbers(&second), ["3", "2"]);
    let third = service.get(&format!("{ORDERS}?limit=2&cursor={}", second.body["nextCursor"].as_str().unwrap())).await;
    assert_eq!(numbers(&third), ["1"]);
    assert_eq!(third.body["nextCursor"], Value::Null);
    assert_eq!(numbers(&service.get(&format!("{ORDERS}?cartNumber=0000000003")).await), ["3"]);
    assert_eq!(numbers(&service.get(&format!("{ORDERS}?state=rejected")).await), Vec::<String>::new());
}

#[tokio::test]
async fn an_order_is_found_under_every_spelling_of_its_id() {
    const ID: &str = "005056a207c81ed1bfc6b69e72f50550";
    let service = Service::start().await;
    service.send(&example("asjson-sample")).await;
    for id in [ID, "005056A207C81ED1BFC6B69E72F50550", "005056a2-07c8-1ed1-bfc6-b69e72f50550"] {
        assert_eq!(service.get(&format!("{ORDERS}/{id}")).await.body["id"], ID, "{id}");
    }
}

#[tokio::test]
async fn an_abap_client_gets_the_csrf_token_that_it_fetches_first() {
    let service = Service::start().await;
    let mut claims = service.issuer.claims();
    claims["scope"] = json!("purchase-orders.write");
    let token = service.issuer.sign(&json!({ "alg": "RS256", "kid": service.issuer.kid() }), &claims);
    let ask = |csrf: &'static str| {
        service.client.get(service.url(ORDERS)).bearer_auth(&token).header("x-csrf-token", csrf).send()
    };
    let fetched = Answer::of(ask("Fetch").await.unwrap()).await;
    assert_eq!((fetched.status, fetched.body["orders"].as_array().map(Vec::len)), (200, Some(0)));
    assert!(!fetched.header("x-csrf-token").is_empty());
    assert_eq!(ask("other").await.unwrap().status(), 403);
}
