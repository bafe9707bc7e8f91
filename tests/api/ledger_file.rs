//! The ledger's file under a running service: taken away, copied, and asked for by a second process.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use purchase_order_webhook::app::check_ledger_file;
use purchase_order_webhook::ledger::Ledger as _;
use purchase_order_webhook::ledger::sqlite::SqliteLedger;
use purchase_order_webhook::order::{OrderId, State};

use crate::support::{ORDERS, Service, cart, parsed};

/// A command ends by itself long before: one that serves when it should not must fail its test, not hang it.
const LONGEST_RUN: Duration = Duration::from_mins(1);

/// Runs the real binary with settings.
async fn run(folder: &Path, settings: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let config = folder.join("config.toml");
    fs::write(&config, settings).unwrap();
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_purchase-order-webhook"))
        .args(arguments)
        .arg("--config")
        .arg(config)
        .env_remove("PO_WEBHOOK_CONFIG")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(LONGEST_RUN, output).await;
    let Ok(Ok(Output { status, stdout, stderr })) = output else { panic!("{arguments:?} did not end: {output:?}") };
    (status.code(), String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned())
}

fn ledger_url(path: &Path) -> String {
    format!("ledger.url = {:?}\n", format!("sqlite:{}", path.display()))
}

#[tokio::test]
async fn removed_files_stop_all_sending_and_show() {
    let service = Service::start().await;
    assert_eq!(service.send(&cart(1)).await.status, 201);
    assert_eq!(service.get("/readyz").await.status, 200);
    for ending in ["", "-wal", "-shm", ".lock"] {
        fs::remove_file(format!("{}{ending}", service.ledger_file().display())).unwrap();
    }
    let before = service.vms.received().len();
    for number in [1, 2, 3] {
        service.send(&cart(number)).await.is_problem(503, "ledger-unavailable");
    }
    service.get("/readyz").await.is_problem(503, "ledger-unavailable");
    service.get(&format!("{ORDERS}/1")).await.is_problem(503, "ledger-unavailable");
    service.get(ORDERS).await.is_problem(503, "ledger-unavailable");
    assert_eq!(service.vms.received().len(), before, "nothing is sent");
}

#[tokio::test]
async fn a_file_that_is_moved_and_moved_back_loses_nothing() {
    let service = Service::start().await;
    assert_eq!(service.send(&cart(1)).await.status, 201);
    let away = service.folder.path().join("away.db");
    fs::rename(service.ledger_file(), &away).unwrap();
    service.send(&cart(2)).await.is_problem(503, "ledger-unavailable");
    service.get("/readyz").await.is_problem(503, "ledger-unavailable");
    fs::rename(&away, service.ledger_file()).unwrap();
    assert_eq!(service.get("/readyz").await.status, 200);
    for (number, status) in [(1, 200), (2, 201), (3, 201)] {
        let cart = cart(number);
        let mut answer = std::pin::pin!(service.send(&cart));
        // The relay asks the ledger again after a pause on the clock of the test.
        let answer = loop {
            tokio::select! {
                answer = &mut answer => break answer,
                () = tokio::time::sleep(Duration::from_millis(20)) => service.clock.advance(Duration::from_secs(1)),
            }
        };
        assert_eq!(answer.status, status, "{number}");
    }
    let service = service.restart().await;
    for number in 1..=3 {
        assert_eq!(service.send(&cart(number)).await.status, 200, "{number}");
    }
    assert_eq!(service.vms.orders().len(), 3);
}

