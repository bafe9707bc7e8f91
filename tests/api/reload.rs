//! A changed mapping sheet replaces the one in use, whole or not at all, and never changes a recorded order.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::log_lines::LogLines;
use crate::support::{Answer, ORDERS, Service, cart};

pub fn copy_mapping(to: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("mapping");
    fs::create_dir_all(to).unwrap();
    fs::copy(from.join("purchase-order.csv"), to.join("purchase-order.csv")).unwrap();
    copy_folder(&from, to, "tables");
}

fn copy_folder(from: &Path, to: &Path, folder: &str) {
    fs::create_dir_all(to.join(folder)).unwrap();
    for entry in fs::read_dir(from.join(folder)).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(folder).join(entry.file_name())).unwrap();
    }
}

/// The mapping of the repository with its examples, and the sheet cut off after some rows: every example differs.
pub fn copy_mapping_with_examples(to: &Path) -> String {
    copy_mapping(to);
    copy_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("mapping"), to, "examples");
    let sheet = fs::read_to_string(to.join("purchase-order.csv")).unwrap();
    sheet.split_inclusive('\n').take(20).collect()
}

/// Moves the clock, so that the service reads its folder again, until `done`.
pub async fn advance_until(service: &Service, done: impl AsyncFn() -> bool) {
    for _ in 0..1_000 {
        service.clock.advance(Duration::from_secs(2));
        if done().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the change was never seen");
}

async fn version(service: &Service) -> String {
    service.get("/readyz").await.body["mappingVersion"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_changed_sheet_is_used_and_a_defective_one_is_refused_whole() {
    let folder = tempfile::tempdir().unwrap();
    copy_mapping(folder.path());
    let service = Service::start_with(&format!("mapping.directory = {:?}", folder.path())).await;
    let first = version(&service).await;
    let table = folder.path().join("tables/account-types.csv");

    fs::write(&table, "category,accountType\nA,CHANGED\n").unwrap();
    advance_until(&service, async || version(&service).await != first).await;
    service.send(&cart(1)).await;
    assert_eq!(service.vms.orders()[0].body["accountType"], "CHANGED");

    let second = version(&service).await;
    fs::write(&table, "category,accountType\nA,ONE\nA,TWO\n").unwrap();
    for _ in 0..20 {
        service.clock.advance(Duration::from_secs(2));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(version(&service).await, second, "the old mapping stays in use");
    service.send(&cart(2)).await;
    assert_eq!(service.vms.orders()[1].body["accountType"], "CHANGED");

    fs::write(&table, "category,accountType\nA,ENTERPRISE\n").unwrap();
    advance_until(&service, async || version(&service).await != second).await;
}

#[tokio::test]
async fn a_retry_sends_the_body_that_was_recorded() {
    let folder = tempfile::tempdir().unwrap();
    copy_mapping(folder.path());
    let service = Service::start_with(&format!("mapping.directory = {:?}", folder.path())).await;
    service.vms.next(purchase_order_webhook::sandbox::vms::Effect::status(429));
    service.post(cart(1).to_string()).header("prefer", "respond-async").send().await.unwrap();
    service.until("1", "retrying").await;
    let first = version(&service).await;
    fs::write(folder.path().join("tables/account-types.csv"), "category,accountType\nA,CHANGED\n").unwrap();
    advance_until(&service, async || version(&service).await != first).await;
    service.clock.advance(Duration::from_secs(40));
    let order = service.until("1", "created").await;
    assert_eq!(order["mappingVersion"], first);
    assert_eq!(service.vms.orders()[0].body["accountType"], "ENTERPRISE");
}

async fn readiness(service: &Service) -> Value {
    service.get("/readyz").await.body
}

#[tokio::test]
async fn a_folder_whose_examples_differ_is_refused_live_and_readiness_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let cut_off = copy_mapping_with_examples(folder.path());
    let service = Service::start_with(&format!("mapping.directory = {:?}", folder.path())).await;
    let before = readiness(&service).await;
    assert_eq!(before["mappingRefused"], Value::Null);
    assert!(before["mappingSince"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{before}");

    let sheet = folder.path().join("purchase-order.csv");
    let whole = fs::read_to_string(&sheet).unwrap();
    fs::write(&sheet, cut_off).unwrap();
    advance_until(&service, async || !readiness(&service).await["mappingRefused"].is_null()).await;
    let refused = readiness(&service).await;
    for name in ["status", "mappingVersion", "mappingSince"] {
        assert_eq!(refused[name], before[name], "{name}");
    }
    let refusal = &refused["mappingRefused"];
    let mistakes = refusal["mistakes"].as_array().unwrap();
    let examples = fs::read_dir(folder.path().join("examples")).unwrap().count() / 2;
    let expected =
        format!("examples: {examples} of {examples} examples differ; the first: examples/asjson-sample.cart.json: ");
    assert!(mistakes.len() == 1 && mistakes[0].as_str().unwrap().starts_with(&expected), "{refusal}");
    assert!(
        refusal["version"].as_str().unwrap().len() == 16 && refusal["version"] != before["mappingVersion"],
        "{refusal}"
    );
    assert!(refusal["at"].as_str().unwrap() > before["mappingSince"].as_str().unwrap(), "{refused}");
    service.send(&cart(1)).await;
    assert_eq!(service.vms.orders()[0].body["lines"][0]["unitPrice"], "100.5", "the whole sheet stays in use");

    // A mistake replaces the refusal, and a remark is no new version.
    fs::write(&sheet, whole.replace(",decimal,", ",number,")).unwrap();
    advance_until(&service, async || readiness(&service).await["mappingRefused"] != *refusal).await;
    let refusal = readiness(&service).await["mappingRefused"].clone();
    assert!(refusal["mistakes"][0].as_str().unwrap().starts_with("purchase-order.csv line "), "{refusal}");
    assert_eq!(refusal["version"], Value::Null, "it does not compile");
    fs::write(&sheet, whole.replace('\n', "\r\n").replace("mandatory", "needed")).unwrap();
    advance_until(&service, async || readiness(&service).await["mappingRefused"].is_null()).await;
    let after = readiness(&service).await;
    for name in ["mappingVersion", "mappingSince"] {
        assert_eq!(after[name], before[name], "{name}: the same meaning, in use since the start");
    }
}

#[tokio::test]
async fn a_new_version_has_its_own_time() {
    let folder = tempfile::tempdir().unwrap();
    copy_mapping(folder.path());
    let service = Service::start_with(&format!("mapping.directory = {:?}", folder.path())).await;
    let before = readiness(&service).await;
    fs::write(folder.path().join("tables/account-types.csv"), "category,accountType\nA,CHANGED\n").unwrap();
    advance_until(&service, async || version(&service).await != before["mappingVersion"]).await;
    let after = readiness(&service).await;
    assert!(after["mappingSince"].as_str().unwrap() > before["mappingSince"].as_str().unwrap(), "{before} {after}");
}

#[tokio::test]
async fn a_service_that_accepts_differing_examples_warns_with_every_order() {
    let folder = tempfile::tempdir().unwrap();
    let cut_off = copy_mapping_with_examples(folder.path());
    fs::write(folder.path().join("purchase-order.csv"), cut_off).unwrap();
    let settings = format!("mapping.directory = {:?}\nmapping.examples = \"warn\"", folder.path());
    let service = Service::start_with(&settings).await;
    let warnings = |body: &Value| {
        let messages = body["messages"].as_array().unwrap();
        messages.iter().filter(|message| message["number"] == "032" && message["type"] == "W").count()
    };
    let created = service.send(&cart(1)).await;
    assert_eq!((created.status, warnings(&created.body)), (201, 1), "{}", created.text);
    let again = service.send(&cart(1)).await;
    assert_eq!((again.status, warnings(&again.body)), (200, 1), "{}", again.text);
    let order = service.get(&format!("{ORDERS}/1")).await;
    assert_eq!(warnings(&order.body), 1, "{}", order.text);
    let preview = {
        let request =
            service.client.post(service.url(&format!("{ORDERS}/preview"))).bearer_auth(service.issuer.token());
        let request = request.header("content-type", "application/json").body(cart(2).to_string());
        Answer::of(request.send().await.unwrap()).await
    };
    assert_eq!((preview.status, warnings(&preview.body)), (200, 1), "{}", preview.text);
    let mut mistaken = cart(3);
    mistaken["HEADER"]["ZZ_SALES_ORG"] = "".into();
    let refused = service.send(&mistaken).await;
    assert_eq!((refused.status, warnings(&refused.body)), (422, 1), "{}", refused.text);

    // As soon as the examples are as expected, nobody is warned any more.
    let whole = Path::new(env!("CARGO_MANIFEST_DIR")).join("mapping/purchase-order.csv");
    let before = version(&service).await;
    fs::copy(whole, folder.path().join("purchase-order.csv")).unwrap();
    advance_until(&service, async || version(&service).await != before).await;
    let created = service.send(&cart(4)).await;
    assert_eq!((created.status, warnings(&created.body)), (201, 0), "{}", created.text);
}

#[tokio::test]
async fn a_mapping_that_stays_refused_is_reported_once_an_hour() {
    let lines = LogLines::default();
    let _subscriber = tracing::subscriber::set_default(lines.subscriber());
    let folder = tempfile::tempdir().unwrap();
    copy_mapping(folder.path());
    let service = Service::start_with(&format!("mapping.directory = {:?}", folder.path())).await;
    let table = folder.path().join("tables/account-types.csv");
    let is_refused = async || !service.get("/readyz").await.body["mappingRefused"].is_null();
    fs::write(&table, "category,accountType\nA,ONE\nA,TWO\n").unwrap();
    advance_until(&service, async || is_refused().await).await;
    let reminders = async |minutes: u64| {
        for _ in 0..minutes {
            service.clock.advance(Duration::from_mins(1));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        lines.take_with("is still refused").len()
    };
    assert_eq!(reminders(50).await, 0);
    assert_eq!(reminders(120).await, 2);
    fs::write(&table, "category,accountType\nA,ENTERPRISE\n").unwrap();
    advance_until(&service, async || !is_refused().await).await;
    assert_eq!(reminders(120).await, 0, "it is no longer refused");
}
