//! A changed mapping sheet replaces the one in use, whole or not at all, and never changes a recorded order.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::support::{Service, cart};

fn copy_mapping(to: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("mapping");
    fs::create_dir_all(to.join("tables")).unwrap();
    fs::copy(from.join("purchase-order.csv"), to.join("purchase-order.csv")).unwrap();
    for entry in fs::read_dir(from.join("tables")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join("tables").join(entry.file_name())).unwrap();
    }
}

/// Moves the clock, so that the service reads its folder again, until `done`.
async fn advance_until(service: &Service, done: impl AsyncFn() -> bool) {
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
