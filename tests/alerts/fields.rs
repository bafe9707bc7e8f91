//! Each channel gets exactly the fields that its receiver documents.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::raw_server::{RawAnswer, RawServer};
use crate::receivers::{
    ONE_TRY, ROUTING_KEY, Request, cancel, pagerduty, park, receiver, requests, webhook, webhook_key,
};
use crate::support::Service;

const RUNBOOK: &str = "alerts.runbook_url = \"https://wiki.acme.test/runbook\"\nalerts.source = \"orders-test\"\n";

/// What is told of order 1: it is parked, and a person cancels it.
async fn parked_and_cancelled(settings: &str) -> Service {
    let service = Service::start_with(&format!("{ONE_TRY}{RUNBOOK}{settings}")).await;
    park(&service, 1).await;
    cancel(&service, 1).await;
    service
}

const PARKED: &str =
    "The order of shopping cart 1 is parked after 1 attempt, and needs a person; whether it exists in 11VMS is unknown";
const CANCELLED: &str = "The order of shopping cart 1 is not parked any more: it was cancelled by ";

/// Whether a text is a time in whole seconds, RFC 3339.
fn is_time(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.len() == 20 && text.parse::<jiff::Timestamp>().is_ok())
}

#[tokio::test]
async fn pagerduty_gets_a_trigger_and_a_resolve_under_one_dedup_key() {
    let server = receiver(202).await;
    let _service = parked_and_cancelled(&pagerduty(&server)).await;
    let requests = requests(&server, 2).await;
    let mut trigger = requests[0].body.clone();
    assert!(requests.iter().all(|request| request.target() == "POST /v2/enqueue"), "{requests:#?}");
    assert!(requests.iter().all(|request| request.header("content-type") == "application/json"), "{requests:#?}");
    assert!(is_time(&trigger["payload"]["timestamp"].take()), "{trigger:#}");
    let id = trigger["payload"]["custom_details"]["eventId"].take();
    let expected = json!({
        "routing_key": ROUTING_KEY,
        "event_action": "trigger",
        "dedup_key": "orders-test/order-parked/1",
        "client": "purchase-order-webhook",
        "payload": {
            "summary": PARKED,
            "source": "orders-test",
            "severity": "error",
            "timestamp": null,
            "component": "purchase-order-webhook",
            "class": "order-parked",
            "custom_details": {
                "orderId": "1", "cartNumber": "1", "state": "parked", "attempts": "1", "lastHttpStatus": "503",
                "eventId": null,
            },
        },
        "links": [{ "href": "https://wiki.acme.test/runbook#order-parked", "text": "Runbook" }],
    });
    assert_eq!(trigger, expected);
    let resolve = &requests[1].body;
    assert_eq!((&resolve["event_action"], &resolve["dedup_key"]), (&json!("resolve"), &expected["dedup_key"]));
    assert_ne!(resolve["payload"]["custom_details"]["eventId"], id);
    assert!(resolve["payload"]["summary"].as_str().unwrap().starts_with(CANCELLED), "{resolve:#}");
}

/// The token endpoint of SAP Alert Notification service, which issues `token-1`, `token-2` …
async fn token_endpoint() -> RawServer {
    let issued = std::sync::atomic::AtomicUsize::new(0);
    RawServer::start(move |_| {
        let number = issued.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        let token = json!({ "access_token": format!("token-{number}"), "token_type": "bearer", "expires_in": 3600 });
        RawAnswer::whole(200, &[("content-type", "application/json")], token.to_string())
    })
    .await
}

fn sap(server: &RawServer, tokens: &RawServer) -> String {
    format!(
        "alerts.sap_alert_notification.url = {:?}\nalerts.sap_alert_notification.token_url = \"{}/oauth/token\"\n\
         alerts.sap_alert_notification.client_id = \"ans\"\nalerts.sap_alert_notification.client_secret = \"hush\"\n",
        server.url(),
        tokens.url()
    )
}

#[tokio::test]
async fn sap_alert_notification_gets_an_alert_and_a_notification_that_closes_it() {
    let (server, tokens) = (receiver(202).await, token_endpoint().await);
    let _service = parked_and_cancelled(&sap(&server, &tokens)).await;
    let requests = requests(&server, 2).await;
    for request in &requests {
        assert_eq!(request.target(), "POST /cf/producer/v1/resource-events");
        assert_eq!(request.header("authorization"), "Bearer token-1");
        assert_eq!(request.header("content-type"), "application/json");
    }
    let token_request = Request::of(&tokens.requests()[0]);
    assert_eq!(
        (token_request.target(), token_request.text.as_str()),
        ("POST /oauth/token", "grant_type=client_credentials")
    );
    assert_eq!(token_request.header("authorization"), format!("Basic {}", STANDARD.encode("ans:hush")));
    let mut alert = requests[0].body.clone();
    let timestamp = alert["eventTimestamp"].take();
    assert!(
        (1_000_000_000..10_000_000_000).contains(&timestamp.as_i64().unwrap()),
        "seconds, not milliseconds: {timestamp}"
    );
    let id = alert["tags"]["ans:sourceEventId"].take();
    assert!(alert["body"].as_str().unwrap().starts_with(PARKED), "{alert:#}");
    alert["body"] = Value::Null;
    let expected = json!({
        "eventType": "order-parked",
        "eventTimestamp": null,
        "resource": {
            "resourceName": "orders-test", "resourceType": "purchase-order-webhook", "resourceInstance": "1",
        },
        "severity": "ERROR",
        "category": "ALERT",
        "priority": 750,
        "subject": PARKED,
        "body": null,
        "tags": {
            "ans:correlationId": "orders-test/order-parked/1",
            "ans:sourceEventId": null,
            "ans:status": "CREATE_OR_UPDATE",
            "ans:detailsLink": "https://wiki.acme.test/runbook#order-parked",
        },
    });
    assert_eq!(alert, expected);
    let end = &requests[1].body;
    assert_eq!((&end["severity"], &end["category"]), (&json!("INFO"), &json!("NOTIFICATION")));
    assert_eq!(end["tags"]["ans:status"], "CLOSE");
    assert_eq!(end["tags"]["ans:correlationId"], expected["tags"]["ans:correlationId"]);
    assert_ne!(end["tags"]["ans:sourceEventId"], id);
}

