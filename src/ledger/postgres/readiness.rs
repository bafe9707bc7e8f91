//! Whether the database can write: asked by writing, at most once a second, in a session of its own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _};
use tokio::time::{Instant, timeout};

use super::committing_session::CommittingSession;
use super::connection::{Connector, QUERY_TIMEOUT, Session};
use super::failure::has_become_read_only;
use crate::ledger::shared_answer::{Answer, SharedAnswer};

/// Time for which an answer is valid, a bad one too: probes come about once a second, from several sides.
const VALID: Duration = Duration::from_secs(1);

/// Interval of the checks for room on the disk: they make a small file each.
const ROOM_INTERVAL: Duration = Duration::from_secs(30);

/// A transaction without a row that has to be on disk, and with a synchronous standby, before it ends. A standby and a server
/// that can't write its log refuse it; a session that was made read-only has to be asked, and so has the table: somebody
/// may have locked it against writers.
const COMMIT: &str = "LOCK TABLE orders IN ROW EXCLUSIVE MODE NOWAIT;
    SELECT pg_logical_emit_message(true, 'purchase-order-webhook', '')::text,
    current_setting('transaction_read_only')";

/// What is asked, and what the writer knows.
#[derive(Debug)]
pub struct Readiness {
    answer: SharedAnswer,
    probe: Arc<Probe>,
}

#[derive(Debug)]
struct Probe {
    sessions: tokio::sync::Mutex<CommittingSession>,
    /// When there was room for sure.
    room_at: Mutex<Option<Instant>>,
    lacks_room: Arc<AtomicBool>,
}

impl Readiness {
    pub fn new(connector: Connector) -> Self {
        let sessions = tokio::sync::Mutex::new(CommittingSession::new(connector));
        let probe = Probe { sessions, room_at: Mutex::default(), lacks_room: Arc::default() };
        Self { answer: SharedAnswer::new(VALID), probe: Arc::new(probe) }
    }

    /// The writer sets it when a write finds no room: only new room proves the end of that.
    pub fn lacks_room(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.probe.lacks_room)
    }

    /// Checks that the database can write; callers at the same time share one answer.
    ///
    /// # Errors
    /// If it can't, or says so too late for a caller.
    pub async fn check(&self) -> Answer {
        let is_superseded = |answer: &Answer| answer.is_ok() && self.probe.lacks_room.load(Ordering::Acquire);
        self.answer.get(is_superseded, || Arc::clone(&self.probe).ask()).await
    }
}

impl Probe {
    async fn ask(self: Arc<Self>) -> Answer {
        let mut sessions = self.sessions.lock().await;
        loop {
            let (mut session, origin) = sessions.take().await?;
            let answer = timeout(QUERY_TIMEOUT, self.write(&mut session)).await;
            if sessions.conclude((session, origin), answer)?.is_some() {
                return Ok(());
            }
        }
    }

    async fn write(&self, session: &mut Session) -> Result<(), sqlx::Error> {
        if self.has_to_look_for_room() {
            look_for_room(session).await?;
            self.found_room();
        }
        let row: PgRow = session.connection.fetch_one(sqlx::raw_sql(COMMIT)).await?;
        if row.try_get::<&str, _>(1)? == "off" { Ok(()) } else { Err(has_become_read_only()) }
    }

    fn has_to_look_for_room(&self) -> bool {
        let mut room_at = self.room_at.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = room_at.is_some_and(|at| at.elapsed() < ROOM_INTERVAL);
        if is_known && !self.lacks_room.load(Ordering::Acquire) {
            return false;
        }
        // A look that fails is repeated.
        *room_at = None;
        true
    }

    fn found_room(&self) {
        self.lacks_room.store(false, Ordering::Release);
        *self.room_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

/// Makes a new file of some 32 KiB, which is not kept: a full disk refuses it, however much room the tables have inside. The
/// table is nobody else's, so that no dump, here or on a standby, holds up its lock or is ended by it.
async fn look_for_room(session: &mut Session) -> Result<(), sqlx::Error> {
    let table = format!("ledger_room_{}", session.backend.pid);
    let statements = format!(
        "CREATE TABLE {table} (filler TEXT NOT NULL);
        INSERT INTO {table} SELECT repeat('x', 1900) FROM generate_series(1, 16)"
    );
    let mut transaction = session.connection.begin().await?;
    let made = transaction.execute(sqlx::raw_sql(AssertSqlSafe(statements))).await;
    transaction.rollback().await?;
    made.map(drop)
}
