//! Backups of a SQLite ledger: whole or refused, and restored.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use purchase_order_webhook::ledger::sqlite::{SqliteLedger, back_up};
use purchase_order_webhook::ledger::{Filter, Ledger};
use purchase_order_webhook::order::{Admission, Terms};
use rusqlite::{Connection, params};

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
    assert!(matches!(restored.admit(candidate(1), Terms::new(at(9), GRACE)).await.unwrap(), Admission::Joined(_)));
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

/// An order that was asked for after a restore of that time.
async fn asked_since(ledger: &SqliteLedger, number: usize, restore: Option<Timestamp>) {
    let mut order = admitted(ledger, number).await;
    order.restored_from = restore;
    order.revision += 1;
    ledger.store(order).await.unwrap();
}

#[tokio::test]
async fn a_backup_that_is_put_back_is_a_restore_of_its_own_whatever_the_times_say() {
    // The setting before the backup, the backup's clock, the setting after it.
    for (before, backup, after) in [
        (None, at(7), None),
        (None, at(7), Some(at(3))),
        (None, at(7), Some(at(7))),
        (None, at(7), Some(at(9))),
        (Some(at(5)), at(7), Some(at(5))),
        (Some(at(5)), at(5), Some(at(5))),
        (Some(at(5)), at(3), Some(at(5))),
        (Some(at(5)), at(3), None),
        (Some(at(9)), at(3), Some(at(9))),
        (Some(at(9)), at(3), Some(at(10))),
    ] {
        let case = format!("{before:?}, {backup:?}, {after:?}");
        let folder = Folder::new();
        let ledger = SqliteLedger::open_restored(&folder.file(), before).unwrap();
        let known = ledger.restored_from();
        asked_since(&ledger, 1, known).await;
        let copy = folder.path("copy.db");
        back_up(&folder.file(), &copy, backup).unwrap();
        let restored_from = SqliteLedger::open_restored(&copy, after).unwrap().restored_from();
        assert!(restored_from.is_some() && restored_from != known, "{case}: {restored_from:?}");
        let again = SqliteLedger::open_restored(&copy, after).unwrap();
        assert_eq!(again.restored_from(), restored_from, "{case}: it is the same restore at the next start");
    }
}

#[tokio::test]
async fn a_setting_that_is_the_time_of_an_earlier_restore_is_another_restore() {
    let folder = Folder::new();
    let ledger = folder.open();
    back_up(&folder.file(), &folder.path("copy.db"), at(7)).unwrap();
    drop(ledger);
    let restored = SqliteLedger::open(&folder.path("copy.db")).unwrap();
    assert_eq!(restored.restored_from(), Some(at(7)));
    asked_since(&restored, 1, Some(at(7))).await;
    drop(restored);
    let again = SqliteLedger::open_restored(&folder.path("copy.db"), Some(at(7))).unwrap();
    assert_eq!(again.restored_from(), Some(at(7) + SignedDuration::from_millis(1)));
}

#[tokio::test]
async fn times_finer_than_a_millisecond_are_none_to_the_ledger() {
    let fine = at(7) + SignedDuration::from_nanos(123_456_789);
    let folder = Folder::new();
    let ledger = SqliteLedger::open_restored(&folder.file(), Some(fine)).unwrap();
    assert_eq!(ledger.restored_from(), Some(at(7) + SignedDuration::from_millis(123)));
    let backup = back_up(&folder.file(), &folder.path("copy.db"), fine).unwrap();
    assert_eq!(backup.copied_at, at(7) + SignedDuration::from_millis(123));
    drop(ledger);
    // Another loss, and the same setting.
    fs::write(folder.path("orders.db.lock"), "{\"order\":\"2\",\"revision\":1}\n").unwrap();
    let error = SqliteLedger::open_restored(&folder.file(), Some(fine)).unwrap_err().to_string();
    assert!(error.contains("which is known already"), "{error}");
}

#[tokio::test]
async fn a_file_that_took_a_restore_before_this_version_keeps_it() {
    for (copied_at, restored_at, expected) in [
        (None, None, None),
        (Some(5), None, Some(5)),
        (None, Some(6), Some(6)),
        (Some(5), Some(6), Some(6)),
        (Some(7), Some(6), Some(7)),
    ] {
        let folder = Folder::new();
        let old = Connection::open(folder.file()).unwrap();
        old.execute_batch(include_str!("../../src/ledger/sqlite/0001_orders.sql")).unwrap();
        old.execute_batch(include_str!("../../src/ledger/sqlite/0002_file.sql")).unwrap();
        let milliseconds = |at: Option<i64>| at.map(|seconds| seconds * 1_000);
        let query = "UPDATE ledger_file SET copied_at = ?1, restored_at = ?2";
        old.execute(query, params![milliseconds(copied_at), milliseconds(restored_at)]).unwrap();
        old.execute_batch("PRAGMA user_version = 2; PRAGMA journal_mode = WAL").unwrap();
        drop(old);
        let setting = restored_at.map(|at| Timestamp::from_second(at).unwrap());
        let ledger = SqliteLedger::open_restored(&folder.file(), setting).unwrap();
        let found = ledger.restored_from().map(Timestamp::as_second);
        assert_eq!(found, expected, "{copied_at:?}, {restored_at:?}");
    }
}
