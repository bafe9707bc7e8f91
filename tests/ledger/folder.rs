//! A folder with a SQLite ledger, as operators treat it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use purchase_order_webhook::ledger::sqlite::SqliteLedger;
use purchase_order_webhook::ledger::{Filter, Ledger};
use tempfile::TempDir;

/// Something mounted; unmounted with this handle.
pub struct Mounted(PathBuf);

impl Mounted {
    /// `None`, said loudly, where nothing may be mounted; on CI that is a failure.
    pub fn new(arguments: &[&str], on: &Path) -> Option<Self> {
        let done = Command::new("mount").args(arguments).arg(on).output();
        if done.as_ref().is_ok_and(|done| done.status.success()) {
            return Some(Self(on.to_owned()));
        }
        let text = format!("NOT RUN: nothing can be mounted, which needs root: {done:?}");
        assert!(std::env::vars().all(|(name, value)| name != "CI" || value != "true"), "{text}");
        eprintln!("{text}");
        None
    }

    pub fn bind(what: &Path, on: &Path) -> Option<Self> {
        Self::new(&["--bind", what.to_str().unwrap()], on)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// A folder for ledgers; `orders.db` is the usual one.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn root(&self) -> &Path {
        self.0.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn file(&self) -> PathBuf {
        self.path("orders.db")
    }

    pub fn open(&self) -> SqliteLedger {
        SqliteLedger::open(&self.file()).unwrap()
    }

    /// Copies files as another process would: to open and close one here would end SQLite's locks on it.
    pub fn copy(&self, names: &[&str], to: &Path) {
        fs::create_dir_all(to).unwrap();
        for name in names {
            let done = Command::new("cp").arg(self.path(name)).arg(to).status().unwrap();
            assert!(done.success(), "{name}");
        }
    }

    /// The folder that a service leaves that was killed: its files are copied while it uses them.
    pub fn killed(&self) -> Self {
        let copy = Self::new();
        self.copy(&["orders.db", "orders.db-wal", "orders.db.lock"], copy.0.path());
        copy
    }

    pub fn remove(&self, names: &[&str]) {
        for name in names {
            fs::remove_file(self.path(name)).unwrap();
        }
    }
}

/// Why the ledger at a path is not opened; the setting and the path are named.
#[track_caller]
pub fn refusal(path: &Path) -> String {
    let error = SqliteLedger::open(path).unwrap_err().to_string();
    assert!(error.contains("ledger.url: ") && error.contains(path.to_str().unwrap()), "{error}");
    error
}

/// The ids of all orders, newest first.
pub async fn ids(ledger: &SqliteLedger) -> Vec<String> {
    let orders = ledger.list(Filter { limit: 200, ..Filter::default() }).await.unwrap();
    orders.iter().map(|order| order.id.to_string()).collect()
}
