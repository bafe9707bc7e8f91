//! A full disk, here a small tmpfs: nothing is sent that is not recorded, nothing recorded is
//! lost, and readiness says so. SQLite alone.

use std::time::Duration;

use crate::small_disk::SmallDisk;
use crate::support::{Answer, ORDERS, Service, cart};

#[tokio::test]
async fn a_full_disk_stops_all_sending_until_there_is_room() {
    let Some(disk) = SmallDisk::mount("size=1m") else { return };
    let file = disk.path().join("orders.db");
    let service = Service::start_with(&format!("ledger.url = {:?}", format!("sqlite:{}", file.display()))).await;
    assert_eq!(service.send(&cart(1)).await.status, 201);
    for _ in 0..3 {
        assert_eq!(service.get("/readyz").await.status, 200);
        disk.fill();
        // At once, before a cart has shown it.
        service.get("/readyz").await.is_problem(503, "ledger-unavailable");
        disk.free();
    }
    assert_eq!(service.get("/readyz").await.status, 200);
    disk.fill();
    // SQLite's reserve holds a few more. No caller waits: the record of an attempt may be the one that fails.
    let mut number = 1;
    let refused = loop {
        number += 1;
        assert!(number < 500, "the disk never was full");
        let sent = service.post(cart(number).to_string()).header("prefer", "respond-async").send().await.unwrap();
        let answer = Answer::of(sent).await;
        if answer.status != 202 {
            break answer;
        }
    };
    refused.is_problem(503, "ledger-unavailable");
    assert!(!refused.header("retry-after").is_empty());
    assert_eq!(service.get(&format!("{ORDERS}/{number}")).await.status, 404);
    let sent = |id: u32| service.vms.received().iter().filter(|request| request.id == id.to_string()).count();
    assert_eq!(sent(number), 0, "nothing is sent that is not recorded");
    service.get("/readyz").await.is_problem(503, "ledger-unavailable");
    disk.free();
    assert_eq!(service.get("/readyz").await.status, 200);
    assert_eq!(service.send(&cart(number)).await.status, 201);
    for id in 2..number {
        service.clock.advance(Duration::from_secs(10));
        service.until(&id.to_string(), "created").await;
        assert_eq!(sent(id), 1, "cart {id}");
    }
    assert_eq!(service.vms.orders().len(), number as usize);
}
