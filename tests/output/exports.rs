//! What the real process exports: spans to somebody else's collector, log records to Cloud ALM; and that a receiver which
//! is of no use holds up nothing.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use purchase_order_webhook::sandbox::vms::Effect;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::time::timeout;

use crate::cloud_alm_receiver::CloudAlm;
use crate::process::Process;
use crate::support::cart;

/// Below the ten seconds for which an export is waited, and far above the two that it has at the stop.
const BELOW_AN_EXPORT: Duration = Duration::from_secs(8);

const FAILED: &str = "telemetry can't be delivered: it is kept within bounds and tried again; no order waits for it";

const LOST: &str = "telemetry is lost with the stop: its receiver did not take it in time; no order is affected";

/// Creates an order.
async fn create(service: &Process, number: u32) {
    let answer = service.post("", &format!("from-srm-{number}"), cart(number).to_string()).send().await.unwrap();
    assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
}

/// PyPI's rotel, where `scripts/test-otlp` puts it.
fn rotel() -> Option<PathBuf> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-tools/rotel/rotel/rotel-agent");
    if program.exists() {
        return Some(program);
    }
    let text = "NOT RUN: rotel is not installed (scripts/test-otlp)";
    assert!(std::env::vars().all(|(name, value)| name != "CI" || value != "true"), "{text}");
    eprintln!("{text}");
    None
}

async fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string()
}

/// What rotel prints of an order.
const EXPECTED: [&str; 7] = [
    "service.name: Str(purchase-order-webhook)",
    "POST /v2/purchase-orders",
    "SPAN_KIND_SERVER",
    "verify token",
    "SPAN_KIND_CLIENT",
    "order.attempt.outcome: Str(created)",
    "settle order",
];

/// What rotel prints of the spans that a service exports by a protocol.
async fn exported_by(protocol: &str, program: &Path) -> String {
    let (grpc, http) = (free_address().await, free_address().await);
    let folder = tempfile::tempdir().unwrap();
    let mut collector = Command::new(program)
        .args(["start", "--exporter", "blackhole", "--disable-batching", "--debug-log", "traces"])
        .args(["--debug-log-verbosity", "detailed", "--otlp-grpc-endpoint", &grpc, "--otlp-http-endpoint", &http])
        .arg("--pid-file")
        .arg(folder.path().join("pid"))
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(collector.stdout.take().unwrap()).lines();
    let address = if protocol == "grpc" { &grpc } else { &http };
    let settings = format!("telemetry.otlp_endpoint = \"http://{address}\"\ntelemetry.otlp_protocol = {protocol:?}\n");
    let service = Process::start(&settings).await;
    create(&service, 1).await;
    let log = service.stop().await;
    let failures: Vec<_> = log.iter().filter(|line| line["setting.name"] == "telemetry.otlp_endpoint").collect();
    let mut text = String::new();
    while EXPECTED.iter().any(|expected| !text.contains(expected)) {
        let line = lines.next_line().await.unwrap();
        text.push_str(&line.unwrap_or_else(|| panic!("rotel ended: {text} {failures:?}")));
        text.push('\n');
    }
    text
}

#[tokio::test]
async fn somebody_elses_collector_takes_spans_by_http_and_by_grpc() {
    let Some(program) = rotel() else { return };
    for protocol in ["http/protobuf", "grpc"] {
        println!("{protocol}\n{}", exported_by(protocol, &program).await);
    }
}

#[tokio::test]
async fn a_collector_that_never_answers_holds_up_neither_orders_nor_the_stop() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = format!("telemetry.otlp_endpoint = \"http://{}\"", silent.local_addr().unwrap());
    let service = Process::start(&settings).await;
    create(&service, 1).await;
    let _held = silent.accept().await.unwrap();
    // The export is under way now, and lasts for ten seconds.
    timeout(BELOW_AN_EXPORT, async {
        create(&service, 2).await;
        create(&service, 3).await;
    })
    .await
    .expect("orders wait for the collector");
    let lines = timeout(BELOW_AN_EXPORT, service.stop()).await.expect("the stop waits for the collector");
    assert_eq!(lines.last().unwrap()["message"], "the service has stopped; open orders continue at its next start");
    let lost = lines.iter().find(|line| line["message"] == LOST).unwrap();
    assert!(lost["export.lost"].as_u64().unwrap() > 15, "the batch under way, and what came after it: {lost}");
}

#[tokio::test]
async fn a_dead_collector_is_told_once_and_what_is_lost_with_the_stop() {
    let mut service = Process::start("telemetry.otlp_endpoint = \"http://127.0.0.1:1\"").await;
    create(&service, 1).await;
    let line = service.read_until(FAILED).await;
    assert_eq!((&line["level"], &line["setting.name"]), (&"WARN".into(), &"telemetry.otlp_endpoint".into()));
    create(&service, 2).await;
    let lines = service.stop().await;
    let told = lines.iter().filter(|line| line["setting.name"] == "telemetry.otlp_endpoint");
    assert_eq!(told.map(|line| line["message"].as_str().unwrap()).collect::<Vec<_>>(), [FAILED, LOST]);
}

/// Every record that Cloud ALM has: severity, and the order that it is about.
fn records(alm: &CloudAlm) -> Vec<(String, String)> {
    let payloads = alm.pushes("logs");
    let records = payloads.iter().flat_map(|payload| {
        payload["resourceLogs"][0]["scopeLogs"][0]["logRecords"].as_array().unwrap().iter().cloned()
    });
    let attribute = |record: &Value, name: &str| {
        let found = record["attributes"].as_array().unwrap().iter().find(|attribute| attribute["key"] == name);
        found.map_or_else(String::new, |found| found["value"]["stringValue"].as_str().unwrap().to_owned())
    };
    records
        .map(|record| (record["severityText"].as_str().unwrap().to_owned(), attribute(&record, "order.id")))
        .collect()
}

#[tokio::test]
async fn cloud_alm_gets_what_happened_to_orders_though_its_tokens_end() {
    let alm = CloudAlm::start(Some(1)).await;
    let service = Process::start(&format!("{}retry.attempts = 0", alm.settings())).await;
    create(&service, 1).await;
    service.vms.next(Effect::HangUpAfter);
    let answer = service.post("", "from-srm-2", cart(2).to_string()).send().await.unwrap();
    assert_eq!(answer.status(), 502);
    create(&service, 3).await;
    let lines = service.stop().await;
    let of_orders = |level: &str, id: &str| (level.to_owned(), id.to_owned());
    let records = records(&alm);
    for expected in [of_orders("INFO", "1"), of_orders("ERROR", "2"), of_orders("INFO", "3")] {
        assert_eq!(
            records.iter().filter(|record| **record == expected).count(),
            1,
            "{expected:?}: {records:?}\n{lines:?}"
        );
    }
    assert!(alm.refused() >= 1, "metrics and records have used one token");
    assert_eq!(alm.pushes("metrics").len(), 1);
}
