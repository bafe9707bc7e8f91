//! Every answer has version, Smart-Id and request id, every problem (RFC 9457) has its page, and a refused request has no
//! effect. Each kind of problem has a file in `tests/snapshots/problems`.

use std::time::Duration;

use crate::support::{Answer, ORDERS, Service, cart};

#[tokio::test]
async fn an_id_that_is_not_utf_8_is_an_invalid_parameter() {
    let service = Service::start().await;
    service.get(&format!("{ORDERS}/%FF")).await.is_problem(400, "invalid-parameter");
}

#[tokio::test]
async fn parameters_of_the_list_are_checked() {
    let service = Service::start().await;
    for query in ["limit=201", "limit=x", "state=gone", "cursor=!!", "nonsense=1", "state=parked&state=parked"] {
        let answer = service.get(&format!("{ORDERS}?{query}")).await;
        answer.is_problem(400, "invalid-parameter");
        assert!(answer.body["detail"].as_str().unwrap().contains("expected"), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_request_that_names_this_interface_is_accepted() {
    let service = Service::start().await;
    let with = |name: &'static str, value: &'static str| service.post(cart(1).to_string()).header(name, value).send();
    assert_eq!(with("accept-version", "2").await.unwrap().status(), 201);
    assert_eq!(with("smart-id", "PROC-SRM7-11VMS-PURCHASE-ORDER-V1").await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_request_that_names_this_interface_and_another_one_is_refused() {
    let service = Service::start().await;
    for (name, values, problem) in [
        ("accept-version", ["1", "2"], (400, "unsupported-version")),
        ("accept-version", ["2", "1"], (400, "unsupported-version")),
        ("smart-id", ["PROC-SRM7-11VMS-PURCHASE-ORDER-V1", "ANOTHER"], (421, "misdirected")),
    ] {
        let request = service.client.get(service.url("/livez"));
        let request = values.iter().fold(request, |request, value| request.header(name, *value));
        Answer::of(request.send().await.unwrap()).await.is_problem(problem.0, problem.1);
    }
}

#[tokio::test]
async fn a_request_id_is_kept_or_made() {
    let service = Service::start().await;
    let id_for = |given: Option<&'static str>| {
        let mut request = service.client.get(service.url("/livez"));
        if let Some(given) = given {
            request = request.header("x-request-id", given);
        }
        async { Answer::of(request.send().await.unwrap()).await.header("x-request-id").to_owned() }
    };
    assert_eq!(id_for(Some("from-srm-1")).await, "from-srm-1");
    assert_eq!(id_for(None).await.len(), 36);
    assert_eq!(id_for(Some("two words")).await.len(), 36);
}

#[tokio::test]
async fn every_answer_carries_version_and_smart_id() {
    let service = Service::start().await;
    for path in ["/livez", "/readyz", "/docs", "/openapi.json", "/nowhere", ORDERS] {
        let answer = Answer::of(service.client.get(service.url(path)).send().await.unwrap()).await;
        assert_eq!(answer.header("api-version"), "2", "{path}");
        assert_eq!(answer.header("smart-id"), "PROC-SRM7-11VMS-PURCHASE-ORDER-V1", "{path}");
    }
}

#[tokio::test]
async fn probes_answer_on_both_addresses_and_the_api_on_one() {
    let service = Service::start().await;
    for path in ["/livez", "/readyz"] {
        for address in [service.address, service.management] {
            assert_eq!(service.client.get(format!("http://{address}{path}")).send().await.unwrap().status(), 200);
        }
    }
    let answer = service.client.get(format!("http://{}{ORDERS}", service.management)).send().await.unwrap();
    Answer::of(answer).await.is_problem(404, "not-found");
}

#[tokio::test]
async fn a_cart_beyond_max_in_flight_is_not_recorded() {
    let service = Service::start_with("server.max_in_flight = 1").await;
    service.vms.set_latency(Duration::from_millis(300));
    let (first, second) = (cart(1), cart(2));
    let (first, second) = tokio::join!(service.send(&first), async {
        while service.vms.received().is_empty() {
            tokio::task::yield_now().await;
        }
        service.send(&second).await
    });
    assert_eq!(first.status, 201);
    second.is_problem(503, "overloaded");
    assert_eq!(service.get(&format!("{ORDERS}/2")).await.status, 404);
}

#[tokio::test]
async fn every_problem_has_its_page() {
    let service = Service::start().await;
    let answer = service.get("/nowhere").await;
    let page = service.get(answer.body["type"].as_str().unwrap()).await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").starts_with("text/html") && page.text.contains("404"));
    for kind in purchase_order_webhook::problem::ProblemKind::ALL {
        let page = service.get(&format!("/problems/{}", kind.name)).await;
        let text = page.text.replace("&#39;", "'");
        assert!(page.status == 200 && text.contains(kind.title), "{}", kind.name);
    }
    assert_eq!(service.get("/problems/unheard-of").await.status, 404);
}

#[tokio::test]
async fn a_preview_has_no_effect() {
    let service = Service::start().await;
    let request = service.client.post(service.url(&format!("{ORDERS}/preview"))).bearer_auth(service.issuer.token());
    assert_eq!(request.json(&cart(1)).send().await.unwrap().status(), 200);
    assert_eq!(service.vms.received().len(), 0);
    assert_eq!(service.get(&format!("{ORDERS}/1")).await.status, 404);
}

#[tokio::test]
async fn nothing_is_sent_while_the_ledger_can_not_write() {
    let service = Service::start().await;
    // Another connection holds the write lock for longer than the service waits for it.
    let blocker = rusqlite::Connection::open(service.ledger_file()).unwrap();
    blocker.execute_batch("BEGIN EXCLUSIVE").unwrap();
    service.send(&cart(1)).await.is_problem(503, "ledger-unavailable");
    assert_eq!(service.vms.received().len(), 0);
    blocker.execute_batch("ROLLBACK").unwrap();
    assert_eq!(service.send(&cart(1)).await.status, 201);
}
