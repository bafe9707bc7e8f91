//! The addresses and bodies that SAP's clients and middleware really send: CSRF fetches, parameters of their own, slashes too
//! many, lists where one cart is meant and root objects where a list is.

use purchase_order_webhook::ledger::sqlite::unpack_ledger;
use purchase_order_webhook::sandbox::vms::Effect;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, ORDERS, Service, cart};

async fn ask(service: &Service, method: Method, path: &str, csrf: Option<&str>) -> Answer {
    let request = service.client.request(method, service.url(path)).bearer_auth(service.issuer.token());
    let request = csrf.into_iter().fold(request, |request, value| request.header("x-csrf-token", value));
    Answer::of(request.send().await.unwrap()).await
}

async fn post(service: &Service, path: &str, body: &Value) -> Answer {
    let request = service.client.post(service.url(path)).bearer_auth(service.issuer.token());
    Answer::of(request.header("content-type", "application/json").body(body.to_string()).send().await.unwrap()).await
}

#[tokio::test]
async fn a_csrf_token_is_fetched_at_every_path_that_takes_a_post() {
    let service = Service::start().await;
    for path in ["", "/", "/batch", "/batch/", "/preview", "/4711/replay", "/4711/resolve", "//SRM:4711//resolve/"] {
        for query in
            ["", "?sap-client=300&sap-language=EN", "?limit=0&state=x&cursor=%25&unknown=1", "?%24format=json&a=%FF"]
        {
            for (method, value) in [(Method::GET, "fetch"), (Method::HEAD, "Fetch"), (Method::GET, " FETCH ")] {
                let at = format!("{ORDERS}{path}{query}");
                let answer = ask(&service, method.clone(), &at, Some(value)).await;
                assert_eq!((answer.status, answer.header("x-csrf-token")), (200, "not-needed"), "{method} {at}");
                assert_eq!(answer.text.is_empty(), method == Method::HEAD, "{method} {at}");
            }
        }
    }
}

#[tokio::test]
async fn a_csrf_token_is_fetched_with_any_valid_token_and_with_none_but_a_valid_one() {
    let service = Service::start().await;
    let mut claims = service.issuer.claims();
    claims["scope"] = json!("something.else");
    let token = service.issuer.sign(&json!({ "alg": "RS256", "kid": service.issuer.kid() }), &claims);
    for path in ["", "?limit=0", "/batch", "/preview", "/1/replay", "/1/resolve"] {
        let fetch = || service.client.get(service.url(&format!("{ORDERS}{path}"))).header("x-csrf-token", "fetch");
        assert_eq!(fetch().bearer_auth(&token).send().await.unwrap().status(), 200, "{path}");
        Answer::of(fetch().send().await.unwrap()).await.is_problem(401, "invalid-token");
        Answer::of(fetch().bearer_auth("x.y.z").send().await.unwrap()).await.is_problem(401, "invalid-token");
    }
}

#[tokio::test]
async fn what_fetches_no_csrf_token_is_answered_as_ever() {
    let service = Service::start().await;
    for path in ["/batch", "/preview", "/1/replay", "/1/resolve"] {
        for (method, csrf) in [(Method::GET, None), (Method::GET, Some("other")), (Method::PUT, Some("fetch"))] {
            let answer = ask(&service, method, &format!("{ORDERS}{path}"), csrf).await;
            answer.is_problem(405, "method-not-allowed");
            assert_eq!(answer.header("allow"), "POST", "{path}");
        }
    }
    ask(&service, Method::GET, &format!("{ORDERS}?limit=0"), None).await.is_problem(400, "invalid-parameter");
    ask(&service, Method::GET, &format!("{ORDERS}/nowhere/at/all"), Some("fetch")).await.is_problem(404, "not-found");
    ask(&service, Method::GET, &format!("{ORDERS}/4711"), Some("fetch")).await.is_problem(404, "not-found");
}