#[tokio::test]
async fn a_second_process_does_not_start_on_the_same_file() {
    let service = Service::start().await;
    assert_eq!(service.send(&cart(1)).await.status, 201);
    let own = service.folder.path().join("second");
    fs::create_dir(&own).unwrap();
    let link = own.join("other-name.db");
    std::os::unix::fs::symlink(service.ledger_file(), &link).unwrap();
    fs::remove_file(format!("{}.lock", service.ledger_file().display())).unwrap();
    for path in [service.ledger_file(), link] {
        let settings = format!(
            "{}server.listen = \"127.0.0.1:0\"\nserver.management_listen = \"127.0.0.1:0\"\nauth.issuer = {:?}\n\
             auth.audience = \"x\"\ntarget.base_url = {:?}\ntarget.oauth2.token_url = {:?}\n\
             target.oauth2.client_id = \"x\"\ntarget.oauth2.client_secret = \"x\"\n",
            ledger_url(&path),
            service.issuer.url(),
            service.vms.url().as_str(),
            service.issuer.token_url().as_str(),
        );
        let (code, output) = run(&own, &settings, &["serve"]).await;
        assert_eq!(code, Some(1), "{output}");
        assert!(output.contains("ledger.url: ") && output.contains("another process uses this ledger"), "{output}");
    }
    assert_eq!(service.send(&cart(2)).await.status, 201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_is_restored_and_serves() {
    let service = Arc::new(Service::start().await);
    assert_eq!(service.send(&cart(1)).await.status, 201);
    let load = tokio::spawn({
        let service = Arc::clone(&service);
        async move {
            for number in 2..200 {
                assert_eq!(service.send(&cart(number)).await.status, 201, "{number}");
            }
        }
    });
    let own = service.folder.path().join("own");
    fs::create_dir(&own).unwrap();
    let copies = ["first.db", "second.db", "third.db"].map(|name| own.join(name));
    for copy in &copies {
        let settings = ledger_url(&service.ledger_file());
        let (code, output) = run(&own, &settings, &["backup", copy.to_str().unwrap()]).await;
        assert_eq!(code, Some(0), "{output}");
        assert!(output.contains(" orders, ") && output.contains("the ledger as of 20"), "{output}");
        let (code, output) = run(&own, &settings, &["backup", copy.to_str().unwrap()]).await;
        assert!(code == Some(1) && output.contains("it exists already"), "{output}");
    }
    load.await.unwrap();
    // The backups took neither SQLite's locks nor the service's.
    let second = SqliteLedger::open(&service.ledger_file()).unwrap_err().to_string();
    assert!(second.contains("another process uses this ledger"), "{second}");
    assert_eq!(service.send(&cart(200)).await.status, 201);
    let mut service = Arc::into_inner(service).unwrap();
    service.stop().await;
    // Another host: the newest backup alone.
    let [_, _, newest] = copies;
    let (issuer, vms) = (service.issuer.clone(), service.vms.clone());
    let folder = Arc::new(tempfile::tempdir().unwrap());
    fs::copy(newest, folder.path().join("orders.db")).unwrap();
    let restored = Service::start_beside(issuer, vms, folder, "").await;
    let again = restored.send(&cart(1)).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, "true"));
    // An unknown cart is looked up, and not before the grace of a service that may have ended just now.
    let unknown = cart(1_000);
    let (answer, ()) = tokio::join!(restored.send(&unknown), async {
        restored.until("1000", "accepted").await;
        restored.clock.advance(Duration::from_secs(31));
    });
    assert_eq!(answer.status, 201);
    let received = restored.vms.received();
    // Open orders of the backup are looked up at the same time.
    let of_unknown = received.iter().filter(|request| request.id == "1000").map(|request| request.method.as_str());
    assert_eq!(of_unknown.collect::<Vec<_>>(), ["GET", "POST"]);
    assert_eq!(restored.get("/readyz").await.status, 200);
}

#[tokio::test]
async fn a_stopped_service_leaves_its_ledger_in_one_file() {
    let mut service = Service::start().await;
    assert_eq!(service.send(&cart(1)).await.status, 201);
    service.stop().await;
    let folder = Arc::new(tempfile::tempdir().unwrap());
    fs::copy(service.ledger_file(), folder.path().join("orders.db")).unwrap();
    let moved = Service::start_beside(service.issuer.clone(), service.vms.clone(), folder, "").await;
    assert_eq!(moved.send(&cart(1)).await.status, 200);
}

#[tokio::test]
async fn check_sees_a_ledger_that_no_service_can_use() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("orders.db")).unwrap();
    let settings = parsed(&ledger_url(&folder.path().join("orders.db")));
    let mistake = check_ledger_file(&settings.ledger.storage).unwrap();
    assert!(mistake.contains("ledger.url: ") && mistake.contains("it is a folder"), "{mistake}");
}

#[tokio::test]
async fn a_backup_of_a_database_names_the_tool() {
    let folder = tempfile::tempdir().unwrap();
    let settings = "ledger.url = \"postgres://user:secret@127.0.0.1/orders\"\n";
    let (code, output) = run(folder.path(), settings, &["backup", "/nowhere/copy.db"]).await;
    assert!(code == Some(1) && output.contains("pg_dump") && !output.contains("secret"), "{output}");
}

#[tokio::test]
async fn removed_files_can_be_rescued_from_the_running_service() {
    let service = Service::start().await;
    assert_eq!(service.send(&cart(1)).await.status, 201);
    for ending in ["", "-wal", "-shm", ".lock"] {
        fs::remove_file(format!("{}{ending}", service.ledger_file().display())).unwrap();
    }
    // As docs/operations.md says.
    let rescued = service.folder.path().join("rescued");
    let script = "mkdir \"$2\"; for fd in /proc/$1/fd/*; do name=$(readlink \"$fd\"); case $name in \
        *'/orders.db (deleted)') cp \"$fd\" \"$2/orders.db\";; *'/orders.db-wal (deleted)') cp \"$fd\" \"$2/orders.db-wal\";; esac; done";
    let process = std::process::id().to_string();
    let done = Command::new("sh").args(["-c", script, "sh", &process]).arg(&rescued).status().unwrap();
    assert!(done.success());
    let ledger = SqliteLedger::open(&rescued.join("orders.db")).unwrap();
    assert_eq!(ledger.find(&OrderId::of("1")).await.unwrap().unwrap().state, State::Created);
}
