//! The carts that are kept with their orders, and whoever only reads them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use purchase_order_webhook::ledger::kept_carts::{CartCount, KeptCarts};
use purchase_order_webhook::ledger::sqlite::{SqliteLedger, back_up};
use purchase_order_webhook::ledger::{Ledger, LedgerError};
use purchase_order_webhook::order::{Admission, Candidate, Order, OrderId, Terms};

use crate::postgres::Postgres;
use crate::small_disk::SmallDisk;
use crate::suite::{concluded, created, rejected};
use crate::{GRACE, LONG, Storage, admitted, at, candidate, url_of};

/// A cart as no program would write it again: what is kept is what was received.
fn cart_text(number: usize) -> String {
    format!("{{ \"HEADER\":\r\n\t{{\"OBJECT_ID\": \"{number}\", \"NOTE\":\"Łódź \\u0000 💶 '\\\\\" }}}}")
}

fn with_cart(number: usize, text: &str) -> Candidate {
    Candidate { cart: Some(text.into()), ..candidate(number) }
}

async fn started(ledger: &dyn Ledger, candidate: Candidate) -> Order {
    match ledger.admit(candidate, Terms::new(at(1), GRACE)).await.unwrap() {
        Admission::Started(order) | Admission::Restarted(order) => order,
        other => panic!("{other:?}"),
    }
}

/// Every cart that is kept, by id.
async fn all(mut carts: KeptCarts) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    loop {
        let page = carts.next_page().await.unwrap();
        if page.is_empty() {
            return found;
        }
        for cart in page {
            assert!(found.insert(cart.id.to_string(), cart.text).is_none(), "{} comes twice", cart.id);
        }
    }
}

async fn kept(storage: &Storage<'_>) -> BTreeMap<String, String> {
    all(storage.kept_carts().await.unwrap()).await
}

async fn refusal(carts: Result<KeptCarts, LedgerError>) -> String {
    match carts {
        Err(error) => error.to_string(),
        Ok(mut carts) => match carts.count().await {
            Err(error) => error.to_string(),
            Ok(count) => panic!("{count:?}"),
        },
    }
}

pub async fn a_cart_is_kept_with_its_order_as_it_was_received(storage: &Storage<'_>) {
    let ledger = storage.open().await;
    admitted(&*ledger, 1).await;
    let order = started(&*ledger, with_cart(2, &cart_text(2))).await;
    let expected = BTreeMap::from([("2".to_owned(), cart_text(2))]);
    assert_eq!(kept(storage).await, expected, "also while the ledger is in use");
    // Neither a copy of the cart nor what becomes of the order changes it.
    let again = ledger.admit(with_cart(2, "{}"), Terms::new(at(2), GRACE)).await.unwrap();
    assert!(matches!(again, Admission::Joined(_)));
    concluded(&*ledger, order, created()).await;
    assert_eq!(kept(storage).await, expected);
    drop(ledger);
    assert_eq!(kept(storage).await, expected, "also while nobody uses the ledger");
    let ledger = storage.open().await;
    assert_eq!(kept(storage).await, expected, "after a restart");
    let counted = storage.kept_carts().await.unwrap().count().await.unwrap();
    assert_eq!(counted, CartCount { orders: 2, carts: 1 });
    assert_eq!(ledger.purge(at(1_000), Duration::from_secs(500)).await.unwrap(), 1);
    assert_eq!(kept(storage).await, BTreeMap::new(), "the retention removes it with its order");
}

pub async fn the_cart_that_is_kept_is_the_one_that_became_the_order(storage: &Storage<'_>) {
    let ledger = storage.open().await;
    let order = started(&*ledger, with_cart(1, "first")).await;
    let order = concluded(&*ledger, order, rejected()).await;
    // A person's replay sends the body that there is.
    let order = order.replay("a person", at(11), GRACE).unwrap();
    ledger.store(order.clone()).await.unwrap();
    assert_eq!(kept(storage).await["1"], "first");
    concluded(&*ledger, order, rejected()).await;
    let order = started(&*ledger, with_cart(1, "second")).await;
    assert_eq!(kept(storage).await["1"], "second");
    concluded(&*ledger, order, rejected()).await;
    // The setting is off by now.
    started(&*ledger, candidate(1)).await;
    assert_eq!(kept(storage).await, BTreeMap::new(), "the cart of another order is worse than none");
}