#[tokio::test]
async fn parameters_of_sap_are_ignored_at_every_route() {
    const SAP: &str = "sap-client=300&SAP-LANGUAGE=EN&Saml2=disabled&$format=json&%24Format=json&sap-client=";
    let service = Service::start().await;
    assert_eq!(post(&service, &format!("{ORDERS}?{SAP}"), &cart(1)).await.status, 201);
    assert_eq!(post(&service, &format!("{ORDERS}/batch?{SAP}"), &json!([cart(1)])).await.status, 200);
    assert_eq!(post(&service, &format!("{ORDERS}/preview?{SAP}"), &cart(1)).await.status, 200);
    assert_eq!(post(&service, &format!("{ORDERS}/1/replay?{SAP}"), &json!(null)).await.status, 200);
    assert_eq!(service.get(&format!("{ORDERS}/1?{SAP}")).await.body["id"], "1");
    for path in ["/docs", "/openapi.json", "/problems/parked", "/livez", "/readyz"] {
        assert_eq!(service.client.get(service.url(&format!("{path}?{SAP}"))).send().await.unwrap().status(), 200);
    }
    let list = service.get(&format!("{ORDERS}?{SAP}&state=created&limit=1")).await;
    assert_eq!((list.status, list.body["orders"][0]["id"].as_str()), (200, Some("1")), "{}", list.text);
    let others = service.get(&format!("{ORDERS}?{SAP}&state=parked")).await;
    assert_eq!((others.status, &others.body["orders"]), (200, &json!([])), "its own parameters count");
    for unknown in ["sap-clients=1", "format=json", "sap=1", "client=300"] {
        service.get(&format!("{ORDERS}?{SAP}&{unknown}")).await.is_problem(400, "invalid-parameter");
    }
}

#[tokio::test]
async fn slashes_too_many_lead_to_the_same_place_without_a_redirect() {
    let service = Service::start().await;
    for (number, path) in [(1, "/v2/purchase-orders/"), (2, "//v2//purchase-orders"), (3, "/v2///purchase-orders//")] {
        let answer = post(&service, path, &cart(number)).await;
        assert_eq!((answer.status, answer.header("location")), (201, &*format!("{ORDERS}/{number}")), "{path}");
    }
    assert_eq!(post(&service, "/v2/purchase-orders/batch/", &json!([cart(1)])).await.status, 200);
    assert_eq!(post(&service, "/v2/purchase-orders//preview/?x=//", &cart(1)).await.status, 200);
    assert_eq!(post(&service, "/v2/purchase-orders/1//replay/", &json!(null)).await.status, 200);
    assert_eq!(service.get("/v2/purchase-orders//1/").await.body["id"], "1");
    assert_eq!(service.get("/v2/purchase-orders/?limit=1").await.status, 200);
    for path in ["/docs/", "//docs", "/openapi.json/", "/problems/parked/", "//livez/", "/docs//page.css"] {
        assert_eq!(service.client.get(service.url(path)).send().await.unwrap().status(), 200, "{path}");
    }
    let nowhere = service.get("//v2//nowhere/").await;
    nowhere.is_problem(404, "not-found");
    assert_eq!(nowhere.body["instance"], "//v2//nowhere/", "the path that was asked for");
}

#[tokio::test]
async fn a_slash_too_many_opens_nothing_and_an_encoded_one_is_none() {
    let service = Service::start().await;
    for path in ["//v2/purchase-orders/", "/v2/purchase-orders//1", "/v2//purchase-orders/batch/", "/docs//..//v2"] {
        let answer = Answer::of(service.client.get(service.url(path)).send().await.unwrap()).await;
        assert!(matches!(answer.status, 401 | 404 | 405), "{path}: {}", answer.text);
    }
    let mut slashed = cart(1);
    slashed["HEADER"]["OBJECT_ID"] = json!("A//7/");
    let answer = post(&service, ORDERS, &slashed).await;
    assert_eq!((answer.status, answer.header("location")), (201, "/v2/purchase-orders/A%2F%2F7%2F"), "{}", answer.text);
    for path in ["A%2F%2F7%2F", "A%2f%2f7%2f/"] {
        assert_eq!(service.get(&format!("{ORDERS}/{path}")).await.body["id"], "A//7/", "{path}");
    }
    service.get(&format!("{ORDERS}/A//7/")).await.is_problem(404, "not-found");
}

