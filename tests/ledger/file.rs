//! One service a SQLite file by whatever path it comes, and none while the file is not in its place.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use purchase_order_webhook::ledger::sqlite::{SqliteLedger, check_location};
use purchase_order_webhook::ledger::{Filter, Ledger};
use purchase_order_webhook::order::{OrderId, Terms};
use rusqlite::Connection;

use crate::folder::{Folder, Mounted, ids, refusal};
use crate::{GRACE, admitted, at, candidate};

#[tokio::test]
async fn a_file_has_one_ledger_by_whatever_path_it_comes() {
    let folder = Folder::new();
    fs::create_dir(folder.path("data")).unwrap();
    let file = folder.path("data/orders.db");
    let ledger = SqliteLedger::open(&file).unwrap();
    admitted(&ledger, 1).await;
    symlink(&file, folder.path("link.db")).unwrap();
    symlink("link.db", folder.path("link-to-link.db")).unwrap();
    symlink("data", folder.path("linked")).unwrap();
    fs::create_dir_all(folder.path("mounted")).unwrap();
    let mounted = Mounted::bind(&folder.path("data"), &folder.path("mounted"));
    let paths = ["data/orders.db", "data/../data/orders.db", "link.db", "link-to-link.db", "linked/orders.db"];
    let mut paths: Vec<_> = paths.iter().map(|path| folder.path(path)).collect();
    paths.extend(mounted.as_ref().map(|_| folder.path("mounted/orders.db")));
    for with_lock_file in ["with FILE.lock", "without it"] {
        for path in &paths {
            let error = refusal(path);
            assert!(error.contains("another process uses this ledger"), "{with_lock_file}, {path:?}: {error}");
        }
        let _ = fs::remove_file(folder.path("data/orders.db.lock"));
    }
    admitted(&ledger, 2).await;
    drop(ledger);
    // By a link it is the same ledger, with the same log.
    let ledger = SqliteLedger::open(&folder.path("link-to-link.db")).unwrap();
    assert_eq!(ids(&ledger).await, ["2", "1"]);
    assert!(folder.path("data/orders.db-wal").exists());
}

#[tokio::test]
async fn a_service_of_an_earlier_version_is_kept_out() {
    let folder = Folder::new();
    symlink("orders.db", folder.path("link.db")).unwrap();
    for path in ["orders.db", "link.db"] {
        // What it did: a lock beside the path of its settings.
        let lock = fs::File::create(folder.path(&format!("{path}.lock"))).unwrap();
        lock.lock().unwrap();
        let error = refusal(&folder.path(path));
        assert!(error.contains(&format!("{path}.lock: another process uses this ledger")), "{error}");
    }
    let ledger = SqliteLedger::open(&folder.path("link.db")).unwrap();
    for path in ["orders.db", "link.db"] {
        assert!(fs::File::create(folder.path(&format!("{path}.lock"))).unwrap().try_lock().is_err(), "{path}");
    }
    drop(ledger);
}

/// Makes of a closed ledger something that can't be one, and returns what is to be kept meanwhile; `None` where that needs
/// a mount, and nothing may be mounted.
fn spoil(folder: &Folder, what: &str) -> Option<Vec<Mounted>> {
    let other = folder.path("other");
    let companion = |ending: &str| folder.path(&format!("orders.db{ending}"));
    let replaced = || fs::remove_file(folder.file()).unwrap();
    match what {
        "a folder" => {
            replaced();
            fs::create_dir(folder.file()).unwrap();
        }
        "a named pipe" => {
            replaced();
            assert!(Command::new("mkfifo").arg(folder.file()).status().unwrap().success());
        }
        "a loop of links" => {
            replaced();
            symlink("orders.db", folder.file()).unwrap();
        }
        "another program's database" => {
            replaced();
            Connection::open(folder.file()).unwrap().execute_batch("CREATE TABLE songs (title)").unwrap();
        }
        "text" => fs::write(folder.file(), "no database").unwrap(),
        "hard links" => fs::hard_link(folder.file(), &other).unwrap(),
        "a hard link of the log" => {
            fs::write(companion("-wal"), "").unwrap();
            fs::hard_link(companion("-wal"), &other).unwrap();
        }
        "a log that is a link" => symlink(&other, companion("-wal")).unwrap(),
        "an index that is a folder" => fs::create_dir(companion("-shm")).unwrap(),
        "a lock that is a folder" => {
            fs::remove_file(companion(".lock")).unwrap();
            fs::create_dir(companion(".lock")).unwrap();
        }
        "a file that is mounted alone" | "a log that is mounted alone" => {
            let place = if what.contains("log") { companion("-wal") } else { folder.file() };
            fs::write(&other, "").unwrap();
            fs::OpenOptions::new().append(true).create(true).open(&place).unwrap();
            return Some(vec![Mounted::bind(&other, &place)?]);
        }
        other => panic!("{other}"),
    }
    Some(Vec::new())
}

