//! A SQLite ledger that has lost changes is refused, and no other one is.

use std::fs;
use std::path::Path;
use std::time::Duration;

use purchase_order_webhook::ledger::Ledger;
use purchase_order_webhook::ledger::sqlite::{SqliteLedger, back_up, probe};
use purchase_order_webhook::order::{Admission, Candidate, OrderId, Resolution, Terms};
use rusqlite::Connection;

use crate::folder::{Folder, ids, refusal};
use crate::{GRACE, admitted, at, candidate, take_file_back};

/// A file, as it is carried to the next start: whole, not at all, empty, or its first half.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Part {
    Whole,
    Gone,
    Empty,
    Half,
}

fn carry(path: &Path, part: Part) {
    match part {
        Part::Whole => {}
        Part::Gone => fs::remove_file(path).unwrap(),
        Part::Empty => fs::write(path, "").unwrap(),
        Part::Half => {
            let file = fs::OpenOptions::new().write(true).open(path).unwrap();
            file.set_len(file.metadata().unwrap().len() / 2).unwrap();
        }
    }
}

#[tokio::test]
async fn a_file_that_is_cut_off_is_refused_before_anything_is_read_of_it() {
    for missing in [1, 4_096, 5_000] {
        let folder = Folder::new();
        let ledger = folder.open();
        for number in 1..10 {
            admitted(&ledger, number).await;
        }
        drop(ledger);
        let whole = fs::read(folder.file()).unwrap();
        fs::write(folder.file(), &whole[..whole.len() - missing]).unwrap();
        let copied = back_up(&folder.file(), &folder.path("copy.db"), at(0)).unwrap_err().to_string();
        for found in [refusal(&folder.file()), probe(&folder.file()).unwrap_err(), copied] {
            assert!(
                found.contains(&format!("cut off: it has {} of {} bytes", whole.len() - missing, whole.len())),
                "{found}"
            );
        }
        // A log may have the end, and a journal the length before a change that was not completed.
        for ending in ["-wal", "-journal"] {
            let companion = folder.path(&format!("orders.db{ending}"));
            fs::write(&companion, "not empty").unwrap();
            let found = probe(&folder.file()).unwrap_or_else(|problem| problem);
            assert!(!found.contains("cut off"), "{ending}: {found}");
            fs::remove_file(companion).unwrap();
        }
        fs::write(folder.file(), &whole).unwrap();
        assert!(probe(&folder.file()).is_ok());
        assert_eq!(ids(&folder.open()).await.len(), 9);
    }
}

