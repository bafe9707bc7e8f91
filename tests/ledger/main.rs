//! Every ledger keeps its promises, on SQLite and on a real PostgreSQL. The relay is no part of these tests. They say NOT RUN
//! where PostgreSQL is not installed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../support/certificates.rs"]
mod certificates;
#[path = "../support/pgbouncer.rs"]
mod pgbouncer;
#[path = "../support/postgres.rs"]
mod postgres;
#[path = "../support/small_disk.rs"]
mod small_disk;

mod audit;
mod backup;
mod bodies;
mod carts;
mod database;
mod failover;
mod file;
mod first_attempts;
mod folder;
mod full_disk;
mod lists;
mod lost_changes;
mod neighbours;
mod open_orders;
mod outbox;
mod replicas;
mod suite;
mod unpacking;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use purchase_order_webhook::config::Settings;
use purchase_order_webhook::ledger::kept_carts::KeptCarts;
use purchase_order_webhook::ledger::postgres::{PostgresLedger, UrlSource};
use purchase_order_webhook::ledger::sqlite::{SqliteLedger, unpack_ledger};
use purchase_order_webhook::ledger::{Ledger, LedgerError};
use purchase_order_webhook::order::retry::RetryPolicy;
use purchase_order_webhook::order::{Admission, Candidate, Order, OrderId, PropagatedHeaders, Requester, Terms};
use purchase_order_webhook::postgres_url::{PostgresUrl, Variables};
use serde_json::json;
use tempfile::TempDir;

use postgres::Postgres;

/// A lease that outlasts any test.
const LONG: Duration = Duration::from_hours(1);

/// The storage of a ledger: a file in a folder, or a database.
enum Storage<'a> {
    Folder(TempDir),
    Database { server: &'a Postgres, name: String, url: String },
}

impl Storage<'_> {
    fn folder() -> Self {
        Self::Folder(tempfile::tempdir().unwrap())
    }

    fn file(folder: &TempDir) -> PathBuf {
        folder.path().join("deep/orders.db")
    }

    async fn try_open(&self) -> Result<Box<dyn Ledger>, LedgerError> {
        Ok(match self {
            Self::Folder(folder) => Box::new(SqliteLedger::open(&Self::file(folder))?),
            Self::Database { url, .. } => Box::new(PostgresLedger::open(url_of(url), LONG).await?),
        })
    }

    /// The carts that are kept in it, read as a rehearsal reads them.
    async fn kept_carts(&self) -> Result<KeptCarts, LedgerError> {
        match self {
            Self::Folder(folder) => KeptCarts::in_file(&Self::file(folder)),
            Self::Database { url, .. } => KeptCarts::in_database(url_of(url)).await,
        }
    }

    async fn open(&self) -> Box<dyn Ledger> {
        self.try_open().await.unwrap()
    }

    /// Takes its schema back to a version, as docs/operations.md says.
    fn take_back(&self, version: u32) {
        match self {
            Self::Folder(folder) => take_file_back(&Self::file(folder), version),
            Self::Database { .. } => self.run_sql(&way_back(false, version)),
        }
    }

    /// Makes its records such that statements can change them.
    fn unpack(&self) {
        if let Self::Folder(folder) = self {
            unpack_ledger(&Self::file(folder)).unwrap();
        }
    }

    /// Changes the storage behind the ledger's back.
    fn run_sql(&self, sql: &str) {
        match self {
            Self::Folder(folder) => {
                rusqlite::Connection::open(Self::file(folder)).unwrap().execute_batch(sql).unwrap();
            }
            Self::Database { server, name, .. } => drop(server.run_sql(name, sql)),
        }
    }
}

/// Takes a file's schema back to a version, as docs/operations.md says.
fn take_file_back(file: &Path, version: u32) {
    unpack_ledger(file).unwrap();
    rusqlite::Connection::open(file).unwrap().execute_batch(&way_back(true, version)).unwrap();
}

/// The statements of docs/operations.md that take the newest schema back to a version.
fn way_back(is_file: bool, to: u32) -> String {
    let product = if is_file { "SQLite" } else { "PostgreSQL" };
    let document = include_str!("../../docs/operations.md");
    let steps = document.split("\n-- ").filter_map(|step| step.strip_prefix(product)?.strip_prefix(", "));
    let steps = steps.filter_map(|step| {
        let (versions, statements) = step.split_once('\n')?;
        let (_, version) = versions.split_once(" to ")?;
        (version.parse::<u32>().unwrap() >= to).then(|| statements.split("```").next().unwrap().to_owned())
    });
    steps.collect()
}

impl Postgres {
    fn storage(&self, name: &str) -> Storage<'_> {
        Storage::Database { server: self, name: name.to_owned(), url: self.database(name) }
    }
}

fn url_of(url: &str) -> UrlSource {
    let url = url.to_owned();
    Arc::new(move || parsed(&url))
}

/// Waits for readiness: an answer is valid for a second.
async fn until_ready(ledger: &dyn Ledger, ready: bool) {
    for _ in 0..200 {
        if ledger.check().await.is_ok() == ready {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("readiness never became {ready}");
}

fn parsed(url: &str) -> Result<PostgresUrl, String> {
    PostgresUrl::parse(url, &Variables::default()).map_err(|mistakes| mistakes.join("; "))
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

/// The grace of the default policy.
const GRACE: Duration = Duration::from_secs(30);

/// The default policy, without jitter.
fn policy() -> RetryPolicy {
    let example = include_str!("../../config.example.toml");
    RetryPolicy { jitter: 0.0, ..Settings::parse("example", example, &BTreeMap::new()).unwrap().retry }
}

fn candidate(number: usize) -> Candidate {
    Candidate {
        id: OrderId::of(&number.to_string()),
        cart_number: format!("{number:010}"),
        fingerprint: "f".into(),
        body: json!({ "externalId": number }).to_string(),
        mapping_version: "v".into(),
        warnings: Vec::new(),
        propagated_headers: PropagatedHeaders::default(),
        requester: Requester::default(),
        cart: None,
    }
}

async fn admitted(ledger: &dyn Ledger, number: usize) -> Order {
    match ledger.admit(candidate(number), Terms::new(at(i64::try_from(number).unwrap()), GRACE)).await.unwrap() {
        Admission::Started(order) => order,
        other => panic!("{other:?}"),
    }
}

async fn claimed(ledger: &dyn Ledger, now: i64) -> Vec<String> {
    ledger.claim(at(now), 100).await.unwrap().into_iter().map(|order| order.id.to_string()).collect()
}