#[tokio::test]
async fn a_file_that_can_not_be_a_ledger_is_refused_with_the_reason() {
    for (what, reason) in [
        ("a folder", "it is a folder; expected a file"),
        ("a named pipe", "it is a named pipe; expected a file"),
        ("a loop of links", "links lead from one to the next"),
        ("hard links", "has 2 names (hard links)"),
        ("a hard link of the log", "orders.db-wal: the file has 2 names (hard links)"),
        ("a log that is a link", "orders.db-wal: it is a link; expected a file"),
        ("an index that is a folder", "orders.db-shm: it is a folder; expected a file"),
        ("a lock that is a folder", "orders.db.lock: it is a folder; expected a file"),
        ("text", "not a database"),
        ("another program's database", "the database of another program"),
        ("a file that is mounted alone", "the file is mounted alone"),
        ("a log that is mounted alone", "orders.db-wal: the file is mounted alone"),
    ] {
        let folder = Folder::new();
        drop(folder.open());
        let Some(_mounted) = spoil(&folder, what) else { continue };
        let error = refusal(&folder.file());
        assert!(error.contains(reason), "{what}: {error}");
        // What `check` sees without opening the file.
        if !["text", "another program's database"].contains(&what) {
            assert_eq!(check_location(&folder.file()).unwrap_err().to_string(), error, "{what}");
        }
    }
    let folder = Folder::new();
    check_location(&folder.file()).unwrap();
    check_location(&folder.path("not/yet/there.db")).unwrap();
    let ledger = folder.open();
    check_location(&folder.file()).unwrap();
    drop(ledger);
}

#[tokio::test]
async fn another_programs_database_is_left_as_it_is() {
    let folder = Folder::new();
    Connection::open(folder.file()).unwrap().execute_batch("CREATE TABLE songs (title)").unwrap();
    let before = fs::read(folder.file()).unwrap();
    refusal(&folder.file());
    assert_eq!(fs::read(folder.file()).unwrap(), before);
}

/// Takes a part of an open ledger away, and returns how it comes back.
fn take_away(folder: &Folder, what: &str) -> Option<Box<dyn FnOnce()>> {
    let (place, away) = (folder.path("data"), folder.path("away"));
    let moved = |from: PathBuf, to: PathBuf| {
        fs::rename(&from, &to).unwrap();
        move || fs::rename(to, from).unwrap()
    };
    let named = |ending: &str| folder.path(&format!("data/orders.db{ending}"));
    Some(match what {
        "the file is renamed" => Box::new(moved(named(""), away)),
        "the log is renamed" => Box::new(moved(named("-wal"), away)),
        "the log's index is renamed" => Box::new(moved(named("-shm"), away)),
        "the folder is renamed" => Box::new(moved(place, away)),
        "a copy is in its place" => {
            let back = moved(named(""), away.clone());
            assert!(Command::new("cp").args([&away, &named("")]).status().unwrap().success());
            Box::new(back)
        }
        "a new folder is in its place" => {
            let back = moved(place.clone(), away);
            fs::create_dir(&place).unwrap();
            Box::new(move || {
                fs::remove_dir(&place).unwrap();
                back();
            })
        }
        "a link leads elsewhere" => {
            let link = folder.path("link.db");
            fs::remove_file(&link).unwrap();
            symlink("elsewhere.db", &link).unwrap();
            Box::new(move || {
                fs::remove_file(&link).unwrap();
                symlink("data/orders.db", &link).unwrap();
            })
        }
        "something is mounted there" => {
            let mounted = Mounted::new(&["-t", "tmpfs", "tmpfs"], &place)?;
            Box::new(move || drop(mounted))
        }
        other => panic!("{other}"),
    })
}

#[tokio::test]
async fn nothing_is_read_or_written_while_the_files_are_not_in_their_place() {
    for what in [
        "the file is renamed",
        "the log is renamed",
        "the log's index is renamed",
        "the folder is renamed",
        "a copy is in its place",
        "a new folder is in its place",
        "a link leads elsewhere",
        "something is mounted there",
    ] {
        let folder = Folder::new();
        fs::create_dir(folder.path("data")).unwrap();
        symlink("data/orders.db", folder.path("link.db")).unwrap();
        let ledger = SqliteLedger::open(&folder.path("link.db")).unwrap();
        let order = admitted(&ledger, 1).await;
        ledger.check().await.unwrap();
        let Some(back) = take_away(&folder, what) else { continue };
        // The write comes first: it looks however fresh the last look is, and is not made.
        let refused = ledger.admit(candidate(2), Terms::new(at(2), GRACE)).await.unwrap_err().to_string();
        assert!(refused.contains("expected the very file back in its place"), "{what}: {refused}");
        ledger.check().await.unwrap_err();
        ledger.find(&order.id).await.unwrap_err();
        ledger.list(Filter { limit: 1, ..Filter::default() }).await.unwrap_err();
        ledger.claim(at(9), 1).await.unwrap_err();
        ledger.next_due(at(9)).await.unwrap_err();
        back();
        ledger.check().await.unwrap();
        assert_eq!(ids(&ledger).await, ["1"], "{what}");
        assert_eq!(ledger.find(&order.id).await.unwrap(), Some(order));
        admitted(&ledger, 3).await;
        drop(ledger);
        let ledger = SqliteLedger::open(&folder.path("link.db")).unwrap();
        assert!(ledger.find(&OrderId::of("3")).await.unwrap().is_some(), "{what}");
    }
}

