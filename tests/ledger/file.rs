//! The SQLite file as the file system has it: one service a file by whatever path it comes, changes that are lost, files
//! that are taken away under an open ledger, backups.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use purchase_order_webhook::ledger::sqlite::{SqliteLedger, back_up};
use purchase_order_webhook::ledger::{Filter, Ledger};
use purchase_order_webhook::order::{Admission, OrderId, Resolution};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::{GRACE, admitted, at, candidate};

/// Something mounted; unmounted with this handle.
struct Mounted(PathBuf);

impl Mounted {
    /// `None`, said loudly, where nothing may be mounted; on CI that is a failure.
    fn new(arguments: &[&str], on: &Path) -> Option<Self> {
        let done = Command::new("mount").args(arguments).arg(on).output();
        if done.as_ref().is_ok_and(|done| done.status.success()) {
            return Some(Self(on.to_owned()));
        }
        let text = format!("NOT RUN: nothing can be mounted, which needs root: {done:?}");
        assert!(std::env::vars().all(|(name, value)| name != "CI" || value != "true"), "{text}");
        eprintln!("{text}");
        None
    }

    fn bind(what: &Path, on: &Path) -> Option<Self> {
        Self::new(&["--bind", what.to_str().unwrap()], on)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// A folder for ledgers; `orders.db` is the usual one.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self) -> PathBuf {
        self.path("orders.db")
    }

    fn open(&self) -> SqliteLedger {
        SqliteLedger::open(&self.file()).unwrap()
    }

    /// Copies files as another process would: to open and close one here would end SQLite's locks on it.
    fn copy(&self, names: &[&str], to: &Path) {
        fs::create_dir_all(to).unwrap();
        for name in names {
            let done = Command::new("cp").arg(self.path(name)).arg(to).status().unwrap();
            assert!(done.success(), "{name}");
        }
    }

    /// The folder that a service leaves that was killed: its files are copied while it uses them.
    fn killed(&self) -> Self {
        let copy = Self::new();
        self.copy(&["orders.db", "orders.db-wal", "orders.db.lock"], copy.0.path());
        copy
    }

    fn remove(&self, names: &[&str]) {
        for name in names {
            fs::remove_file(self.path(name)).unwrap();
        }
    }
}

#[track_caller]
fn refusal(path: &Path) -> String {
    let error = SqliteLedger::open(path).unwrap_err().to_string();
    assert!(error.contains("ledger.url: ") && error.contains(path.to_str().unwrap()), "{error}");
    error
}

async fn ids(ledger: &SqliteLedger) -> Vec<String> {
    let orders = ledger.list(Filter { limit: 200, ..Filter::default() }).await.unwrap();
    orders.iter().map(|order| order.id.to_string()).collect()
}

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

#[tokio::test]
async fn a_file_that_can_not_be_a_ledger_is_refused_with_the_reason() {
    let made = |name: &str| {
        let folder = Folder::new();
        drop(folder.open());
        let other = folder.path("other");
        let run = |program: &str, path: PathBuf| assert!(Command::new(program).arg(path).status().unwrap().success());
        let kept = match name {
            "a folder" => {
                folder.remove(&["orders.db"]);
                fs::create_dir(folder.file()).unwrap();
                None
            }
            "a named pipe" => {
                folder.remove(&["orders.db"]);
                run("mkfifo", folder.file());
                None
            }
            "a loop of links" => {
                folder.remove(&["orders.db"]);
                symlink("orders.db", folder.file()).unwrap();
                None
            }
            "hard links" => {
                fs::hard_link(folder.file(), &other).unwrap();
                None
            }
            "a hard link of the log" => {
                fs::write(folder.path("orders.db-wal"), "").unwrap();
                fs::hard_link(folder.path("orders.db-wal"), &other).unwrap();
                None
            }
            "a log that is a link" => {
                symlink(&other, folder.path("orders.db-wal")).unwrap();
                None
            }
            "an index that is a folder" => {
                fs::create_dir(folder.path("orders.db-shm")).unwrap();
                None
            }
            "a lock that is a folder" => {
                folder.remove(&["orders.db.lock"]);
                fs::create_dir(folder.path("orders.db.lock")).unwrap();
                None
            }
            "text" => {
                fs::write(folder.file(), "no database").unwrap();
                None
            }
            "another program's database" => {
                folder.remove(&["orders.db"]);
                Connection::open(folder.file()).unwrap().execute_batch("CREATE TABLE songs (title)").unwrap();
                None
            }
            "a file that is mounted alone" => {
                fs::write(&other, "").unwrap();
                Some(Mounted::bind(&other, &folder.file()))
            }
            "a log that is mounted alone" => {
                fs::write(&other, "").unwrap();
                fs::write(folder.path("orders.db-wal"), "").unwrap();
                Some(Mounted::bind(&other, &folder.path("orders.db-wal")))
            }
            other => panic!("{other}"),
        };
        (folder, kept)
    };
    for (name, reason) in [
        ("a folder", "it is a folder; expected a file"),
        ("a named pipe", "it is a named pipe; expected a file"),
        ("a loop of links", "links lead from one to the next"),
        ("hard links", "has 2 names (hard links)"),
        ("a hard link of the log", "orders.db-wal: the file has 2 names (hard links)"),
        ("a log that is a link", "orders.db-wal: it is a link; expected a file"),
        ("an index that is a folder", "orders.db-shm: it is a folder; expected a file"),
        ("a lock that is a folder", "orders.db.lock: Is a directory"),
        ("text", "not a database"),
        ("another program's database", "the database of another program"),
        ("a file that is mounted alone", "the file is mounted alone"),
        ("a log that is mounted alone", "orders.db-wal: the file is mounted alone"),
    ] {
        let (folder, kept) = made(name);
        if matches!(kept, Some(None)) {
            continue;
        }
        let error = refusal(&folder.file());
        assert!(error.contains(reason), "{name}: {error}");
    }
}

