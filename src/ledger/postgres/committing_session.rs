//! A session that makes commits: kept between them, opened again when it breaks.
//!
//! A commit may wait for a synchronous standby for as long as there is none, and nothing on the client's side ends that. It
//! must not be ended on the server's side: the change would then be seen, and not be on the standby. So each user begins no
//! second commit while its first one is under way, or an outage of hours would take every connection that the database
//! permits.

use sqlx::{Connection as _, PgConnection, Row as _};
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use super::connection::{BackendId, Connector, PING_TIMEOUT, Purpose, Session};
use super::failure::{Fault, no_answer};
use crate::ledger::LedgerError;

/// Where a session comes from, which says what its failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It was made for this use: its failure is the database's.
    New,
    /// It has rested: the database may have been restarted, or have become a standby, since.
    Rested,
}

/// The session, its rest, and what became of the one before.
#[derive(Debug)]
pub struct CommittingSession {
    connector: Connector,
    resting: Option<Session>,
    /// The server's process that works for whoever took the session last, until that has ended: whoever goes before the answer
    /// leaves it at work.
    at_work: Option<BackendId>,
}

impl CommittingSession {
    pub const fn new(connector: Connector) -> Self {
        Self { connector, resting: None, at_work: None }
    }

    /// Ends the use of a session by what came of its statements: `None` if a session that had rested turned out to be broken,
    /// and they should run again in a new one. They may have been carried out all the same.
    ///
    /// # Errors
    /// If the database failed, or has not answered in time.
    pub fn conclude<T>(
        &mut self,
        (session, origin): (Session, Origin),
        answer: Result<Result<T, sqlx::Error>, Elapsed>,
    ) -> Result<Option<T>, LedgerError> {
        match answer {
            Ok(Ok(answer)) => {
                self.put_back(session);
                Ok(Some(answer))
            }
            Ok(Err(error)) if Fault::of(&error) == Fault::Session && origin == Origin::Rested => Ok(None),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(no_answer()),
        }
    }

    /// The session that has rested if it still works, else a new one. Whoever takes it puts it back, or it is closed.
    ///
    /// # Errors
    /// If there is none that can write, or the commit before is still under way.
    pub async fn take(&mut self) -> Result<(Session, Origin), LedgerError> {
        if let Some(session) = self.resting.take()
            && let Some(session) = session.awake().await
        {
            self.at_work = Some(session.backend.clone());
            return Ok((session, Origin::Rested));
        }
        let mut session = self.connector.connect(Purpose::Orders).await?;
        if let Some(backend) = &self.at_work {
            let wait = timeout(PING_TIMEOUT, wait_of(&mut session.connection, backend)).await;
            if let Some(wait) = wait.map_err(|_| no_answer())?? {
                // It has nothing under way itself.
                let _ = timeout(PING_TIMEOUT, session.connection.close()).await;
                return Err(still_under_way(&wait));
            }
        }
        self.at_work = Some(session.backend.clone());
        Ok((session, Origin::New))
    }

    /// Takes a session back that can be used again.
    pub fn put_back(&mut self, session: Session) {
        self.at_work = None;
        self.resting = Some(session.at_rest());
    }
}

/// What a process of the server waits for (PostgreSQL, §27.2.3), if it works on a statement; empty if it waits for nothing.
async fn wait_of(connection: &mut PgConnection, backend: &BackendId) -> Result<Option<String>, LedgerError> {
    let query = "SELECT coalesce(wait_event, '') FROM pg_stat_activity
        WHERE pid::text = $1 AND backend_start::text = $2 AND state = 'active'";
    let row = sqlx::query(query).bind(&backend.pid).bind(&backend.started_at).fetch_optional(connection).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

fn still_under_way(wait: &str) -> LedgerError {
    LedgerError::unavailable(match wait {
        "SyncRep" => {
            "a commit waits for a synchronous standby that does not confirm it (synchronous_standby_names)".to_owned()
        }
        "" => "the commit before is still under way on the server".to_owned(),
        wait => format!("the commit before is still under way on the server, which waits for {wait}"),
    })
}