#[tokio::test]
async fn a_batch_comes_in_one_root_object_too() {
    let service = Service::start().await;
    let mut wrong = cart(2);
    wrong["HEADER"]["ZZ_SALES_ORG"] = json!("");
    let lists: [fn(Value) -> Value; 6] = [
        |carts| json!({ "CARTS": carts }),
        |carts| json!({ "carts": carts }),
        |carts| json!({ "ANY_NAME": carts, "VERSION": "1.0" }),
        |carts| json!({ "d": { "__count": "3", "results": carts } }),
        |carts| json!({ "CARTS": { "item": carts } }),
        |carts| json!({ "Root": { "Carts": { "Cart": carts } } }),
    ];
    for wrapped in lists {
        let body = wrapped(json!([cart(1), wrong, 7, { "CART": cart(3) }]));
        let answer = post(&service, &format!("{ORDERS}/batch"), &body).await;
        let statuses: Vec<_> = answer.body["results"].as_array().unwrap().iter().map(|one| &one["status"]).collect();
        assert!(statuses == [201, 422, 422, 201] || statuses == [200, 422, 422, 200], "{body}: {}", answer.text);
    }
    for one in [cart(4), json!({ "CART": cart(4) }), json!({ "CARTS": cart(4) }), json!({ "CARTS": [cart(4)] })] {
        let answer = post(&service, &format!("{ORDERS}/batch"), &one).await;
        let results = answer.body["results"].as_array().unwrap();
        assert_eq!((results.len(), &results[0]["order"]["id"]), (1, &json!("4")), "{one}: {}", answer.text);
    }
    assert_eq!(service.vms.orders().len(), 3);
    let none = post(&service, &format!("{ORDERS}/batch"), &json!({ "CARTS": [] })).await;
    assert_eq!((none.status, &none.body["results"]), (200, &json!([])));
}

#[tokio::test]
async fn a_mistake_in_a_root_object_has_its_place_in_the_body() {
    let service = Service::start().await;
    let body = format!("{{\"CARTS\": [\n{},\n{{\"HEADER\":{{\"A\":1,\n\"A\":2}}}}]}}", cart(1));
    let request = service.client.post(service.url(&format!("{ORDERS}/batch"))).bearer_auth(service.issuer.token());
    let answer = Answer::of(request.header("content-type", "application/json").body(body).send().await.unwrap()).await;
    let problem = &answer.body["results"][1]["problem"];
    assert_eq!((&problem["status"], &problem["line"]), (&json!(400), &json!(4)), "{}", answer.text);
}

#[tokio::test]
async fn an_object_that_could_be_two_batches_is_refused_with_what_is_expected() {
    let service = Service::start().await;
    for body in [
        json!({ "CARTS": [cart(1)], "MORE": [cart(2)] }),
        json!({ "CART1": cart(1), "CART2": cart(2) }),
        json!({ "CART": cart(1), "CARTS": [cart(2)] }),
        json!({ "d": { "results": [cart(1)], "__next": "https://srm.example/Carts?$skiptoken=1" } }),
    ] {
        let answer = post(&service, &format!("{ORDERS}/batch"), &body).await;
        answer.is_problem(400, "invalid-body");
        assert!(answer.body["detail"].as_str().unwrap().contains("expected"), "{}", answer.text);
    }
    assert_eq!(service.vms.received().len(), 0, "nothing of them was recorded or sent");
}

#[tokio::test]
async fn the_single_route_takes_a_list_of_one_and_tells_of_the_batch_for_more() {
    let service = Service::start().await;
    for one in [
        json!([cart(1)]),
        json!([{ "CART": cart(1) }]),
        json!({ "CARTS": [cart(1)] }),
        json!({ "d": { "results": [cart(1)] } }),
    ] {
        let answer = post(&service, ORDERS, &one).await;
        assert_eq!(answer.body["id"], "1", "{one}: {}", answer.text);
        let preview = post(&service, &format!("{ORDERS}/preview"), &one).await;
        assert_eq!(preview.body["order"]["externalId"], "1", "{one}: {}", preview.text);
    }
    for path in [ORDERS, "/v2/purchase-orders/preview"] {
        for several in [json!([cart(2), cart(3)]), json!({ "CARTS": [cart(2), cart(3)] })] {
            let answer = post(&service, path, &several).await;
            answer.is_problem(422, "invalid-cart");
            let message = answer.body["messages"][0]["message"].as_str().unwrap();
            assert!(message.contains("/v2/purchase-orders/batch"), "{message}");
        }
        let empty = post(&service, path, &json!([])).await;
        empty.is_problem(422, "invalid-cart");
        assert!(empty.body["detail"].as_str().unwrap().contains("empty list"), "{}", empty.text);
    }
    assert_eq!(service.vms.orders().len(), 1);
}