pub async fn a_cart_that_can_not_be_stored_is_not_admitted(storage: &Storage<'_>) {
    let ledger = storage.open().await;
    storage.run_sql(match storage {
        Storage::Folder(_) => {
            "CREATE TRIGGER no_cart BEFORE INSERT ON order_carts WHEN NEW.cart LIKE '%no%' BEGIN SELECT RAISE(ABORT, 'no'); END"
        }
        Storage::Database { .. } => "ALTER TABLE order_carts ADD CHECK (cart NOT LIKE '%no%')",
    });
    let result = ledger.admit(with_cart(1, "no"), Terms::new(at(1), GRACE)).await;
    assert!(matches!(result, Err(LedgerError::Unwritable(_))), "{result:?}");
    assert_eq!(ledger.find(&OrderId::of("1")).await.unwrap(), None, "both are one commit");
    started(&*ledger, with_cart(2, "yes")).await;
    assert_eq!(kept(storage).await.len(), 1);
}

pub async fn kept_carts_are_read_whole_page_by_page_while_others_come(storage: &Storage<'_>) {
    let ledger: Arc<dyn Ledger> = storage.open().await.into();
    let admit = async |numbers: std::ops::Range<usize>| {
        let calls: Vec<_> = numbers
            .map(|number| {
                let ledger = Arc::clone(&ledger);
                tokio::spawn(async move {
                    ledger.admit(with_cart(number, &cart_text(number)), Terms::new(at(0), GRACE)).await
                })
            })
            .collect();
        for call in calls {
            call.await.unwrap().unwrap();
        }
    };
    admit(1_000..1_300).await;
    let mut carts = storage.kept_carts().await.unwrap();
    assert_eq!(carts.count().await.unwrap(), CartCount { orders: 300, carts: 300 });
    let first = carts.next_page().await.unwrap();
    assert!(first.len() < 200, "a page is a part: {}", first.len());
    admit(0..200).await;
    let rest = all(carts).await;
    assert!(first.iter().all(|cart| !rest.contains_key(cart.id.as_str())), "no cart comes twice");
    let found = rest.keys().cloned().chain(first.iter().map(|cart| cart.id.to_string()));
    assert!(found.filter(|id| id.len() == 4).count() == 300, "none of those that were there is missing");
}

pub async fn a_ledger_of_another_schema_is_not_read(storage: &Storage<'_>) {
    drop(storage.open().await);
    storage.take_back(if matches!(storage, Storage::Folder(_)) { 3 } else { 1 });
    let text = refusal(storage.kept_carts().await).await;
    assert!(text.contains("which keeps no carts") && text.contains("ledger.keep_carts"), "{text}");
    // A start brings it up to date, with its orders.
    let ledger = storage.open().await;
    started(&*ledger, with_cart(1, "{}")).await;
    assert_eq!(kept(storage).await.len(), 1);
    drop(ledger);
    storage.run_sql(match storage {
        Storage::Folder(_) => "PRAGMA user_version = 99",
        Storage::Database { .. } => "INSERT INTO schema_version VALUES (99)",
    });
    let text = refusal(storage.kept_carts().await).await;
    assert!(text.contains("version 99") && text.contains("newer program"), "{text}");
}

/// Name and content of each file of a folder.
fn content(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.map(|file| (file.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(file).unwrap())).collect()
}

#[tokio::test]
async fn a_ledger_that_nobody_uses_is_read_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orders.db");
    let ledger = SqliteLedger::open(&file).unwrap();
    started(&ledger, with_cart(1, "{}")).await;
    let copy = folder.path().join("copy.db");
    back_up(&file, &copy, at(0)).unwrap();
    drop(ledger);
    let before = content(folder.path());
    for file in [&file, &copy] {
        assert_eq!(all(KeptCarts::in_file(file).unwrap()).await.len(), 1, "{}", file.display());
    }
    assert_eq!(content(folder.path()), before, "nothing is written, and no file is made beside it");
    // A service that starts meanwhile writes what the reader would not see.
    let mut carts = KeptCarts::in_file(&file).unwrap();
    let _ledger = SqliteLedger::open(&file).unwrap();
    let error = carts.next_page().await.unwrap_err().to_string();
    assert!(error.contains("a service has begun to use the ledger"), "{error}");
}

