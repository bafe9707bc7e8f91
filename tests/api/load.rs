//! Load and outages: concurrency towards 11VMS, the order of a burst, the rate of a client, the circuit breaker. No speed is
//! measured here: `benches/burst.rs` does.

use std::time::Duration;

use purchase_order_webhook::sandbox::vms::{Effect, Fault};
use serde_json::json;

use crate::support::{Answer, ORDERS, Service, cart};

#[tokio::test]
async fn requests_to_11vms_never_exceed_max_concurrency() {
    // Of 16, two more are dispatched.
    for limit in [3, 16] {
        let service = Service::start_with(&format!("target.max_concurrency = {limit}")).await;
        service.vms.set_latency(Duration::from_millis(20));
        let calls: Vec<_> =
            (1..=60).map(|number| tokio::spawn(service.post(cart(number).to_string()).send())).collect();
        for call in calls {
            assert_eq!(call.await.unwrap().unwrap().status(), 201);
        }
        assert_eq!(service.vms.max_in_flight(), limit);
    }
}

#[tokio::test]
async fn a_burst_that_waits_is_served_oldest_first() {
    let service = Service::start_with("target.max_concurrency = 1").await;
    service.vms.queue(Fault { delay_ms: 300, effect: Effect::status(429) });
    for number in 1..=20 {
        let sent = service.post(cart(number).to_string()).header("prefer", "respond-async").send().await.unwrap();
        assert_eq!(sent.status(), 202);
        // So that each arrives at a time of its own.
        service.clock.advance(Duration::from_millis(1));
    }
    service.until("20", "created").await;
    let ids: Vec<String> = service.vms.received().into_iter().map(|request| request.id).collect();
    let expected: Vec<String> = (1..=20).map(|number| number.to_string()).collect();
    assert_eq!(ids, expected);
}

#[tokio::test]
async fn a_client_over_its_rate_is_refused_and_another_is_not() {
    let service = Service::start_with("server.rate_limit_per_client = 3").await;
    for number in 1..=3 {
        assert_eq!(service.send(&cart(number)).await.status, 201);
    }
    service.send(&cart(4)).await.is_problem(429, "rate-limited");
    assert_eq!(service.vms.received().len(), 3);
    let mut claims = service.issuer.claims();
    claims["client_id"] = json!("another");
    let other = service.issuer.sign(&json!({ "alg": "RS256", "kid": service.issuer.kid() }), &claims);
    let answer = service.client.get(service.url(ORDERS)).bearer_auth(other).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(Answer::of(answer).await.body["orders"].as_array().unwrap().len(), 3, "the fourth left no trace");
    service.clock.advance(Duration::from_secs(1));
    assert_eq!(service.send(&cart(4)).await.status, 201);
}

#[tokio::test]
async fn orders_that_fail_again_and_again_do_not_hold_up_others() {
    let settings = "target.breaker_failures = 3\ntarget.breaker_pause = \"10s\"\ntarget.max_concurrency = 1\ntarget.unknown_grace = \"0s\"";
    let service = Service::start_with(settings).await;
    for effect in [500, 500, 500].map(Effect::status).into_iter().chain([Effect::Normal, Effect::status(500)]) {
        service.vms.next(effect);
    }
    for number in 1..=3 {
        service.post(cart(number).to_string()).header("prefer", "respond-async").send().await.unwrap();
        service.until(&number.to_string(), "retrying").await;
        service.clock.advance(Duration::from_millis(1));
    }
    service.post(cart(4).to_string()).header("prefer", "respond-async").send().await.unwrap();
    assert_eq!(service.get(&format!("{ORDERS}/4")).await.body["state"], "accepted", "the breaker is open");
    // The probe is one of the three: it fails again, but 11VMS has answered the look-up before.
    service.clock.advance(Duration::from_secs(40));
    service.until("4", "created").await;
}

#[tokio::test]
async fn an_11vms_that_fails_gets_no_orders_until_a_probe_succeeds() {
    let settings = "target.breaker_failures = 3\ntarget.breaker_pause = \"10s\"\ntarget.max_concurrency = 1\nretry.attempts = 0\n\
        target.duplicate_guard = \"none\"";
    let service = Service::start_with(settings).await;
    for _ in 0..4 {
        service.vms.next(Effect::status(429));
    }
    for number in 1..=3 {
        service.send(&cart(number)).await.is_problem(502, "parked");
    }
    for number in 4..=9 {
        let sent = service.post(cart(number).to_string()).header("prefer", "respond-async").send().await.unwrap();
        assert_eq!(sent.status(), 202);
        service.clock.advance(Duration::from_millis(1));
    }
    assert_eq!(service.vms.received().len(), 3, "nothing is sent while it is open");
    service.clock.advance(Duration::from_secs(10));
    service.until("4", "parked").await;
    service.clock.advance(Duration::from_secs(10));
    assert_eq!(service.get(&format!("{ORDERS}/5")).await.body["state"], "accepted", "a failed probe doubles the pause");
    assert_eq!(service.vms.received().len(), 4);
    service.clock.advance(Duration::from_secs(10));
    for number in 5..=9 {
        service.until(&number.to_string(), "created").await;
    }
    assert_eq!(service.get(&format!("{ORDERS}/9")).await.body["attempts"].as_array().unwrap().len(), 1);
}
