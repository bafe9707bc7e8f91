//! The forms of the log, its level while the service runs, and what is never in it.

use purchase_order_webhook::sandbox::vms::Effect;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::collector::{Collector, hex};
use crate::process::Process;
use crate::support::cart;

const LEVEL_LINE: &str = "the level of the log is set, until the next signal or start";

#[tokio::test]
async fn the_lines_of_an_order_have_its_place_in_the_trace_in_json_and_in_ecs() {
    for (format, trace_id, span_id, order_id) in
        [("json", "trace_id", "span_id", "order.id"), ("ecs", "trace.id", "span.id", "labels.order_id")]
    {
        let collector = Collector::start().await;
        let settings = format!("{}telemetry.log_format = {format:?}\n", collector.settings());
        let service = Process::start(&settings).await;
        let answer = service.post("", "from-srm-1", cart(1).to_string()).send().await.unwrap();
        assert_eq!(answer.status(), 201);
        let lines = service.stop().await;
        let line = |message: &str| lines.iter().find(|line| line["message"] == message).unwrap();
        let (created, answered) = (line("the order exists in 11VMS"), line("the request was answered"));
        let spans = collector.spans();
        let place = |name: &str| {
            let span = spans.iter().find(|span| span.name == name).unwrap();
            (hex(&span.trace_id), hex(&span.span_id))
        };
        let named =
            |line: &Value| (line[trace_id].as_str().unwrap().to_owned(), line[span_id].as_str().unwrap().to_owned());
        assert_eq!(named(created), place("attempt"));
        assert_eq!(named(answered), place("POST /v2/purchase-orders"));
        assert_eq!(created[order_id], "1");
        if format == "ecs" {
            for (name, value) in [("log.level", "info"), ("service.name", "purchase-order-webhook")] {
                assert_eq!(created[name], value);
            }
            assert!(answered["event.duration"].is_u64() && answered["http.response.status_code"] == 201, "{answered}");
        }
    }
}

#[tokio::test]
async fn signals_change_the_level_without_a_restart() {
    let mut service = Process::start("").await;
    service.signal(Signal::USR1);
    assert_eq!(service.read_until(LEVEL_LINE).await["setting.value"], "debug");
    let probe = format!("http://{}/livez", service.management);
    service.client.get(probe).send().await.unwrap();
    assert_eq!(service.read_until("a probe was answered").await["level"], "DEBUG");
    service.signal(Signal::USR2);
    assert_eq!(service.read_until(LEVEL_LINE).await["setting.value"], "info");
    let settings = std::fs::read_to_string(&service.settings).unwrap();
    std::fs::write(&service.settings, settings.clone() + "telemetry.log_level = \"warn\"\n").unwrap();
    service.signal(Signal::HUP);
    assert_eq!(service.read_until(LEVEL_LINE).await["setting.value"], "warn");
    std::fs::write(&service.settings, settings + "telemetry.log_level = \"loud\"\n").unwrap();
    service.signal(Signal::HUP);
    let refused = service.read_until("the level of the log can't be read; the one before stays").await;
    assert!(refused["error.message"].as_str().unwrap().contains("telemetry.log_level: expected"), "{refused}");
    // Where neither the level before nor the new one writes INFO, whoever sets it sees that it is set.
    for (signal, level) in [(Signal::USR2, "error"), (Signal::USR2, "error"), (Signal::USR1, "warn")] {
        service.signal(signal);
        assert_eq!(service.read_until(LEVEL_LINE).await["setting.value"], level);
    }
    let answer = service.post("", "from-srm-1", cart(1).to_string()).send().await.unwrap();
    assert_eq!(answer.status(), 201);
    let lines = service.stop().await;
    assert!(lines.iter().all(|line| line["message"] != "the request was answered"), "warn writes no INFO");
}

/// Everything that must not come out: each is sent once, somewhere.
const MARKERS: [&str; 8] = [
    "marker-token",
    "webhook-secret",
    "marker-otlp-key",
    "marker-text",
    "marker-unread",
    "marker-header",
    "marker-query",
    "marker-cookie",
];

#[tokio::test]
async fn no_token_secret_or_payload_is_in_the_log_at_any_level() {
    let collector = Collector::start().await;
    let settings = format!(
        "{}telemetry.otlp_headers = \"api-key=marker-otlp-key\"\ntelemetry.log_level = \"trace\"\n\
         retry.initial_delay = \"50ms\"\ntarget.unknown_grace = \"0s\"\n",
        collector.settings()
    );
    let service = Process::start(&settings).await;
    let mut described = cart(1);
    described["HEADER"]["DESCRIPTION"] = json!("marker-text");
    described["ITEM"][0]["DESCRIPTION"] = json!("marker-text");
    described["HEADER"]["ZZ_UNREAD"] = json!("marker-unread");
    let token = service.issuer.token();
    let post = |path: &str, body: String| {
        let request = service.post(path, "from-srm-1", body).header("x-api-key", "marker-header");
        request.header("cookie", "session=marker-cookie")
    };
    // Created; unknown and found; with mistakes; malformed; in a batch; previewed; by hand; with bad tokens; by a query.
    assert_eq!(post("", described.to_string()).send().await.unwrap().status(), 201);
    described["HEADER"]["OBJECT_ID"] = json!("2");
    service.vms.next(Effect::HangUpAfter);
    assert_eq!(post("", described.to_string()).send().await.unwrap().status(), 201);
    described["HEADER"]["OBJECT_ID"] = json!("3");
    service.vms.next(Effect::status(422));
    assert_eq!(post("", described.to_string()).send().await.unwrap().status(), 422);
    let mut mistaken = described.clone();
    mistaken["HEADER"]["ZZ_SALES_ORG"] = json!("");
    assert_eq!(post("", mistaken.to_string()).send().await.unwrap().status(), 422);
    assert_eq!(post("", "{\"marker-text\": marker-text".to_owned()).send().await.unwrap().status(), 400);
    assert_eq!(post("/batch", json!([described, mistaken]).to_string()).send().await.unwrap().status(), 200);
    assert_eq!(post("/preview", described.to_string()).send().await.unwrap().status(), 200);
    assert_eq!(post("/3/replay", String::new()).send().await.unwrap().status(), 200);
    let orders = format!("http://{}/v2/purchase-orders?cartNumber=marker-query", service.address);
    let bad = service.client.get(&orders).bearer_auth("marker-token").send().await.unwrap();
    assert_eq!(bad.status(), 401);
    assert_eq!(service.client.get(&orders).bearer_auth(&token).send().await.unwrap().status(), 200);
    let lines = service.stop().await;
    assert!(lines.iter().any(|line| line["level"] == "DEBUG"), "the log is at its lowest level");
    let log: String = lines.iter().map(Value::to_string).collect();
    let signature = token.rsplit('.').next().unwrap();
    for marker in MARKERS.into_iter().chain([token.as_str(), signature]) {
        let line = lines.iter().find(|line| line.to_string().contains(marker));
        assert!(!log.contains(marker), "{marker}: {}", line.map(Value::to_string).unwrap_or_default());
    }
    let spans = format!("{:?}", collector.spans());
    for marker in MARKERS.into_iter().chain([token.as_str(), signature]) {
        assert!(!spans.contains(marker), "{marker} is in a span");
    }
}
