//! The SQLite file itself; what every ledger promises is in `tests/ledger/suite.rs`.

use std::fs;

use super::*;

#[tokio::test]
async fn a_file_that_is_no_ledger_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orders.db");
    fs::write(&file, "no database, but some text that is long enough to be looked at by SQLite").unwrap();
    let error = SqliteLedger::open(&file).unwrap_err().to_string();
    assert!(error.contains("ledger.url: ") && error.contains("not a database"), "{error}");
}

#[test]
fn every_write_waits_for_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orders.db");
    fs::write(&file, "").unwrap();
    let connection = connect(&file).unwrap();
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(number("synchronous"), 2, "FULL");
    let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}
