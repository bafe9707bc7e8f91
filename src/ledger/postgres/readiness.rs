//! Whether the database can write: asked by writing, at most once a second, in a session of its own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::postgres::PgRow;
use sqlx::{Executor as _, PgConnection, Row as _};
use tokio::time::{Instant, timeout};

use super::committing_session::{CommittingSession, Origin};
use super::connection::{Connector, QUERY_TIMEOUT};
use super::failure::{Fault, has_become_read_only, no_answer};
use crate::ledger::LedgerError;
use crate::single_flight::SingleFlight;

/// Time for which an answer is valid, a bad one too: probes come about once a second, from several sides.
const VALID: Duration = Duration::from_secs(1);

/// Time that a caller waits: a kubelet waits for two seconds. What was asked goes on, and answers later callers.
const CHECK_TIMEOUT: Duration = Duration::from_millis(1_800);

/// Interval of the checks for room on the disk: they make a small file each.
const ROOM_INTERVAL: Duration = Duration::from_secs(30);

/// A transaction without a row that has to be on disk, and with a synchronous standby, before it ends. A standby and a server
/// that can't write its log refuse it; a session that was made read-only has to be asked.
const COMMIT: &str = "SELECT pg_logical_emit_message(true, 'purchase-order-webhook', '')::text,
    current_setting('transaction_read_only')";

/// A new file of some 32 KiB: a full disk refuses it, however much room the tables have inside. One message, and so one
/// transaction. A dump that reads the table would keep it waiting until its end.
const ROOM: &str = "LOCK TABLE ledger_probe IN ACCESS EXCLUSIVE MODE NOWAIT;
    TRUNCATE ledger_probe;
    INSERT INTO ledger_probe SELECT repeat('x', 1900) FROM generate_series(1, 16)";

/// The table of [`ROOM`]. It is no part of the schema's versions: nothing depends on what is in it.
pub const PROBE_TABLE: &str = "CREATE TABLE IF NOT EXISTS ledger_probe (filler TEXT NOT NULL)";

type Answer = Result<(), LedgerError>;

/// What a session may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    ReadWrite,
    ReadOnly,
}

/// The last answer, and what the writer knows.
#[derive(Debug)]
pub struct Readiness {
    flights: SingleFlight<(), Answer>,
    session: tokio::sync::Mutex<CommittingSession>,
    last: Mutex<Last>,
    lacks_room: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct Last {
    answer: Option<(Instant, Answer)>,
    /// When there was room for sure.
    room_at: Option<Instant>,
}

impl Readiness {
    pub fn new(connector: Connector) -> Self {
        Self {
            flights: SingleFlight::default(),
            session: tokio::sync::Mutex::new(CommittingSession::new(connector)),
            last: Mutex::default(),
            lacks_room: Arc::default(),
        }
    }

    /// The writer sets it when a write finds no room: only new room proves the end of that.
    pub fn lacks_room(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.lacks_room)
    }

    /// Checks that the database can write; callers at the same time share one answer.
    ///
    /// # Errors
    /// If it can't, or says so too late for a caller.
    pub async fn check(self: &Arc<Self>) -> Answer {
        let flight = self.flights.join_or_start((), |_| match self.valid_answer() {
            Some(answer) => Err(answer),
            None => Ok(Arc::clone(self).ask()),
        });
        match flight {
            Err(answer) => answer,
            Ok(flight) => match timeout(CHECK_TIMEOUT, flight.result()).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(broken_off)) => Err(LedgerError::unavailable(broken_off)),
                Err(_) => Err(no_answer()),
            },
        }
    }

    fn valid_answer(&self) -> Option<Answer> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, answer) = last.answer.as_ref()?;
        let is_superseded = answer.is_ok() && self.lacks_room.load(Ordering::Acquire);
        (at.elapsed() < VALID && !is_superseded).then(|| answer.clone())
    }

    async fn ask(self: Arc<Self>) -> Answer {
        let answer = self.commit().await;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.answer = Some((Instant::now(), answer.clone()));
        if answer.is_err() {
            // A check for room that failed is repeated.
            last.room_at = None;
        }
        answer
    }

    async fn commit(&self) -> Answer {
        let mut sessions = self.session.lock().await;
        loop {
            let (mut session, origin) = sessions.take().await?;
            match timeout(QUERY_TIMEOUT, self.write(&mut session.connection)).await {
                Ok(Ok(Access::ReadWrite)) => {
                    sessions.put_back(session);
                    return Ok(());
                }
                // A new session is tried.
                Ok(Ok(Access::ReadOnly)) if origin == Origin::Rested => {}
                Ok(Err(error)) if origin == Origin::Rested && Fault::of(&error) == Fault::Session => {}
                Ok(Ok(Access::ReadOnly)) => return Err(has_become_read_only()),
                Ok(Err(error)) => return Err(error.into()),
                Err(_) => {
                    sessions.give_up(session);
                    return Err(no_answer());
                }
            }
        }
    }

    async fn write(&self, connection: &mut PgConnection) -> Result<Access, sqlx::Error> {
        if self.has_to_look_for_room() {
            match connection.execute(sqlx::raw_sql(ROOM)).await {
                Ok(_) => self.found_room(),
                // Nobody can look now, and the commit decides.
                Err(error) if Fault::of(&error) == Fault::Locked => {}
                Err(error) => return Err(error),
            }
        }
        let row: PgRow = connection.fetch_one(sqlx::raw_sql(COMMIT)).await?;
        Ok(if row.try_get::<&str, _>(1)? == "off" { Access::ReadWrite } else { Access::ReadOnly })
    }

    fn has_to_look_for_room(&self) -> bool {
        let room_at = self.last.lock().unwrap_or_else(PoisonError::into_inner).room_at;
        room_at.is_none_or(|at| at.elapsed() >= ROOM_INTERVAL) || self.lacks_room.load(Ordering::Acquire)
    }

    fn found_room(&self) {
        self.lacks_room.store(false, Ordering::Release);
        self.last.lock().unwrap_or_else(PoisonError::into_inner).room_at = Some(Instant::now());
    }
}
