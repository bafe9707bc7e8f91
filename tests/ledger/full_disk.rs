//! A full disk below the database, here a tablespace on a small tmpfs: the ledger is not ready until there is room.

use std::path::PathBuf;
use std::process::Command;

use purchase_order_webhook::ledger::postgres::PostgresLedger;
use purchase_order_webhook::ledger::{Ledger, LedgerError};
use purchase_order_webhook::order::{Candidate, Terms};

use crate::small_disk::SmallDisk;
use crate::{GRACE, LONG, Postgres, admitted, at, candidate, until_ready, url_of};

/// A folder for the server's user.
fn tablespace(disk: &SmallDisk) -> PathBuf {
    let folder = disk.path().join("tablespace");
    std::fs::create_dir(&folder).unwrap();
    assert!(Command::new("chown").arg("postgres").arg(&folder).status().unwrap().success());
    folder
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_not_ready_until_there_is_room() {
    // An empty database takes 8 MiB.
    let Some(disk) = SmallDisk::mount("size=24m,mode=0777") else { return };
    let Some(server) = Postgres::start() else { return };
    let folder = tablespace(&disk);
    server.run_sql("postgres", &format!("CREATE TABLESPACE small LOCATION '{}'", folder.display()));
    server.run_sql("postgres", "CREATE DATABASE orders TABLESPACE small");
    let url = format!("postgres://postgres@127.0.0.1:{}/orders?sslmode=disable", server.port);
    let ledger = PostgresLedger::open(url_of(&url), LONG).await.unwrap();
    disk.fill();
    // Nothing was written yet: the first check makes a file.
    let error = ledger.check().await.unwrap_err();
    assert!(error.to_string().contains("No space left on device"), "{error}");
    disk.free();
    until_ready(&ledger, true).await;
    disk.fill();
    // Pages that are there take some more carts, until one needs a new page.
    let mut number = 0;
    let refused = loop {
        number += 1;
        let candidate = Candidate { body: "x".repeat(6_000), ..candidate(number) };
        if let Err(error) = ledger.admit(candidate, Terms::new(at(0), GRACE)).await {
            break error;
        }
    };
    assert!(matches!(refused, LedgerError::Unavailable(_)), "an outage, and no fault of the cart: {refused:?}");
    until_ready(&ledger, false).await;
    disk.free();
    until_ready(&ledger, true).await;
    admitted(&ledger, number).await;
}