#[tokio::test]
async fn a_token_that_sap_alert_notification_refuses_is_renewed_once() {
    let server = RawServer::start(|request| {
        let status =
            if request.contains("Bearer token-1\r\n") || request.contains("bearer token-1\r\n") { 401 } else { 202 };
        RawAnswer::whole(status, &[], "")
    })
    .await;
    let tokens = token_endpoint().await;
    let service = Service::start_with(&format!("{ONE_TRY}{}", sap(&server, &tokens))).await;
    park(&service, 1).await;
    let requests = requests(&server, 2).await;
    let used: Vec<_> = requests.iter().map(|request| request.header("authorization")).collect();
    assert_eq!(used, ["Bearer token-1", "Bearer token-2"]);
    assert_eq!(requests[0].body, requests[1].body);
}

#[tokio::test]
async fn basic_authentication_needs_no_token_endpoint() {
    let server = receiver(202).await;
    let settings = format!(
        "alerts.sap_alert_notification.url = {:?}\nalerts.sap_alert_notification.auth = \"basic\"\n\
         alerts.sap_alert_notification.client_id = \"ans\"\nalerts.sap_alert_notification.client_secret = \"hush\"\n",
        server.url()
    );
    let service = Service::start_with(&format!("{ONE_TRY}{settings}")).await;
    park(&service, 1).await;
    let requests = requests(&server, 1).await;
    assert_eq!(requests[0].header("authorization"), format!("Basic {}", STANDARD.encode("ans:hush")));
}

#[tokio::test]
async fn a_webhook_is_signed_by_the_standard_webhooks_convention() {
    let server = receiver(204).await;
    let service = parked_and_cancelled(&webhook(&server)).await;
    let requests = requests(&server, 2).await;
    let key = hmac::Key::new(hmac::HMAC_SHA256, &webhook_key());
    for request in &requests {
        assert_eq!(request.target(), "POST /hook");
        assert_eq!(request.header("content-type"), "application/json");
        let (id, timestamp) = (request.header("webhook-id"), request.header("webhook-timestamp"));
        assert!(!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
        let sent_at: i64 = timestamp.parse().unwrap();
        assert!((sent_at - service_seconds(&service)).abs() < 60, "{timestamp}");
        let signature = request.header("webhook-signature").strip_prefix("v1,").unwrap().to_owned();
        let signed = format!("{id}.{timestamp}.{}", request.text);
        hmac::verify(&key, signed.as_bytes(), &STANDARD.decode(signature).unwrap()).expect("the signature is right");
    }
    assert_ne!(requests[0].header("webhook-id"), requests[1].header("webhook-id"));
    let mut begin = requests[0].body.clone();
    assert!(is_time(&begin["timestamp"].take()), "{begin:#}");
    let expected = json!({
        "type": "order-parked",
        "timestamp": null,
        "data": {
            "alert": "order-parked",
            "status": "begun",
            "severity": "error",
            "incident": "orders-test/order-parked/1",
            "source": "orders-test",
            "summary": PARKED,
            "facts": { "orderId": "1", "cartNumber": "1", "state": "parked", "attempts": "1", "lastHttpStatus": "503" },
            "link": "https://wiki.acme.test/runbook#order-parked",
        },
    });
    assert_eq!(begin, expected);
    let end = &requests[1].body;
    assert_eq!((&end["type"], &end["data"]["status"]), (&json!("order-parked.ended"), &json!("ended")));
    assert_eq!(end["data"]["incident"], expected["data"]["incident"]);
}

fn service_seconds(service: &Service) -> i64 {
    use purchase_order_webhook::clock::Clock as _;
    service.clock.now().as_second()
}

#[tokio::test]
async fn no_alert_repeats_what_was_sent_to_11vms_or_answered_by_it() {
    let server = receiver(204).await;
    let service = Service::start_with(&format!("{ONE_TRY}{}", webhook(&server))).await;
    let answer = purchase_order_webhook::sandbox::vms::Effect::Status {
        status: 503,
        body: json!({ "message": "secret of 11VMS" }),
        retry_after: None,
    };
    service.vms.next(answer);
    service.send(&crate::support::cart(1)).await.is_problem(502, "parked");
    let text = requests(&server, 1).await[0].text.clone();
    for hidden in ["secret of 11VMS", "300123", "webhook-secret", "100.5"] {
        assert!(!text.contains(hidden), "{hidden}: {text}");
    }
}
