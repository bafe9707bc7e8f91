//! `backup`: a whole copy of a SQLite ledger, while a service uses it.

use std::path::Path;

use super::failure::Failure;
use super::process::print;
use crate::clock::{Clock as _, SystemClock};
use crate::config::{self, Storage, environment};
use crate::ledger::sqlite::back_up;

/// Copies the ledger to a new file, and prints what is in it.
pub fn backup(file: Option<&Path>, destination: &Path) -> Result<(), Failure> {
    let settings = config::Ledger::load(file, &environment()).map_err(|mistakes| Failure::of_lines(mistakes.0))?;
    let Storage::Sqlite(source) = settings.storage else {
        return Err(Failure::new(
            "ledger.url: names a PostgreSQL database, which this command does not copy; expected a SQLite file. Use \
             pg_dump --format=custom, and see \"Backup and restore\" in docs/operations.md",
        ));
    };
    let copied_at = SystemClock.now();
    let backup =
        back_up(&source, destination, copied_at).map_err(|error| Failure::new(format!("no backup: {error}")))?;
    print(&format!(
        "{}: {} orders, {} bytes, whole; the ledger as of {}\n",
        destination.display(),
        backup.orders,
        backup.bytes,
        backup.copied_at
    ))
}
