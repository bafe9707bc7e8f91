//! The sessions for reading. Each query proves that its server can write: a standby that lags behind must not answer for the
//! primary.

use std::sync::{Arc, Mutex, PoisonError};

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{Executor as _, Postgres, Row as _};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::connection::{Connector, Purpose, QUERY_TIMEOUT, Session, survives};
use super::failure::{Fault, has_become_read_only, no_answer};
use crate::ledger::LedgerError;

/// Sessions for reading; the writer, claims and readiness have one each of their own. A read takes about a millisecond, and
/// replicas share what the database permits (100 by default).
const READERS: usize = 4;

/// A query, in parts, whose rows begin with a column that says whether their server is read-only; without a row, there is one with
/// that column alone.
macro_rules! on_the_primary {
    ($($part:literal),+) => {
        concat!(
            "SELECT guard.read_only, answer.* FROM
                (SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS read_only) AS guard
                LEFT JOIN (",
            $($part,)+
            ") AS answer ON true"
        )
    };
}
pub(super) use on_the_primary;

/// A few sessions that callers share.
#[derive(Debug, Clone)]
pub struct Readers {
    connector: Connector,
    idle: Arc<Mutex<Vec<Session>>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    pub fn new(connector: Connector) -> Self {
        Self { connector, idle: Arc::default(), permits: Arc::new(Semaphore::new(READERS)) }
    }

    /// Takes a session for the next caller.
    pub fn put_back(&self, session: Session) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session.at_rest());
    }

    /// One session that does not work any more is a sign for all that rest: they lead to the same server.
    fn forget_idle(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// A session that has rested and still works, if there is one.
    async fn rested(&self) -> Option<Session> {
        let session = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
        let awake = session.awake().await;
        if awake.is_none() {
            self.forget_idle();
        }
        awake
    }

    /// Reads by a query [`on_the_primary`]; the second column of a row is its first own one. A session that fails, does not
    /// answer, or can't write (any more) is dropped. One that had rested is no proof of an outage: the next one is tried, at
    /// last a new one.
    ///
    /// # Errors
    /// If no session that can write answers.
    pub async fn read<'q>(
        &self,
        query: impl Fn() -> Query<'q, Postgres, PgArguments>,
    ) -> Result<Vec<PgRow>, LedgerError> {
        let is_read_only = |row: &PgRow| row.try_get::<bool, _>(0).unwrap_or(true);
        let _permit = self.permits.acquire().await.map_err(LedgerError::unavailable)?;
        loop {
            let rested = self.rested().await;
            let had_rested = rested.is_some();
            let mut session = match rested {
                Some(session) => session,
                None => self.connector.connect(Purpose::Orders).await?,
            };
            match timeout(QUERY_TIMEOUT, session.connection.fetch_all(query())).await {
                Ok(Ok(rows)) if !rows.iter().any(is_read_only) => {
                    self.put_back(session);
                    return Ok(rows);
                }
                Ok(Ok(_)) if had_rested => self.forget_idle(),
                Ok(Ok(_)) => return Err(has_become_read_only().into()),
                Ok(Err(error)) if survives(&error) => {
                    self.put_back(session);
                    return Err(error.into());
                }
                Ok(Err(error)) if had_rested && Fault::of(&error) == Fault::Session => self.forget_idle(),
                Ok(Err(error)) => return Err(error.into()),
                Err(_) => {
                    self.forget_idle();
                    return Err(no_answer());
                }
            }
        }
    }
}