/// Stops the service, changes its ledger, and starts it again.
async fn with_changed_ledger(mut service: Service, sql: &str) -> Service {
    service.stop().await;
    unpack_ledger(&service.ledger_file()).unwrap();
    rusqlite::Connection::open(service.ledger_file()).unwrap().execute_batch(sql).unwrap();
    service.restart().await
}

#[tokio::test]
async fn the_warnings_about_a_cart_are_in_every_answer_with_its_order() {
    let service = Service::start().await;
    service.send(&cart(1)).await;
    service.vms.next(Effect::status(422));
    service.send(&cart(2)).await;
    let warnings = r#"[{"type":"W","id":"PO_WEBHOOK","number":"099","message":"check it","row":1}]"#;
    let sql = format!("UPDATE orders SET record = json_set(record, '$.warnings', json('{warnings}'))");
    let service = with_changed_ledger(service, &sql).await;
    let kinds = |order: &Value| -> Vec<String> {
        let messages = order["messages"].as_array().unwrap_or_else(|| panic!("{order}"));
        messages.iter().map(|message| message["type"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kinds(&service.get(&format!("{ORDERS}/1")).await.body), ["S", "W"]);
    let resent = service.send(&cart(1)).await;
    assert_eq!((resent.status, kinds(&resent.body)), (200, vec!["S".to_owned(), "W".to_owned()]));
    let batch = post(&service, &format!("{ORDERS}/batch"), &json!([cart(1)])).await;
    assert_eq!(kinds(&batch.body["results"][0]["order"]), ["S", "W"]);
    assert_eq!(kinds(&service.get(&format!("{ORDERS}?state=rejected")).await.body["orders"][0]), ["E", "W"]);
    service.vms.next(Effect::status(422));
    let replayed = post(&service, &format!("{ORDERS}/2/replay"), &json!(null)).await;
    assert_eq!((replayed.status, kinds(&replayed.body)), (422, vec!["E".to_owned(), "W".to_owned()]), "replayed");
}

#[tokio::test]
async fn an_id_with_its_system_is_found_and_answered_under_every_spelling() {
    let service = Service::start().await;
    service.vms.next(Effect::status(422));
    service.send(&cart(1)).await;
    let columns = "cart_number, state, received_at, settled_at, next_attempt_at, revision";
    let sql = format!(
        "INSERT INTO order_bodies (place, body) SELECT 2, body FROM order_bodies; \
         INSERT INTO orders (id, record, body, {columns}) \
         SELECT 'SRMCLNT300:4711', json_set(record, '$.id', 'SRMCLNT300:4711'), 2, {columns} FROM orders"
    );
    let service = with_changed_ledger(service, &sql).await;
    for id in ["SRMCLNT300:4711", "SRMCLNT300%3A4711", "SRMCLNT300:0000004711", "SRMCLNT300%3a0000004711/"] {
        assert_eq!(service.get(&format!("{ORDERS}/{id}")).await.body["id"], "SRMCLNT300:4711", "{id}");
    }
    let first = service.get(&format!("{ORDERS}?limit=1")).await;
    let second = service.get(&format!("{ORDERS}?limit=1&cursor={}", first.body["nextCursor"].as_str().unwrap())).await;
    assert_ne!(first.body["orders"][0]["id"], second.body["orders"][0]["id"]);
    let replayed = post(&service, &format!("{ORDERS}/SRMCLNT300:4711/replay"), &json!(null)).await;
    assert_eq!((replayed.status, replayed.header("location")), (201, "/v2/purchase-orders/SRMCLNT300:4711"));
    let last = service.vms.received().pop().unwrap();
    assert_eq!(last.header("idempotency-key"), Some("SRMCLNT300:4711"), "{last:?}");
}