#[tokio::test]
async fn lost_changes_are_noticed_after_a_kill() {
    use Part::{Empty, Gone, Half, Whole};
    let lost_log = "ended without a clean stop, and its write-ahead log, FILE-wal, is gone";
    let lacks = "it lacks changes that were made, the last of them revision 1 of the order 9";
    for (file, log, lock, refused) in [
        (Whole, Whole, Whole, None),
        (Whole, Whole, Gone, None),
        (Whole, Whole, Empty, None),
        (Whole, Gone, Whole, Some(lacks)),
        (Whole, Empty, Whole, Some(lacks)),
        (Whole, Half, Whole, Some(lacks)),
        (Whole, Gone, Gone, Some(lost_log)),
        (Whole, Empty, Empty, Some(lost_log)),
        (Gone, Whole, Gone, Some("the file is missing or empty, but its write-ahead log")),
        (Empty, Whole, Whole, Some("the file is missing or empty, but its write-ahead log")),
        (Gone, Gone, Whole, Some(lacks)),
    ] {
        let before = Folder::new();
        let ledger = before.open();
        for number in 1..10 {
            admitted(&ledger, number).await;
        }
        let folder = before.killed();
        for (name, part) in [("orders.db", file), ("orders.db-wal", log), ("orders.db.lock", lock)] {
            carry(&folder.path(name), part);
        }
        let case = format!("file {file:?}, log {log:?}, lock {lock:?}");
        match refused {
            None => assert_eq!(ids(&folder.open()).await.len(), 9, "{case}"),
            Some(reason) => {
                // It does not become right by being tried again.
                for _ in 0..2 {
                    let error = refusal(&folder.file());
                    assert!(error.contains(reason), "{case}: {error}");
                }
                // The doctor sees what shows without reading a log, and leaves everything as it is.
                if fs::metadata(folder.path("orders.db-wal")).map_or(0, |log| log.len()) == 0 || file != Whole {
                    let found = probe(&folder.file()).unwrap_err();
                    assert!(found.contains(reason) || found.contains("FILE.lock names the last"), "{case}: {found}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_copy_of_the_live_file_alone_has_its_tables_and_is_no_ledger() {
    let folder = Folder::new();
    let ledger = folder.open();
    admitted(&ledger, 1).await;
    folder.copy(&["orders.db"], &folder.path("copy"));
    let error = refusal(&folder.path("copy/orders.db"));
    assert!(error.contains("its write-ahead log, FILE-wal, is gone with the last changes; it has no order"), "{error}");
    let copy = Connection::open(folder.path("copy/orders.db")).unwrap();
    assert_eq!(copy.query_row("SELECT count(*) FROM orders", [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

#[tokio::test]
async fn what_a_tool_moved_out_of_the_log_is_not_lost() {
    for orders in 0..3_usize {
        let before = Folder::new();
        let ledger = before.open();
        for number in 1..=orders {
            admitted(&ledger, number).await;
        }
        let mut folder = before.killed();
        for start in 0..3 {
            // SQLite's shell does this when it is left.
            Connection::open(folder.file()).unwrap().query_row("SELECT count(*) FROM orders", [], |_| Ok(())).unwrap();
            assert!(!folder.path("orders.db-wal").exists());
            let ledger = folder.open();
            assert_eq!(ids(&ledger).await.len(), orders, "start {start}");
            // Killed again, with nothing written.
            folder = folder.killed();
        }
    }
}

#[tokio::test]
async fn a_closed_ledger_is_whole_in_its_one_file() {
    let folder = Folder::new();
    let ledger = folder.open();
    admitted(&ledger, 1).await;
    drop(ledger);
    assert!(!folder.path("orders.db-wal").exists());
    folder.copy(&["orders.db"], &folder.path("copy"));
    let copy = SqliteLedger::open(&folder.path("copy/orders.db")).unwrap();
    assert_eq!((ids(&copy).await, copy.restored_from()), (vec!["1".to_owned()], None));
}

#[tokio::test]
async fn an_older_ledger_that_is_put_back_is_refused_until_the_setting_says_so() {
    let folder = Folder::new();
    let ledger = folder.open();
    admitted(&ledger, 1).await;
    drop(ledger);
    folder.copy(&["orders.db"], &folder.path("older"));
    let put_back = || assert!(fs::copy(folder.path("older/orders.db"), folder.file()).unwrap() > 0);
    let ledger = folder.open();
    admitted(&ledger, 2).await;
    drop(ledger);
    put_back();
    let error = refusal(&folder.file());
    assert!(error.contains("revision 1 of the order 2") && error.contains("set ledger.restored_at"), "{error}");
    assert!(error.contains(&format!("its newest change is of {}", at(1))), "{error}");
    let ledger = SqliteLedger::open_restored(&folder.file(), Some(at(1))).unwrap();
    assert_eq!((ids(&ledger).await, ledger.restored_from()), (vec!["1".to_owned()], Some(at(1))));
    admitted(&ledger, 3).await;
    drop(ledger);
    // Known from now on, with the setting and without it.
    assert_eq!(folder.open().restored_from(), Some(at(1)));
    // The next loss is another one.
    put_back();
    let again = SqliteLedger::open_restored(&folder.file(), Some(at(1)));
    assert_eq!(again.unwrap().restored_from(), Some(at(1)), "this file has not been accepted before");
    let ledger = folder.open();
    admitted(&ledger, 4).await;
    drop(ledger);
    let shorter = Connection::open(folder.file()).unwrap();
    shorter.execute("DELETE FROM orders WHERE id = '4'", []).unwrap();
    drop(shorter);
    let error = SqliteLedger::open_restored(&folder.file(), Some(at(1))).unwrap_err().to_string();
    assert!(error.contains("which is known already"), "{error}");
    SqliteLedger::open_restored(&folder.file(), Some(at(2))).unwrap();
}

#[tokio::test]
async fn a_setting_that_stays_accepts_no_later_loss() {
    let folder = Folder::new();
    let ledger = folder.open();
    admitted(&ledger, 1).await;
    drop(ledger);
    // The first start with it loses nothing, and notes it.
    let ledger = SqliteLedger::open_restored(&folder.file(), Some(at(7))).unwrap();
    assert_eq!(ledger.restored_from(), Some(at(7)));
    admitted(&ledger, 2).await;
    drop(ledger);
    let shorter = Connection::open(folder.file()).unwrap();
    shorter.execute("DELETE FROM orders WHERE id = '2'", []).unwrap();
    drop(shorter);
    for setting in [None, Some(at(6)), Some(at(7))] {
        let error = SqliteLedger::open_restored(&folder.file(), setting).unwrap_err().to_string();
        assert!(error.contains(&format!("later than {}", at(7))), "{setting:?}: {error}");
    }
    assert_eq!(SqliteLedger::open_restored(&folder.file(), Some(at(8))).unwrap().restored_from(), Some(at(8)));
}

#[tokio::test]
async fn a_lock_file_that_was_removed_is_made_again_with_its_note() {
    let folder = Folder::new();
    let ledger = folder.open();
    admitted(&ledger, 1).await;
    folder.copy(&["orders.db", "orders.db-wal"], &folder.path("older"));
    fs::remove_file(folder.path("orders.db.lock")).unwrap();
    admitted(&ledger, 2).await;
    assert!(fs::read_to_string(folder.path("orders.db.lock")).unwrap().contains("\"2\""));
    drop(ledger);
    fs::copy(folder.path("older/orders.db"), folder.file()).unwrap();
    fs::copy(folder.path("older/orders.db-wal"), folder.path("orders.db-wal")).unwrap();
    let error = refusal(&folder.file());
    assert!(error.contains("revision 1 of the order 2"), "{error}");
}

#[tokio::test]
async fn a_purge_takes_the_last_write_without_being_a_loss() {
    let folder = Folder::new();
    let ledger = folder.open();
    for number in 1..=2 {
        let order = admitted(&ledger, number).await;
        let settled = order.resolve(&Resolution::Cancelled("not needed".into()), "me", at(5));
        ledger.store(settled.order().clone()).await.unwrap();
    }
    assert_eq!(ledger.purge(at(1_000), Duration::from_secs(1)).await.unwrap(), 2);
    let killed = folder.killed();
    assert_eq!(ids(&killed.open()).await, Vec::<String>::new());
    // What remains is noted instead.
    for number in 3..=4 {
        admitted(&ledger, number).await;
    }
    let settled = ledger.find(&OrderId::of("4")).await.unwrap().unwrap();
    let settled = settled.resolve(&Resolution::Cancelled("not needed".into()), "me", at(5)).order().clone();
    ledger.store(settled).await.unwrap();
    assert_eq!(ledger.purge(at(1_000), Duration::from_secs(1)).await.unwrap(), 1);
    let killed = folder.killed();
    killed.remove(&["orders.db-wal"]);
    let error = refusal(&killed.file());
    assert!(error.contains("the last of them revision 1 of the order 3"), "{error}");
}

#[tokio::test]
async fn the_note_of_a_loss_that_is_accepted_is_emptied_before_the_file_says_so() {
    let folder = Folder::new();
    let ledger = folder.open();
    admitted(&ledger, 1).await;
    drop(ledger);
    let note = || fs::read_to_string(folder.path("orders.db.lock")).unwrap();
    fs::write(folder.path("orders.db.lock"), "{\"order\":\"2\",\"revision\":1}\n").unwrap();
    let sql = |text: &str| Connection::open(folder.file()).unwrap().execute_batch(text).unwrap();
    sql("CREATE TRIGGER killed BEFORE UPDATE ON ledger_file BEGIN SELECT RAISE(ABORT, 'killed before it'); END");
    let error = SqliteLedger::open_restored(&folder.file(), Some(at(7))).unwrap_err().to_string();
    assert!(error.contains("killed before it") && !note().contains("order"), "{error}, {}", note());
    // Killed after it, and before the next note: the setting is known by then, and accepts no other loss.
    sql("DROP TRIGGER killed");
    let other = Connection::open(folder.file()).unwrap();
    let begun = format!("UPDATE ledger_file SET state = 'open', restored_at = {}", at(7).as_millisecond());
    other.execute_batch(&begun).unwrap();
    let killed = folder.killed();
    let ledger = SqliteLedger::open_restored(&killed.file(), Some(at(7))).unwrap();
    assert_eq!((ids(&ledger).await, ledger.restored_from()), (vec!["1".to_owned()], Some(at(7))));
    let note = fs::read_to_string(killed.path("orders.db.lock")).unwrap();
    assert!(note.starts_with("{\"order\":\"1\""), "{note}");
}

#[tokio::test]
async fn an_order_whose_id_has_no_room_in_the_note_leaves_the_note_before() {
    let long = Candidate { id: OrderId::of(&"x".repeat(600)), ..candidate(2) };
    for orders_before in [0, 1] {
        let folder = Folder::new();
        let ledger = folder.open();
        if orders_before > 0 {
            admitted(&ledger, 1).await;
        }
        let Admission::Started(order) = ledger.admit(long.clone(), Terms::new(at(2), GRACE)).await.unwrap() else {
            panic!()
        };
        let killed = folder.killed();
        assert_eq!(ids(&killed.open()).await.len(), orders_before + 1, "{orders_before}");
        let killed = folder.killed();
        killed.remove(&["orders.db-wal"]);
        let expected = ["its write-ahead log, FILE-wal, is gone", "revision 1 of the order 1"][orders_before];
        let error = refusal(&killed.file());
        assert!(error.contains(expected), "{orders_before}: {error}");
        // Purged, it is nowhere missed.
        let settled = order.resolve(&Resolution::Cancelled("not needed".into()), "me", at(5)).order().clone();
        ledger.store(settled).await.unwrap();
        assert_eq!(ledger.purge(at(1_000), Duration::from_secs(1)).await.unwrap(), 1);
        assert_eq!(ids(&folder.killed().open()).await.len(), orders_before, "{orders_before}");
    }
}

#[tokio::test]
async fn the_note_is_taken_back_before_a_purge_and_set_again_by_the_next_write() {
    let folder = Folder::new();
    let ledger = folder.open();
    let order = admitted(&ledger, 1).await;
    let settled = order.resolve(&Resolution::Cancelled("not needed".into()), "me", at(5)).order().clone();
    ledger.store(settled).await.unwrap();
    let note = || fs::read_to_string(folder.path("orders.db.lock")).unwrap();
    assert!(note().contains("\"1\""));
    // Its commit fails, after the removal itself went well.
    let pin = "CREATE TABLE pins (id TEXT REFERENCES orders (id) DEFERRABLE INITIALLY DEFERRED);
        INSERT INTO pins VALUES ('1')";
    Connection::open(folder.file()).unwrap().execute_batch(pin).unwrap();
    let error = ledger.purge(at(1_000), Duration::from_secs(1)).await.unwrap_err().to_string();
    assert!(error.contains("FOREIGN KEY"), "{error}");
    assert!(!note().contains("order"), "a kill at this moment must not show as a loss: {}", note());
    assert_eq!(ids(&folder.killed().open()).await, ["1"]);
    admitted(&ledger, 2).await;
    assert!(note().contains("\"2\""), "{}", note());
}

#[tokio::test]
async fn a_ledger_of_an_earlier_version_is_brought_up_to_date() {
    let folder = Folder::new();
    let old = Connection::open(folder.file()).unwrap();
    old.execute_batch(include_str!("../../src/ledger/sqlite/0001_orders.sql")).unwrap();
    old.execute_batch("PRAGMA journal_mode = WAL; PRAGMA user_version = 1").unwrap();
    let newer = Folder::new();
    let ledger = newer.open();
    admitted(&ledger, 1).await;
    drop(ledger);
    take_file_back(&newer.file(), 6);
    let columns = "id, cart_number, state, received_at, settled_at, next_attempt_at, record, revision";
    let copy = format!("INSERT INTO orders SELECT {columns} FROM newer.orders; DETACH newer");
    old.execute_batch(&format!("ATTACH '{}' AS newer; {copy}", newer.file().display())).unwrap();
    // As a kill leaves it: with its log.
    let killed = Folder::new();
    folder.copy(&["orders.db", "orders.db-wal"], killed.root());
    let ledger = killed.open();
    assert_eq!((ids(&ledger).await, ledger.restored_from()), (vec!["1".to_owned()], None));
    ledger.check().await.unwrap();
}

#[tokio::test]
async fn the_index_of_a_log_without_its_file_is_no_new_ledger() {
    let folder = Folder::new();
    fs::write(folder.path("orders.db-shm"), "").unwrap();
    let reason = "the index of its write-ahead log, FILE-shm, is there";
    assert!(refusal(&folder.file()).contains(reason));
    assert!(probe(&folder.file()).unwrap_err().contains(reason));
    folder.remove(&["orders.db-shm"]);
    folder.open();
}

#[tokio::test]
async fn the_doctor_sees_files_that_are_gone_beside_a_ledger_in_use() {
    for name in ["orders.db", "orders.db-wal", "orders.db-shm"] {
        let folder = Folder::new();
        let ledger = folder.open();
        admitted(&ledger, 1).await;
        let used = probe(&folder.file()).unwrap();
        assert!(used.contains("in use by process") && used.contains("/readyz says"), "{used}");
        fs::rename(folder.path(name), folder.path("away")).unwrap();
        let found = probe(&folder.file()).unwrap_err();
        assert!(found.contains("moved or removed"), "{name}: {found}");
        fs::rename(folder.path("away"), folder.path(name)).unwrap();
        admitted(&ledger, 2).await;
    }
}
