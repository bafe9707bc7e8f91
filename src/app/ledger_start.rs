//! The opening of the ledger: a start waits for a database that may come, and not for one that only a person can bring.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};

use crate::clock::{Clock, after};
use crate::config::{self, Database, Storage};
use crate::ledger::outage_log::OutageLog;
use crate::ledger::postgres::{OpenError, PostgresLedger, UrlSource};
use crate::ledger::sqlite::SqliteLedger;
use crate::ledger::{Ledger, LedgerError};
use crate::relay::RestoredLedger;

/// Pause between two tries: a database that starts takes some seconds.
const PAUSE: Duration = Duration::from_secs(1);

/// Least time for a try, however near the limit is: enough for several hosts, and for a schema that is up to date.
const MIN_TRY: Duration = Duration::from_secs(15);

/// Interval of the log lines while a start waits.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// An open ledger.
pub struct OpenedLedger {
    /// The ledger, with the log of its outages.
    pub ledger: Arc<dyn Ledger>,
    /// The backup from which it was restored, if it was: the later one of the setting's and the one that it knows itself.
    pub restored: Option<RestoredLedger>,
}

/// Opens the ledger that the settings name.
pub async fn open_ledger(
    settings: &config::Ledger,
    lease: Duration,
    clock: &Arc<dyn Clock>,
) -> Result<OpenedLedger, LedgerError> {
    let restored_at = effective_restore(settings, clock.now());
    let (ledger, restored_from): (Arc<dyn Ledger>, _) = match &settings.storage {
        Storage::Sqlite(path) => {
            let ledger = SqliteLedger::open_restored(path, restored_at)?;
            let restored_from = ledger.restored_from();
            (Arc::new(ledger), restored_from)
        }
        Storage::Postgres(database) => (Arc::new(open_database(database, settings.start_timeout, lease).await?), None),
    };
    let backup = restored_at.max(restored_from);
    Ok(OpenedLedger {
        ledger: Arc::new(OutageLog::new(ledger, Arc::clone(clock))),
        restored: backup.map(|backup| RestoredLedger { backup, matters_for: settings.retention }),
    })
}

/// Whether a restore of that time still matters. One that does not must not accept that changes are lost, because 11VMS would
/// be asked about no order.
fn is_effective(backup: Timestamp, retention: Duration, now: Timestamp) -> bool {
    after(backup, retention) > now
}

/// The setting, unless it has no effect any more, which is logged.
fn effective_restore(settings: &config::Ledger, now: Timestamp) -> Option<Timestamp> {
    let backup = settings.restored_at?;
    if is_effective(backup, settings.retention, now) {
        return Some(backup);
    }
    warn!(
        setting.name = "ledger.restored_at",
        ledger.restored_at = %backup,
        "the setting has no effect any more: it is older than ledger.retention; remove it"
    );
    None
}

/// What is to be said before a start of a `ledger.restored_at` that it would ignore.
pub fn ignored_restore(settings: &config::Ledger, now: Timestamp) -> Option<String> {
    let ignored = settings.restored_at.filter(|backup| !is_effective(*backup, settings.retention, now))?;
    Some(format!(
        "ledger.restored_at: {ignored} is longer ago than ledger.retention, and has no effect any more: a ledger that lacks \
         changes is refused all the same; expected the time of the last restore, or no such setting"
    ))
}

/// Tries until the database can be used, or the limit has passed, or only a person can help.
async fn open_database(database: &Database, limit: Duration, lease: Duration) -> Result<PostgresLedger, LedgerError> {
    let database = database.clone();
    let source: UrlSource = Arc::new(move || database.read());
    // A clock that steps must not prolong the wait.
    let start = Instant::now();
    let mut next_report = start;
    loop {
        let limit_of_try = limit.saturating_sub(start.elapsed()).max(MIN_TRY);
        let opened = timeout(limit_of_try, PostgresLedger::open(Arc::clone(&source), lease)).await;
        let problem = match opened.unwrap_or_else(|_| Err(OpenError::Transient(silent()))) {
            Ok(ledger) => {
                if next_report > start {
                    let waited = start.elapsed().as_secs_f64();
                    info!(outage.duration = waited, "the ledger's database can be used: the start goes on");
                }
                return Ok(ledger);
            }
            Err(OpenError::Permanent(error)) => return Err(named(&error, "")),
            Err(OpenError::Transient(error)) => error,
        };
        if start.elapsed() >= limit {
            let waited = format!("; waited for {} s (ledger.start_timeout)", limit.as_secs_f64());
            return Err(named(&problem, &waited));
        }
        if Instant::now() >= next_report {
            next_report = Instant::now() + REPORT_INTERVAL;
            warn!(
                setting.name = "ledger.url",
                error.message = %problem,
                "the ledger's database can't be used yet: the start waits, at most for ledger.start_timeout"
            );
        }
        sleep(PAUSE).await;
    }
}

/// The error of a database that neither refuses nor goes on.
fn silent() -> LedgerError {
    LedgerError::Unavailable("the database does not answer, or a change of its schema takes longer".to_owned())
}

/// The error with the setting that may be at fault.
fn named(error: &LedgerError, more: &str) -> LedgerError {
    LedgerError::Unavailable(format!("ledger.url: {}{more}", error.reason()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use jiff::SignedDuration;

    use super::*;
    use crate::clock::ManualClock;
    use crate::log_lines::LogLines;

    fn settings(file: &Path, restored_at: Timestamp) -> config::Ledger {
        config::Ledger {
            storage: Storage::Sqlite(file.to_owned()),
            retention: Duration::from_hours(24),
            restored_at: Some(restored_at),
            start_timeout: Duration::ZERO,
        }
    }

    #[tokio::test]
    async fn a_restore_that_is_older_than_the_retention_is_ignored_and_said_so() {
        let lines = LogLines::default();
        let _guard = tracing::subscriber::set_default(lines.subscriber());
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
        for (hours, is_ignored) in [(-1, false), (23, false), (24, true), (1_000, true)] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("orders.db");
            let settings = settings(&file, clock.now() - SignedDuration::from_hours(hours));
            let opened = open_ledger(&settings, Duration::ZERO, &clock).await.unwrap();
            assert_eq!(opened.restored.is_none(), is_ignored, "{hours} h");
            let log = lines.take();
            let says_so = log.contains("WARN") && log.contains("the setting has no effect any more");
            assert_eq!(says_so, is_ignored, "{hours} h: {log}");
            let text = ignored_restore(&settings, clock.now());
            assert_eq!(text.is_some_and(|text| text.starts_with("ledger.restored_at: ")), is_ignored, "{hours} h");
            // Nor does it accept that changes are lost.
            let folder = tempfile::tempdir().unwrap();
            let lost = folder.path().join("orders.db");
            std::fs::write(folder.path().join("orders.db.lock"), r#"{"order":"4711","revision":1}"#).unwrap();
            let settings = config::Ledger { storage: Storage::Sqlite(lost), ..settings };
            let result = open_ledger(&settings, Duration::ZERO, &clock).await;
            assert_eq!(result.is_err(), is_ignored, "{hours} h");
        }
    }
}