#[tokio::test]
async fn what_a_killed_service_leaves_is_read_with_its_log_and_starts_again() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = SqliteLedger::open(&folder.path().join("orders.db")).unwrap();
    started(&ledger, with_cart(1, "{}")).await;
    for files in
        [&["orders.db", "orders.db-wal", "orders.db-shm", "orders.db.lock"][..], &["orders.db", "orders.db-wal"]]
    {
        let killed = tempfile::tempdir().unwrap();
        for name in files {
            fs::copy(folder.path().join(name), killed.path().join(name)).unwrap();
        }
        let file = killed.path().join("orders.db");
        let (database, log) = (fs::read(&file).unwrap(), fs::read(killed.path().join("orders.db-wal")).unwrap());
        assert_eq!(all(KeptCarts::in_file(&file).unwrap()).await.len(), 1, "{files:?}");
        assert_eq!(fs::read(&file).unwrap(), database, "{files:?}");
        assert_eq!(fs::read(killed.path().join("orders.db-wal")).unwrap(), log, "{files:?}: the log stays");
        let ledger = SqliteLedger::open(&file).unwrap();
        assert!(ledger.find(&OrderId::of("1")).await.unwrap().is_some(), "{files:?}");
    }
}

#[tokio::test]
async fn a_ledger_where_nothing_can_be_written_is_read_or_refused_with_what_is_missing() {
    let Some(disk) = SmallDisk::mount("size=8m") else { return };
    let folder = tempfile::tempdir().unwrap();
    let ledger = SqliteLedger::open(&folder.path().join("orders.db")).unwrap();
    started(&ledger, with_cart(1, "{}")).await;
    let copy = |name: &str, files: &[&str]| {
        fs::create_dir(disk.path().join(name)).unwrap();
        for file in files {
            fs::copy(folder.path().join(file), disk.path().join(name).join(file)).unwrap();
        }
    };
    copy("whole", &["orders.db", "orders.db-wal", "orders.db-shm"]);
    copy("without-index", &["orders.db", "orders.db-wal"]);
    drop(ledger);
    copy("closed", &["orders.db"]);
    disk.make_read_only();
    for name in ["whole", "closed"] {
        let file = disk.path().join(name).join("orders.db");
        assert_eq!(all(KeptCarts::in_file(&file).unwrap()).await.len(), 1, "{name}");
    }
    let error = refusal(KeptCarts::in_file(&disk.path().join("without-index/orders.db"))).await;
    assert!(error.contains("FILE-wal is there without FILE-shm") && error.contains("backup"), "{error}");
}

#[tokio::test]
async fn what_is_no_ledger_is_refused_by_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.db");
    fs::write(&text, "no database at all").unwrap();
    let other = folder.path().join("other.db");
    rusqlite::Connection::open(&other).unwrap().execute_batch("CREATE TABLE x (y)").unwrap();
    for (file, expected) in [
        (folder.path().join("nowhere.db"), "there is no ledger; expected its file"),
        (folder.path().join("no/where.db"), "No such file or directory"),
        (folder.path().to_owned(), "expected a file"),
        (text, "file is not a database"),
        (other, "it is the database of another program"),
    ] {
        let error = refusal(KeptCarts::in_file(&file)).await;
        assert!(error.contains(expected) && error.contains(&file.display().to_string()), "{error}");
    }
    assert_eq!(content(folder.path()).len(), 2, "nothing is made");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_that_may_only_select_reads_the_carts_also_from_a_standby() {
    let Some(server) = Postgres::start() else { return };
    let storage = server.storage("orders");
    let ledger = storage.open().await;
    started(&*ledger, with_cart(1, &cart_text(1))).await;
    server.run_sql("orders", "CREATE ROLE analyst LOGIN");
    let Storage::Database { url, .. } = &storage else { panic!("a database") };
    let url = url.replace("postgres@", "analyst@");
    let refused = refusal(KeptCarts::in_database(url_of(&url)).await).await;
    assert!(refused.contains("expected a user with SELECT on orders, order_carts and schema_version"), "{refused}");
    server.run_sql("orders", "GRANT SELECT ON orders, order_carts, schema_version TO analyst");
    server.run_sql("orders", "ALTER ROLE analyst SET default_transaction_read_only = on");
    let expected = BTreeMap::from([("1".to_owned(), cart_text(1))]);
    assert_eq!(all(KeptCarts::in_database(url_of(&url)).await.unwrap()).await, expected);
    let empty = server.database("empty");
    let refused = refusal(KeptCarts::in_database(url_of(&empty)).await).await;
    assert!(refused.contains("holds no ledger"), "{refused}");
    drop(ledger);
    server.crash();
    server.restart_read_only();
    assert_eq!(all(KeptCarts::in_database(url_of(&url)).await.unwrap()).await, expected);
    let started = purchase_order_webhook::ledger::postgres::PostgresLedger::open(url_of(&url), LONG).await;
    assert!(started.is_err(), "a service needs the primary all the same");
}
