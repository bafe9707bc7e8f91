//! What is failing and is no order's: told once, and its end too.

use std::collections::BTreeSet;

use serde_json::json;

use crate::raw_server::RawServer;
use crate::receivers::{Request, pass, receiver, requests, webhook};
use crate::support::{Service, cart};

/// Alert and status of each.
fn told(requests: &[Request]) -> Vec<(String, String)> {
    let text = |one: &Request, member: &str| one.body["data"][member].as_str().unwrap().to_owned();
    requests.iter().map(|one| (text(one, "alert"), text(one, "status"))).collect()
}

/// Waits for at least so many messages. On a busy machine an answer may come late by the service's clock, which the tests move: the
/// message is then delivered again, under its id.
async fn messages(server: &RawServer, count: usize) -> Vec<Request> {
    let mut came = count;
    loop {
        let mut messages = requests(server, came).await;
        came = messages.len() + 1;
        let mut ids = BTreeSet::new();
        messages.retain(|message| ids.insert(message.header("webhook-id").to_owned()));
        if messages.len() >= count {
            return messages;
        }
    }
}

fn expected(alerts: &[(&str, &str)]) -> Vec<(String, String)> {
    alerts.iter().map(|(alert, status)| ((*alert).to_owned(), (*status).to_owned())).collect()
}

#[tokio::test]
async fn a_mapping_that_is_refused_is_told_once_and_its_end_after_the_cool_down() {
    let server = receiver(204).await;
    let folder = tempfile::tempdir().unwrap();
    let mapping = folder.path().join("mapping");
    copy(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("mapping"), &mapping);
    let sheet = mapping.join("purchase-order.csv");
    let good = std::fs::read_to_string(&sheet).unwrap();
    let settings = format!("mapping.directory = {mapping:?}\nalerts.cool_down = \"20s\"\n{}", webhook(&server));
    let service = Service::start_with(&settings).await;
    // The refusal flaps within the cool-down.
    for _ in 0..2 {
        std::fs::write(&sheet, format!("{good}\nx,y,z,refuse,\n")).unwrap();
        pass(&service, 12).await;
        std::fs::write(&sheet, &good).unwrap();
        pass(&service, 12).await;
    }
    assert_eq!(told(&messages(&server, 1).await), expected(&[("mapping-refused", "begun")]));
    let service = service.restart().await;
    pass(&service, 60).await;
    let all = messages(&server, 2).await;
    assert_eq!(told(&all), expected(&[("mapping-refused", "begun"), ("mapping-refused", "ended")]));
    assert_eq!(all[0].body["data"]["incident"], all[1].body["data"]["incident"]);
    assert_eq!(all[0].body["data"]["severity"], json!("warning"));
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test]
async fn a_ledger_that_is_gone_is_told_without_it() {
    let server = receiver(204).await;
    let service = Service::start_with(&webhook(&server)).await;
    assert_eq!(service.send(&cart(1)).await.status, 201);
    for ending in ["", "-wal", "-shm"] {
        let file = format!("{}{ending}", service.ledger_file().display());
        std::fs::rename(&file, format!("{file}.moved")).unwrap();
    }
    service.send(&cart(2)).await.is_problem(503, "ledger-unavailable");
    pass(&service, 10).await;
    let all = messages(&server, 1).await;
    assert_eq!(told(&all[..1]), expected(&[("ledger-unavailable", "begun")]));
    assert_eq!(all[0].body["data"]["severity"], json!("critical"));
    pass(&service, 20).await;
    assert_eq!(messages(&server, 1).await.len(), 1, "told once");
}

#[tokio::test]
async fn a_mapping_that_was_exchanged_is_a_change_that_pages_nobody() {
    let (pager, hook) = (receiver(202).await, receiver(204).await);
    let folder = tempfile::tempdir().unwrap();
    let mapping = folder.path().join("mapping");
    copy(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("mapping"), &mapping);
    let settings =
        format!("mapping.directory = {mapping:?}\n{}{}", crate::receivers::pagerduty(&pager), webhook(&hook));
    let service = Service::start_with(&settings).await;
    pass(&service, 2).await;
    let table = mapping.join("tables/units.csv");
    let text = std::fs::read_to_string(&table).unwrap();
    std::fs::write(&table, format!("{}\nXYZ,XYZ,a unit\n", text.trim_end())).unwrap();
    // The folder is read, and its examples are mapped, in real time.
    for _ in 0..3_000 {
        if !pager.requests().is_empty() {
            break;
        }
        pass(&service, 1).await;
    }
    let requests = requests(&pager, 1).await;
    assert_eq!(requests[0].target(), "POST /v2/change/enqueue");
    let body = &requests[0].body;
    assert!(
        body["payload"]["summary"].as_str().unwrap().starts_with("A changed mapping is in use: version "),
        "{body:#}"
    );
    assert_eq!((&body["payload"]["source"], &body["event_action"]), (&json!("purchase-order-webhook"), &json!(null)));
    assert_eq!(hook.requests().len(), 0, "it is no alert");
}
