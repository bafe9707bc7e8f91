//! Backups of a SQLite ledger: whole or refused, and restored.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;

use purchase_order_webhook::ledger::sqlite::{SqliteLedger, back_up};
use purchase_order_webhook::ledger::{Filter, Ledger};
use purchase_order_webhook::order::Admission;

use crate::folder::{Folder, ids, refusal};
use crate::{GRACE, admitted, at, candidate};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_whole_while_orders_are_written() {
    let folder = Folder::new();
    let ledger = folder.open();
    admitted(&ledger, 1).await;
    let writer = tokio::spawn({
        let ledger = ledger.clone();
        async move {
            for number in 2..400 {
                admitted(&ledger, number).await;
            }
        }
    });
    fs::set_permissions(folder.file(), fs::Permissions::from_mode(0o600)).unwrap();
    let destination = folder.path("backup.db");
    let (source, target) = (folder.file(), destination.clone());
    let made = tokio::task::spawn_blocking(move || back_up(&source, &target, at(7))).await.unwrap().unwrap();
    writer.await.unwrap();
    assert!(made.orders >= 1 && made.copied_at == at(7), "{made:?}");
    let copied = fs::metadata(&destination).unwrap();
    assert_eq!((made.bytes, copied.mode() & 0o777), (copied.len(), 0o600), "who may read it");
    // The lock is still held, and the ledger goes on.
    assert!(refusal(&folder.file()).contains("another process uses this ledger"));
    admitted(&ledger, 500).await;
    drop(ledger);
    // Put back over the ledger, whose FILE.lock knows of later writes.
    fs::copy(&destination, folder.file()).unwrap();
    let restored = folder.open();
    assert_eq!(restored.restored_from(), Some(at(7)));
    assert_eq!(restored.list(Filter { limit: 1_000, ..Filter::default() }).await.unwrap().len() as u64, made.orders);
    assert!(matches!(restored.admit(candidate(1), at(9), GRACE).await.unwrap(), Admission::Joined(_)));
    admitted(&restored, 501).await;
    drop(restored);
    assert_eq!(folder.open().restored_from(), Some(at(7)), "it stays true");
}

#[tokio::test]
async fn a_backup_is_refused_rather_than_wrong() {
    let folder = Folder::new();
    let ledger = folder.open();
    admitted(&ledger, 1).await;
    let refused = |source: &Path, destination: &str| {
        let error = back_up(source, &folder.path(destination), at(0)).unwrap_err().to_string();
        assert!(!folder.path(destination).is_file() || destination == "orders.db", "{error}");
        error
    };
    assert!(refused(&folder.file(), "orders.db").contains("it exists already"));
    symlink("nowhere", folder.path("dangling")).unwrap();
    assert!(refused(&folder.file(), "dangling").contains("it exists already"));
    assert!(refused(&folder.file(), "no/folder/backup.db").contains("no/folder/backup.db"));
    assert!(refused(&folder.path("none.db"), "a.db").contains("there is no ledger"));
    let killed = folder.killed();
    killed.remove(&["orders.db-wal"]);
    assert!(refused(&killed.file(), "b.db").contains("it lacks changes"));
    fs::hard_link(killed.file(), killed.path("second.db")).unwrap();
    assert!(refused(&killed.file(), "c.db").contains("hard links"));
    let left: Vec<_> = fs::read_dir(folder.root()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("unfinished")), "{left:?}");
}

#[tokio::test]
async fn a_backup_of_a_stopped_ledger_leaves_its_log() {
    let before = Folder::new();
    let ledger = before.open();
    admitted(&ledger, 1).await;
    let killed = before.killed();
    let log = fs::read(killed.path("orders.db-wal")).unwrap();
    assert_eq!(back_up(&killed.file(), &killed.path("backup.db"), at(7)).unwrap().orders, 1);
    assert_eq!(fs::read(killed.path("orders.db-wal")).unwrap(), log);
    // And a service opens both.
    assert_eq!(ids(&killed.open()).await, ["1"]);
    assert_eq!(ids(&SqliteLedger::open(&killed.path("backup.db")).unwrap()).await, ["1"]);
}

#[tokio::test]
async fn a_backup_beside_the_log_of_the_ledger_before_is_refused() {
    let before = Folder::new();
    let ledger = before.open();
    admitted(&ledger, 1).await;
    back_up(&before.file(), &before.path("backup.db"), at(7)).unwrap();
    admitted(&ledger, 2).await;
    let killed = before.killed();
    fs::copy(before.path("backup.db"), killed.file()).unwrap();
    let error = refusal(&killed.file());
    assert!(error.contains("the write-ahead log of another file") && error.contains("move FILE-wal"), "{error}");
    killed.remove(&["orders.db-wal"]);
    let restored = killed.open();
    assert_eq!((ids(&restored).await, restored.restored_from()), (vec!["1".to_owned()], Some(at(7))));
}
