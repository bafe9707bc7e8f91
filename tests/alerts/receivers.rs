//! Receivers of alerts, and services that have them.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use purchase_order_webhook::sandbox::vms::Effect;
use serde_json::{Value, json};

use crate::raw_server::{RawAnswer, RawServer};
use crate::support::{Answer, ORDERS, Service, cart};

/// A routing key, as PagerDuty makes them.
pub const ROUTING_KEY: &str = "R012345678901234567890123456789a";

/// The key of the webhook, as the convention's own example has it.
pub const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// One try, so that a fault parks an order at once.
pub const ONE_TRY: &str = "retry.attempts = 0\ntarget.unknown_grace = \"0s\"\n";

/// A receiver that takes everything.
pub async fn receiver(status: u16) -> RawServer {
    RawServer::start(move |_| RawAnswer::whole(status, &[], "")).await
}

/// A request, as a receiver sees it.
#[derive(Debug, Clone)]
pub struct Request {
    pub head: String,
    pub text: String,
    pub body: Value,
}

impl Request {
    pub fn of(request: &str) -> Self {
        let (head, text) = request.split_once("\r\n\r\n").unwrap();
        let body = serde_json::from_str(text).unwrap_or(Value::Null);
        Self { head: head.to_owned(), text: text.to_owned(), body }
    }

    /// The first line, without the version.
    pub fn target(&self) -> &str {
        self.head.lines().next().unwrap().trim_end_matches(" HTTP/1.1")
    }

    pub fn header(&self, name: &str) -> &str {
        let value = |line: &'_ str| line.split_once(": ").is_some_and(|(found, _)| found.eq_ignore_ascii_case(name));
        self.head.lines().find(|line| value(line)).map_or("", |line| line.split_once(": ").unwrap().1)
    }
}

/// Waits, without moving a clock, for at least so many requests.
pub async fn requests(server: &RawServer, count: usize) -> Vec<Request> {
    for _ in 0..2_000 {
        let requests = server.requests();
        if requests.len() >= count {
            return requests.iter().map(|request| Request::of(request)).collect();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("of {count} requests came {:#?}", server.requests());
}

/// The settings of a PagerDuty channel.
pub fn pagerduty(server: &RawServer) -> String {
    format!("alerts.pagerduty.url = {:?}\nalerts.pagerduty.routing_key = {ROUTING_KEY:?}\n", server.url())
}

/// The settings of a webhook.
pub fn webhook(server: &RawServer) -> String {
    format!("alerts.webhook.url = \"{}/hook\"\nalerts.webhook.secret = {WEBHOOK_SECRET:?}\n", server.url())
}

/// Sends a cart whose order is parked.
pub async fn park(service: &Service, number: u32) {
    service.vms.next(Effect::status(503));
    service.send(&cart(number)).await.is_problem(502, "parked");
}

/// A person says that there will be no order.
pub async fn cancel(service: &Service, number: u32) {
    let request = service.client.post(service.url(&format!("{ORDERS}/{number}/resolve")));
    let request = request.bearer_auth(service.issuer.token()).header("content-type", "application/json");
    let answer = Answer::of(request.body(json!({ "cancelled": "not wanted" }).to_string()).send().await.unwrap()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

/// Moves the clock second by second, so that every task sees each of them.
pub async fn pass(service: &Service, seconds: u64) {
    for _ in 0..seconds {
        service.clock.advance(Duration::from_secs(1));
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
}

/// The key of the webhook.
pub fn webhook_key() -> Arc<[u8]> {
    STANDARD.decode(WEBHOOK_SECRET.trim_start_matches("whsec_")).unwrap().into()
}
