//! The opening of the ledger: a start waits for a database that may come, and not for one that only a person can bring.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};

use crate::clock::{Clock, after, between};
use crate::condition::Conditions;
use crate::config::{self, Database, Storage};
use crate::ledger::audit::AuditTrail;
use crate::ledger::outage_log::OutageLog;
use crate::ledger::outbox::{Outbox, Recipients};
use crate::ledger::postgres::{OpenError, PostgresLedger, UrlSource};
use crate::ledger::sqlite::{CLOCK_TOLERANCE, Restore, SqliteLedger};
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
    /// Its outbox.
    pub outbox: Arc<dyn Outbox>,
    /// Its audit trail.
    pub audit: Arc<dyn AuditTrail>,
    /// The backup from which it was restored, if it was: a file knows it itself, of a database only the setting says it.
    pub restored: Option<RestoredLedger>,
}

/// Opens the ledger that the settings name.
pub async fn open_ledger(
    settings: &config::Ledger,
    lease: Duration,
    clock: &Arc<dyn Clock>,
    recipients: Recipients,
    conditions: &Conditions,
) -> Result<OpenedLedger, LedgerError> {
    let now = clock.now();
    if let Some(problem) = future_restore(settings, now) {
        return Err(LedgerError::Unavailable(problem));
    }
    let restored_at = effective_restore(settings, now);
    let outages = |ledger| OutageLog::new(ledger, Arc::clone(clock), conditions.clone());
    Ok(match &settings.storage {
        Storage::Sqlite(path) => {
            let ledger = SqliteLedger::open_at(path, restored_at, now, recipients)?;
            let restored = ledger.restore().map(|restore| restored(restore, settings.retention));
            opened(ledger, outages, restored)
        }
        Storage::Postgres(database) => {
            let ledger = open_database(database, settings.start_timeout, lease, recipients).await?;
            let restore = restored_at.map(|from| Restore { from, accepted_at: None });
            opened(ledger, outages, restore.map(|restore| restored(restore, settings.retention)))
        }
    })
}

/// One storage is the ledger, its outbox and its audit trail.
fn opened<L: Ledger + Outbox + AuditTrail + 'static>(
    ledger: L,
    outages: impl FnOnce(Arc<dyn Ledger>) -> OutageLog,
    restored: Option<RestoredLedger>,
) -> OpenedLedger {
    let ledger = Arc::new(ledger);
    OpenedLedger {
        ledger: Arc::new(outages(Arc::<L>::clone(&ledger))),
        outbox: Arc::<L>::clone(&ledger),
        audit: ledger,
        restored,
    }
}

/// Carts may come again for as long as the lost ledger would have known them. It was in use until shortly before the start
/// that took the restore, whatever the backup's own time is.
fn restored(restore: Restore, retention: Duration) -> RestoredLedger {
    let in_use_for = restore.accepted_at.map_or(Duration::ZERO, |accepted_at| between(restore.from, accepted_at));
    RestoredLedger { backup: restore.from, matters_for: in_use_for.saturating_add(retention) }
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

/// Why a start would not take `ledger.restored_at`: nothing can be restored from a backup that is still to be made.
pub fn future_restore(settings: &config::Ledger, now: Timestamp) -> Option<String> {
    let future = settings.restored_at.filter(|backup| *backup > after(now, CLOCK_TOLERANCE))?;
    Some(format!(
        "ledger.restored_at: {future} is in the future, it is {now} now; expected the time of the backup, or of the loss"
    ))
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
async fn open_database(
    database: &Database,
    limit: Duration,
    lease: Duration,
    recipients: Recipients,
) -> Result<PostgresLedger, LedgerError> {
    let database = database.clone();
    let source: UrlSource = Arc::new(move || database.read());
    // A clock that steps must not prolong the wait.
    let start = Instant::now();
    let mut next_report = start;
    loop {
        let limit_of_try = limit.saturating_sub(start.elapsed()).max(MIN_TRY);
        let opening = PostgresLedger::open_with(Arc::clone(&source), lease, recipients.clone());
        let opened = timeout(limit_of_try, opening).await;
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
            keep_carts: crate::order::KeepCarts::Off,
        }
    }

    #[tokio::test]
    async fn a_restore_that_is_older_than_the_retention_is_ignored_and_said_so() {
        let lines = LogLines::default();
        let _guard = tracing::subscriber::set_default(lines.subscriber());
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
        for (hours, is_ignored) in [(0, false), (23, false), (24, true), (1_000, true)] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("orders.db");
            let settings = settings(&file, clock.now() - SignedDuration::from_hours(hours));
            let opened = open_ledger(&settings, Duration::ZERO, &clock, Recipients::default(), &Conditions::default())
                .await
                .unwrap();
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
            let result =
                open_ledger(&settings, Duration::ZERO, &clock, Recipients::default(), &Conditions::default()).await;
            assert_eq!(result.is_err(), is_ignored, "{hours} h");
        }
    }

    #[tokio::test]
    async fn a_restore_in_the_future_is_refused_by_name() {
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
        for (minutes, is_refused) in [(4, false), (6, true), (60 * 24 * 365, true)] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("orders.db");
            let settings = settings(&file, clock.now() + SignedDuration::from_mins(minutes));
            let error = open_ledger(&settings, Duration::ZERO, &clock, Recipients::default(), &Conditions::default())
                .await
                .err()
                .map(|error| error.reason());
            let says_so =
                error.is_some_and(|error| error.starts_with("ledger.restored_at: ") && error.contains("future"));
            assert_eq!(says_so, is_refused, "{minutes} min");
        }
    }

    #[tokio::test]
    async fn the_restore_of_an_old_backup_matters_from_its_first_start_on() {
        let clock = Arc::new(ManualClock::default());
        let folder = tempfile::tempdir().unwrap();
        let (file, copy) = (folder.path().join("orders.db"), folder.path().join("copy.db"));
        drop(SqliteLedger::open(&file).unwrap());
        crate::ledger::sqlite::back_up(&file, &copy, clock.now()).unwrap();
        let backup = clock.now();
        clock.advance(Duration::from_hours(100));
        let settings = config::Ledger { restored_at: None, ..settings(&copy, backup) };
        let shared: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
        for _ in 0..2 {
            let restored =
                open_ledger(&settings, Duration::ZERO, &shared, Recipients::default(), &Conditions::default())
                    .await
                    .unwrap()
                    .restored
                    .unwrap();
            assert_eq!((restored.backup, restored.matters_for), (backup, Duration::from_hours(124)));
            clock.advance(Duration::from_hours(1));
        }
    }
}
