//! Cloud ALM gets every minute's metrics, also over the renewal of its token and over its own failures.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::Value;

use crate::cloud_alm_receiver::CloudAlm;
use crate::support::{Service, cart};

/// The metrics of a payload.
fn metrics(payload: &Value) -> &Vec<Value> {
    payload["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].as_array().unwrap()
}

/// The time of a payload.
fn time(payload: &Value) -> &str {
    let gauge = metrics(payload).iter().find(|metric| metric["gauge"].is_object()).unwrap();
    gauge["gauge"]["dataPoints"][0]["timeUnixNano"].as_str().unwrap()
}

/// Lets a minute pass, and waits for its metrics.
async fn pass_a_minute(service: &Service, alm: &CloudAlm, expected: usize) {
    // The loop sets its next time once it has pushed.
    while alm.pushes("metrics").len() < expected {
        service.clock.advance(Duration::from_secs(1));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn metrics_come_each_minute_and_none_is_lost_over_a_tokens_renewal() {
    let alm = CloudAlm::start(Some(2)).await;
    let mut service = Service::start_with(&alm.settings()).await;
    assert_eq!(service.send(&cart(1)).await.status, 201);
    for minute in 1..=5 {
        pass_a_minute(&service, &alm, minute).await;
        // A wall clock that is set back is not to be seen in what counts from the start.
        service.clock.step(SignedDuration::from_mins(-7));
    }
    service.stop().await;
    let pushed = alm.pushes("metrics");
    let times: Vec<&str> = pushed.iter().map(time).collect();
    assert_eq!(times.len(), 6, "five minutes and the end");
    assert!(times.is_sorted_by(|one, next| one < next), "each once: {times:?}");
    assert!(alm.refused() >= 2, "tokens have ended meanwhile");
    let names: Vec<&str> = metrics(&pushed[0]).iter().map(|metric| metric["name"].as_str().unwrap()).collect();
    for expected in ["purchase_orders_settled_total", "http_server_request_duration_seconds", "build_info"] {
        assert!(names.contains(&expected), "{expected}: {names:?}");
    }
    let settled = metrics(&pushed[0]).iter().find(|metric| metric["name"] == "purchase_orders_settled_total").unwrap();
    let created = settled["sum"]["dataPoints"].as_array().unwrap().iter();
    let created = created.filter(|point| point["attributes"][0]["value"]["stringValue"] == "created");
    assert_eq!(created.map(|point| point["asDouble"].to_string()).collect::<Vec<_>>(), ["1.0"]);
}

#[tokio::test]
async fn a_minute_that_cloud_alm_does_not_take_at_first_is_sent_again() {
    let alm = CloudAlm::start(None).await;
    let mut service = Service::start_with(&alm.settings()).await;
    alm.fail_next(503);
    pass_a_minute(&service, &alm, 2).await;
    service.stop().await;
    let pushed = alm.pushes("metrics");
    let failed = alm.failed();
    assert_eq!(failed.len(), 1);
    assert_eq!(pushed[0], failed[0], "the same minute, unchanged");
    let times: Vec<&str> = pushed.iter().map(time).collect();
    assert_eq!(times.len(), 3, "two minutes and the end");
    assert!(times.is_sorted_by(|one, next| one < next), "each once: {times:?}");
}
