//! A channel that is dead, slow or wrong concerns neither an order nor another channel, and gets everything later.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::json;

use crate::raw_server::{RawAnswer, RawServer, Then};
use crate::receivers::{ONE_TRY, cancel, pagerduty, park, pass, receiver, requests, webhook};
use crate::support::{Service, cart};

/// A receiver whose status can be changed.
async fn changing(first: u16, headers: &'static [(&'static str, &'static str)]) -> (RawServer, Arc<AtomicU16>) {
    let status = Arc::new(AtomicU16::new(first));
    let current = Arc::clone(&status);
    let server = RawServer::start(move |_| RawAnswer::whole(current.load(Ordering::Relaxed), headers, "")).await;
    (server, status)
}

#[tokio::test]
async fn a_channel_that_hangs_delays_no_order_and_no_other_channel() {
    let hanging = RawServer::start(|_| RawAnswer::announcing(10, 202, &[], "").then(Then::Stall)).await;
    let dead = RawServer::start(|_| RawAnswer { bytes: Vec::new(), then: Then::Stall }).await;
    let working = receiver(204).await;
    let sap = format!(
        "alerts.sap_alert_notification.url = {:?}\nalerts.sap_alert_notification.auth = \"basic\"\n\
         alerts.sap_alert_notification.client_id = \"ans\"\nalerts.sap_alert_notification.client_secret = \"hush\"\n",
        dead.url()
    );
    let smtp = format!(
        "alerts.smtp.url = \"smtp://{}\"\nalerts.smtp.from = \"a@b.test\"\nalerts.smtp.to = [\"c@d.test\"]\n",
        dead.address
    );
    let settings = format!("{ONE_TRY}{sap}{smtp}{}{}", pagerduty(&hanging), webhook(&working));
    let service = Service::start_with(&settings).await;
    for number in 1..=3 {
        park(&service, number).await;
    }
    assert_eq!(requests(&working, 3).await.len(), 3);
    for number in 4..=20 {
        assert_eq!(service.send(&cart(number)).await.status, 201);
    }
    cancel(&service, 1).await;
    assert_eq!(requests(&working, 4).await[3].body["type"], "order-parked.ended");
}

#[tokio::test]
async fn a_channel_that_is_back_gets_every_alert_with_the_same_id_in_the_order_of_each_incident() {
    let (server, status) = changing(503, &[]).await;
    let service = Service::start_with(&format!("{ONE_TRY}{}", webhook(&server))).await;
    park(&service, 1).await;
    let first = requests(&server, 1).await[0].clone();
    cancel(&service, 1).await;
    park(&service, 2).await;
    pass(&service, 10).await;
    let service = service.restart().await;
    status.store(204, Ordering::Relaxed);
    let failed = server.requests().len();
    pass(&service, 120).await;
    let delivered = requests(&server, failed + 3).await.split_off(failed);
    assert_eq!(delivered.len(), 3);
    let of = |number: u32| -> Vec<_> {
        let incident = format!("purchase-order-webhook/order-parked/{number}");
        let own = delivered.iter().filter(|one| one.body["data"]["incident"] == incident.as_str());
        own.map(|one| one.body["data"]["status"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((of(1), of(2)), (vec!["begun".to_owned(), "ended".to_owned()], vec!["begun".to_owned()]));
    let again = delivered.iter().find(|one| one.body == first.body).expect("the first one, unchanged");
    assert_eq!(again.header("webhook-id"), first.header("webhook-id"));
}

#[tokio::test]
async fn pagerduty_gets_an_event_again_after_429_and_never_after_another_4xx() {
    for (first, repeats) in [(429, true), (500, true), (503, true), (400, false), (404, false), (413, false)] {
        let (server, status) = changing(first, &[("retry-after", "30")]).await;
        let service = Service::start_with(&format!("{ONE_TRY}{}", pagerduty(&server))).await;
        park(&service, 1).await;
        requests(&server, 1).await;
        status.store(202, Ordering::Relaxed);
        pass(&service, 29).await;
        assert_eq!(server.requests().len(), 1, "{first}: Retry-After is obeyed");
        pass(&service, 10).await;
        park(&service, 2).await;
        let expected = if repeats { vec!["1", "1", "2"] } else { vec!["1", "2"] };
        let requests = requests(&server, expected.len()).await;
        let orders: Vec<_> =
            requests.iter().map(|one| one.body["payload"]["custom_details"]["orderId"].clone()).collect();
        assert_eq!(orders, expected.iter().map(|id| json!(id)).collect::<Vec<_>>(), "{first}");
    }
}

#[tokio::test]
async fn a_secret_file_that_changes_is_read_again() {
    let server = receiver(202).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("routing-key");
    std::fs::write(&file, format!("{}\n", "a".repeat(32))).unwrap();
    let settings = format!(
        "{ONE_TRY}alerts.pagerduty.url = \"{}/v2/enqueue\"\nalerts.pagerduty.routing_key_file = {file:?}\n",
        server.url()
    );
    let service = Service::start_with(&settings).await;
    park(&service, 1).await;
    requests(&server, 1).await;
    std::fs::write(&file, "b".repeat(32)).unwrap();
    park(&service, 2).await;
    let requests = requests(&server, 2).await;
    let keys: Vec<_> = requests.iter().map(|one| one.body["routing_key"].as_str().unwrap().to_owned()).collect();
    assert_eq!(keys, ["a".repeat(32), "b".repeat(32)]);
    assert_eq!(requests[1].target(), "POST /v2/enqueue", "the path of the API may stand in the setting");
}
