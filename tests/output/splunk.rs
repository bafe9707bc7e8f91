//! The way of log lines into Splunk that docs/logs.md describes: its configuration of syslog-ng, run as it is, to a receiver that
//! checks each envelope as the HTTP Event Collector does.

use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;
use tokio::process::Command;

use crate::process::Process;
use crate::support::cart;

/// Whether a value is what it has to be.
type Check = fn(&Value) -> bool;

/// The members of an envelope, and what each has to be.
const MEMBERS: [(&str, Check); 7] = [
    ("time", |value| value.as_f64().is_some_and(|seconds| seconds > 1_700_000_000.0)),
    ("host", Value::is_string),
    ("source", Value::is_string),
    ("sourcetype", Value::is_string),
    ("index", Value::is_string),
    ("event", Value::is_object),
    ("fields", |value| value.as_object().is_some_and(|fields| fields.values().all(Value::is_string))),
];

type Events = Arc<Mutex<Vec<Result<Value, String>>>>;

/// Takes envelopes, one behind the other, as the collector does.
async fn collect(State(events): State<Events>, headers: HeaderMap, body: String) -> StatusCode {
    if headers["authorization"] != "Splunk 00000000-0000-0000-0000-000000000000" {
        return StatusCode::FORBIDDEN;
    }
    for envelope in serde_json::Deserializer::from_str(&body).into_iter::<Value>() {
        let checked = envelope.map_err(|error| format!("{error}: {body}")).and_then(|envelope| {
            let members = envelope.as_object().ok_or("no object")?;
            let unknown = members.keys().find(|name| MEMBERS.iter().all(|(known, _)| known != name));
            let wrong = MEMBERS.iter().find(|(name, is_right)| !members.get(*name).is_some_and(is_right));
            match (unknown, wrong) {
                (None, None) => Ok(envelope),
                (unknown, wrong) => Err(format!("{unknown:?} {:?} {envelope}", wrong.map(|(name, _)| name))),
            }
        });
        events.lock().unwrap().push(checked);
    }
    StatusCode::OK
}

/// The configuration of the document, with the addresses of this test.
fn configuration(log: &Path, url: &str) -> String {
    let document = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/logs.md")).unwrap();
    let block = document.split("```syslog-ng\n").nth(1).unwrap().split("```").next().unwrap();
    for needed in ["/var/log/purchase-order-webhook.log", "https://splunk.example:8088"] {
        assert!(block.contains(needed), "{needed}");
    }
    block
        .replace("/var/log/purchase-order-webhook.log", &log.display().to_string())
        .replace("https://splunk.example:8088", url)
}

#[tokio::test]
async fn splunk_gets_each_line_in_an_envelope_by_the_documented_configuration() {
    let events = Events::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/services/collector/event", post(collect)).with_state(Arc::clone(&events));
    tokio::spawn(async move { axum::serve(listener, router).await });

    let service = Process::start("").await;
    assert_eq!(service.post("", "from-srm-1", cart(1).to_string()).send().await.unwrap().status(), 201);
    let lines = service.stop().await;

    let folder = tempfile::tempdir().unwrap();
    let (log, config) = (folder.path().join("service.log"), folder.path().join("syslog-ng.conf"));
    std::fs::write(&log, lines.iter().map(Value::to_string).collect::<Vec<_>>().join("\n") + "\n").unwrap();
    std::fs::write(&config, configuration(&log, &url)).unwrap();
    let at = |name: &str| folder.path().join(name);
    let started = Command::new("syslog-ng")
        .args(["--foreground", "--no-caps", "--cfgfile"])
        .arg(&config)
        .arg("--persist-file")
        .arg(at("persist"))
        .arg("--pidfile")
        .arg(at("pid"))
        .arg("--control")
        .arg(at("control"))
        .kill_on_drop(true)
        .spawn();
    let Ok(mut agent) = started else {
        let text = "NOT RUN: syslog-ng is not installed (Debian: apt-get install syslog-ng-mod-http)";
        assert!(std::env::vars().all(|(name, value)| name != "CI" || value != "true"), "{text}");
        return eprintln!("{text}");
    };
    while events.lock().unwrap().len() < lines.len() {
        assert!(agent.try_wait().unwrap().is_none(), "syslog-ng has ended");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let received: Result<Vec<Value>, String> = events.lock().unwrap().iter().cloned().collect();
    let received = received.unwrap();
    let sent: Vec<&Value> = received.iter().map(|envelope| &envelope["event"]).collect();
    assert_eq!(sent, lines.iter().collect::<Vec<_>>(), "every line, as it is");
    for envelope in &received {
        let time: jiff::Timestamp = envelope["event"]["timestamp"].as_str().unwrap().parse().unwrap();
        let told = envelope["time"].as_f64().unwrap();
        let written = time.duration_since(jiff::Timestamp::UNIX_EPOCH).as_secs_f64();
        assert!((written - told).abs() < 0.01, "{envelope}");
        assert_eq!(envelope["fields"]["level"], envelope["event"]["level"]);
    }
}
