//! `unpack`: the orders of a SQLite ledger as plain text, for an earlier version and for `sqlite3`.

use std::path::Path;

use super::failure::Failure;
use super::process::print;
use crate::config::{self, Storage, environment};
use crate::ledger::sqlite::unpack_ledger;

/// Unpacks the ledger, which no service may use, and prints how many orders it had to.
pub fn unpack(file: Option<&Path>) -> Result<(), Failure> {
    let settings = config::Ledger::load(file, &environment()).map_err(|mistakes| Failure::of_lines(mistakes.0))?;
    let Storage::Sqlite(path) = settings.storage else {
        return Err(Failure::new(
            "ledger.url: names a PostgreSQL database, whose orders are plain text; expected a SQLite file",
        ));
    };
    let unpacked = unpack_ledger(&path).map_err(|error| Failure::new(error.to_string()))?;
    if !unpacked.damaged.is_empty() {
        return Err(Failure::new(format!(
            "{}: {} orders were unpacked; these are damaged, and stay packed: {}. See \"Upgrade and way back\" in docs/operations.md",
            path.display(),
            unpacked.orders,
            unpacked.damages()
        )));
    }
    print(&format!("{}: every order is plain text now; {} were packed\n", path.display(), unpacked.orders))
}
