//! The session in which orders are claimed and given back, and what is not known of the last claim.

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{Executor as _, Postgres};
use tokio::time::timeout;

use super::committing_session::CommittingSession;
use super::connection::{Connector, QUERY_TIMEOUT};
use crate::ledger::LedgerError;

/// Claims, one after the other.
#[derive(Debug)]
pub struct Claims {
    sessions: CommittingSession,
    /// The last claim has not been answered, or not yet.
    is_unanswered: bool,
    /// A claim may have been made whose answer was lost: its orders belong to this replica, which does not know them.
    pub may_lack_some: bool,
}

impl Claims {
    pub const fn new(connector: Connector) -> Self {
        Self { sessions: CommittingSession::new(connector), is_unanswered: false, may_lack_some: false }
    }

    /// Runs a statement that changes leases.
    ///
    /// # Errors
    /// If no session that can write answers, or the statement before is still under way.
    pub async fn run<'q>(
        &mut self,
        query: impl Fn() -> Query<'q, Postgres, PgArguments>,
    ) -> Result<Vec<PgRow>, LedgerError> {
        // Also if the caller goes before the answer.
        self.may_lack_some |= std::mem::replace(&mut self.is_unanswered, true);
        loop {
            let (mut session, origin) = self.sessions.take().await?;
            let answer = timeout(QUERY_TIMEOUT, session.connection.fetch_all(query())).await;
            if let Some(rows) = self.sessions.conclude((session, origin), answer)? {
                return Ok(rows);
            }
            self.may_lack_some = true;
        }
    }

    /// All orders that belong to this replica are known.
    pub const fn is_answered(&mut self) {
        self.is_unanswered = false;
        self.may_lack_some = false;
    }
}
