//! Whether the database can write: asked by writing, at most once a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::failure::no_answer;
use super::readers::Readers;
use crate::ledger::LedgerError;

/// Time for which an answer is valid: probes come about once a second, from several sides.
const VALID: Duration = Duration::from_secs(1);

/// Time for one check: a kubelet waits for two seconds.
const CHECK_TIMEOUT: Duration = Duration::from_millis(1_800);

/// Interval of the checks for room on the disk: they make a small file each.
const ROOM_INTERVAL: Duration = Duration::from_secs(30);

/// A transaction without a row that has to be on disk, and with a synchronous standby, before it ends. A standby, a
/// read-only server and one that can't write its log refuse it.
const COMMIT: &str = "SELECT pg_logical_emit_message(true, 'purchase-order-webhook', '')::text";

/// A new file of some 32 KiB: a full disk refuses it, however much room the tables have inside. One message, and so one
/// transaction.
const ROOM: &str = "TRUNCATE ledger_probe;
    INSERT INTO ledger_probe SELECT repeat('x', 1900) FROM generate_series(1, 16)";

/// The table of [`ROOM`]. It is no part of the schema's versions: nothing depends on what is in it.
pub const PROBE_TABLE: &str = "CREATE TABLE IF NOT EXISTS ledger_probe (filler TEXT NOT NULL)";

/// The last answer, and what the writer knows.
#[derive(Debug, Default)]
pub struct Readiness {
    last: Mutex<Option<Last>>,
    lacks_room: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Last {
    at: Instant,
    room_at: Instant,
    answer: Result<(), LedgerError>,
}

impl Readiness {
    /// The writer sets it when a write finds no room: only new room proves the end of that.
    pub fn lacks_room(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.lacks_room)
    }

    /// Checks that the database can write; callers at the same time share one answer.
    ///
    /// # Errors
    /// If it can't.
    pub async fn check(&self, readers: &Readers) -> Result<(), LedgerError> {
        let mut last = self.last.lock().await;
        let lacks_room = self.lacks_room.load(Ordering::Acquire);
        let is_valid = |last: &&Last| last.at.elapsed() < VALID && (last.answer.is_err() || !lacks_room);
        if let Some(last) = last.as_ref().filter(is_valid) {
            return last.answer.clone();
        }
        let room_at = last.as_ref().map(|last| last.room_at).filter(|at| at.elapsed() < ROOM_INTERVAL && !lacks_room);
        let probe = async {
            if room_at.is_none() {
                readers.write(|| sqlx::raw_sql(ROOM)).await?;
                self.lacks_room.store(false, Ordering::Release);
            }
            readers.write(|| sqlx::raw_sql(COMMIT)).await.map(drop)
        };
        let answer = timeout(CHECK_TIMEOUT, probe).await.unwrap_or_else(|_| Err(no_answer()));
        let at = Instant::now();
        // A check for room that failed is repeated.
        let room_at = if answer.is_ok() { Some(room_at.unwrap_or(at)) } else { None };
        *last = room_at.map(|room_at| Last { at, room_at, answer: answer.clone() });
        answer
    }
}
