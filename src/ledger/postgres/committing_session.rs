//! A session that makes commits: kept between them, opened again when it breaks.
//!
//! A commit may wait for a synchronous standby for as long as there is none, and nothing on the client's side ends that. It
//! must not be ended on the server's side: the change would then be seen, and not be on the standby. So no second commit is
//! begun while one waits, or an outage of hours would take every connection that the database permits.

use sqlx::{Connection as _, PgConnection, Row as _};
use tokio::time::timeout;

use super::connection::{Connector, PING_TIMEOUT, Purpose, Session};
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
    /// The server's process of a commit that was not answered.
    unanswered: Option<String>,
}

impl CommittingSession {
    pub const fn new(connector: Connector) -> Self {
        Self { connector, resting: None, unanswered: None }
    }

    /// The session that has rested if it still works, else a new one. Whoever takes it gives it back, or it is closed.
    ///
    /// # Errors
    /// If there is none that can write, or a commit still waits for a standby.
    pub async fn take(&mut self) -> Result<(Session, Origin), LedgerError> {
        if let Some(session) = self.resting.take()
            && let Some(session) = session.awake().await
        {
            return Ok((session, Origin::Rested));
        }
        let mut session = self.connector.connect(Purpose::Orders).await?;
        if let Some(backend) = &self.unanswered {
            if waits_for_standby(&mut session.connection, backend).await {
                let problem = "a commit waits for a synchronous standby, and none is there (synchronous_standby_names)";
                // Closed in a moment; it has nothing under way.
                let _ = timeout(PING_TIMEOUT, session.connection.close()).await;
                return Err(LedgerError::unavailable(problem));
            }
            self.unanswered = None;
        }
        Ok((session, Origin::New))
    }

    /// Takes a session back that can be used again.
    pub fn put_back(&mut self, session: Session) {
        self.resting = Some(session.at_rest());
    }

    /// Gives a session up whose commit was not answered.
    pub fn give_up(&mut self, session: Session) {
        self.unanswered = Some(session.backend);
    }
}

/// Whether a process of the server waits in its commit; a database that can't say it does not keep others waiting.
async fn waits_for_standby(connection: &mut PgConnection, backend: &str) -> bool {
    let query = "SELECT count(*) FROM pg_stat_activity WHERE pid::text = $1 AND wait_event = 'SyncRep'";
    let count = sqlx::query(query).bind(backend).fetch_one(connection);
    let row = timeout(PING_TIMEOUT, count).await;
    row.is_ok_and(|row| row.is_ok_and(|row| row.try_get::<i64, _>(0).is_ok_and(|count| count > 0)))
}