#[tokio::test]
async fn a_removed_ledger_takes_nothing_more_and_leaves_its_successor_alone() {
    let folder = Folder::new();
    let removed = folder.open();
    admitted(&removed, 1).await;
    folder.remove(&["orders.db", "orders.db-wal", "orders.db-shm", "orders.db.lock"]);
    removed.admit(candidate(2), Terms::new(at(2), GRACE)).await.unwrap_err();
    let successor = folder.open();
    admitted(&successor, 3).await;
    // SQLite removes the log by its name when the last connection is closed.
    drop(removed);
    assert!(folder.path("orders.db-wal").exists());
    admitted(&successor, 4).await;
    drop(successor);
    assert_eq!(ids(&folder.open()).await, ["4", "3"]);
}

#[tokio::test]
async fn a_log_that_was_taken_away_is_moved_into_the_file_at_the_stop() {
    for what in ["removed", "emptied by another name", "replaced by an older one", "renamed, and back after the stop"] {
        let folder = Folder::new();
        let ledger = folder.open();
        admitted(&ledger, 1).await;
        folder.copy(&["orders.db-wal"], &folder.path("older"));
        admitted(&ledger, 2).await;
        let (log, away, older) =
            (folder.path("orders.db-wal"), folder.path("away"), folder.path("older/orders.db-wal"));
        fs::rename(&log, &away).unwrap();
        match what {
            "emptied by another name" => fs::write(&log, "").unwrap(),
            "replaced by an older one" => fs::rename(&older, &log).unwrap(),
            _ => {}
        }
        ledger.admit(candidate(3), Terms::new(at(3), GRACE)).await.unwrap_err();
        drop(ledger);
        if what.starts_with("renamed") {
            fs::rename(&away, &log).unwrap();
        }
        for _ in 0..2 {
            assert_eq!(ids(&folder.open()).await, ["2", "1"], "{what}");
        }
    }
}

#[tokio::test]
async fn a_ledger_is_ready_only_while_it_can_be_written() {
    let folder = Folder::new();
    let ledger = folder.open();
    let other = Connection::open(folder.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = ledger.check().await.unwrap_err().to_string();
    assert!(error.contains("locked"), "{error}");
    other.execute_batch("COMMIT").unwrap();
    ledger.check().await.unwrap();
}

#[tokio::test]
async fn a_lock_file_of_somebody_else_is_refused_and_left_as_it_is() {
    let note = "{\"order\":\"1\",\"revision\":1}\n";
    let zeros = "\0".repeat(512);
    for (content, is_ours) in [
        ("", true),
        (zeros.as_str(), true),
        ("root:x:0:0:root:/root:/bin/sh\n", false),
        ("{\"order\":\"1\"}\n", false),
        (&format!("{note}more"), false),
        (&"important line\n".repeat(100), false),
        (&format!("{zeros}text"), false),
    ] {
        for beside_link in [false, true] {
            let folder = Folder::new();
            fs::create_dir(folder.path("links")).unwrap();
            let configured = if beside_link { folder.path("links/orders.db") } else { folder.file() };
            if beside_link {
                symlink(folder.file(), &configured).unwrap();
            }
            let lock = configured.with_file_name("orders.db.lock");
            fs::write(&lock, content).unwrap();
            let result = SqliteLedger::open(&configured);
            let case = format!("{content:?}, {beside_link}");
            assert_eq!(result.is_ok(), is_ours, "{case}");
            if let Err(error) = result {
                let error = error.to_string();
                assert!(error.contains("orders.db.lock: it is neither empty nor the note"), "{case}: {error}");
                assert_eq!(fs::read_to_string(&lock).unwrap(), content, "{case}");
            }
        }
    }
    // Nor through a link, whatever is there.
    let folder = Folder::new();
    let target = folder.path("target");
    fs::write(&target, "").unwrap();
    symlink(&target, folder.path("orders.db.lock")).unwrap();
    let error = refusal(&folder.file());
    assert!(error.contains("orders.db.lock: it is a link; expected a file"), "{error}");
    assert!(!folder.file().exists() && fs::read(&target).unwrap().is_empty());
}
