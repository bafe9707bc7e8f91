//! The service is killed between an order's change and the delivery of its alert, again and again: every alert arrives, and has
//! the same id however often it does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use purchase_order_webhook::sandbox::vms::{Effect, Fault};
use reqwest::Client;
use serde_json::Value;

use crate::number_of;
use crate::raw_server::{RawAnswer, RawServer, Then};
use crate::support::{ORDERS, cart};
use crate::victim::Victims;

/// Kills of an ordinary run.
const USUAL_KILLS: u32 = 100;

/// Polls of the receiver, a hundred a second: more than the longest retry takes.
const MOST_POLLS: usize = 6_000;

/// Id, incident and status of each alert that has arrived.
fn arrived(receiver: &RawServer) -> Vec<(String, String, String)> {
    let read = |request: &String| {
        let (head, body) = request.split_once("\r\n\r\n")?;
        let id = head.lines().find_map(|line| line.strip_prefix("webhook-id: "))?.to_owned();
        let body: Value = serde_json::from_str(body).ok()?;
        let text = |member: &str| body["data"][member].as_str().map(str::to_owned);
        Some((id, text("incident")?, text("status")?))
    };
    receiver.requests().iter().filter_map(read).collect()
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..MOST_POLLS {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_killed_before_its_alerts_are_delivered_loses_none() {
    let kills = number_of("CHAOS_KILLS").unwrap_or(USUAL_KILLS);
    let stalls = Arc::new(AtomicBool::new(false));
    let now_stalls = Arc::clone(&stalls);
    // A stalled delivery has arrived, and the service does not know it.
    let receiver = RawServer::start(move |_| {
        if now_stalls.load(Ordering::Relaxed) {
            RawAnswer { bytes: Vec::new(), then: Then::Stall }
        } else {
            RawAnswer::whole(204, &[], "")
        }
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let ledger = format!("sqlite:{}", folder.path().join("orders.db").display());
    let settings = format!(
        "retry.attempts = 0\nalerts.webhook.url = {:?}\nalerts.webhook.secret = \"whsec_{}\"\n",
        receiver.url(),
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    );
    let mut victims = Victims::with_settings(1, &ledger, &settings).await;
    let client = Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap();
    for number in 1..=kills {
        victims.start_all().await;
        // Every other time the service is killed while the receiver has the alert, else as soon as the order is parked.
        let is_stalled = number % 2 == 0;
        stalls.store(is_stalled, Ordering::Relaxed);
        let before = receiver.requests().len();
        victims.vms.queue(Fault { delay_ms: 0, effect: Effect::status(503) });
        let request = client.post(format!("{}{ORDERS}", victims.addresses[0])).bearer_auth(victims.issuer.token());
        let request = request.header("content-type", "application/json").body(cart(number).to_string());
        assert_eq!(request.send().await.unwrap().status(), 502, "cart {number} is parked");
        if is_stalled {
            until("the alert does not leave", || receiver.requests().len() > before).await;
        }
        victims.kill(0).await;
    }
    stalls.store(false, Ordering::Relaxed);
    victims.start_all().await;
    let subjects = || -> BTreeSet<String> { arrived(&receiver).into_iter().map(|(_, subject, _)| subject).collect() };
    until("some alerts never arrive", || subjects().len() == kills as usize).await;
    let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let all = arrived(&receiver);
    for (id, incident, status) in &all {
        assert_eq!(status, "begun", "{incident}");
        ids.entry(incident.clone()).or_default().insert(id.clone());
    }
    println!("{kills} kills, {} alerts, {} deliveries", ids.len(), all.len());
    for (incident, ids) in &ids {
        assert_eq!(ids.len(), 1, "{incident} has several ids: {ids:?}");
    }
    assert!(all.len() > ids.len(), "none was delivered twice, so no kill was between delivery and record");
}