#[tokio::test]
async fn another_programs_database_is_left_as_it_is() {
    let folder = Folder::new();
    Connection::open(folder.file()).unwrap().execute_batch("CREATE TABLE songs (title)").unwrap();
    let before = fs::read(folder.file()).unwrap();
    refusal(&folder.file());
    assert_eq!(fs::read(folder.file()).unwrap(), before);
}

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
    let before = Folder::new();
    let ledger = before.open();
    admitted(&ledger, 1).await;
    let folder = before.killed();
    // SQLite's shell does this when it is left.
    Connection::open(folder.file()).unwrap().query_row("SELECT count(*) FROM orders", [], |_| Ok(())).unwrap();
    assert!(!folder.path("orders.db-wal").exists());
    assert_eq!(ids(&folder.open()).await, ["1"]);
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
    let put_back = || drop(fs::copy(folder.path("older/orders.db"), folder.file()).unwrap());
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
    assert!(error.contains("has accepted an earlier loss"), "{error}");
    SqliteLedger::open_restored(&folder.file(), Some(at(2))).unwrap();
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
    assert_eq!(ledger.purge(at(1_000), std::time::Duration::from_secs(1)).await.unwrap(), 2);
    let killed = folder.killed();
    assert_eq!(ids(&killed.open()).await, Vec::<String>::new());
    drop(ledger);
    folder.open();
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
    old.execute("ATTACH ?1 AS newer", [newer.file().to_str().unwrap()]).unwrap();
    old.execute_batch("INSERT INTO orders SELECT * FROM newer.orders; DETACH newer").unwrap();
    // As a kill leaves it: with its log.
    let killed = Folder::new();
    folder.copy(&["orders.db", "orders.db-wal"], killed.0.path());
    let ledger = killed.open();
    assert_eq!((ids(&ledger).await, ledger.restored_from()), (vec!["1".to_owned()], None));
    ledger.check().await.unwrap();
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
        // The write comes first: it looks however fresh the last look is.
        let refused = ledger.admit(candidate(2), at(2), GRACE).await.unwrap_err().to_string();
        assert!(refused.contains("expected the very file back in its place"), "{what}: {refused}");
        ledger.check().await.unwrap_err();
        ledger.find(&order.id).await.unwrap_err();
        ledger.list(Filter { limit: 1, ..Filter::default() }).await.unwrap_err();
        ledger.claim(at(9), 1).await.unwrap_err();
        ledger.next_due(at(9)).await.unwrap_err();
        back();
        ledger.check().await.unwrap();
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
    removed.admit(candidate(2), at(2), GRACE).await.unwrap_err();
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
    let destination = folder.path("backup.db");
    let (source, target) = (folder.file(), destination.clone());
    let made = tokio::task::spawn_blocking(move || back_up(&source, &target, at(7))).await.unwrap().unwrap();
    writer.await.unwrap();
    assert!(made.orders >= 1 && made.copied_at == at(7), "{made:?}");
    assert_eq!(made.bytes, fs::metadata(&destination).unwrap().len());
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
    let left: Vec<_> = fs::read_dir(folder.0.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
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
