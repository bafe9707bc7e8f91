//! Connections to the database, and their time limits.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, PgConnection};

use crate::ledger::LedgerError;

/// Time for a connection, from name resolution to the end of its handshakes: a lost packet of each is sent again within
/// it, and a caller that waits still gets an answer.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Time for one statement, and for a lock: for a waiting caller, a database that takes longer is gone.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);

/// Time for a whole query, even if the network is silent: a statement, and the way there and back.
pub const QUERY_TIMEOUT: Duration = Duration::from_secs(12);

/// Returns the database's current URL: it may hold a password, which may change.
pub type UrlSource = Arc<dyn Fn() -> Result<SecretString, String> + Send + Sync>;

/// Reads the URL. The library's own message may repeat it, and with it a password.
pub fn options(url: &UrlSource) -> Result<PgConnectOptions, LedgerError> {
    let url = url().map_err(LedgerError::Unavailable)?;
    let options = PgConnectOptions::from_str(url.expose_secret()).map_err(|_| {
        unavailable("ledger.url can't be read; expected postgres://user:password@host/database".to_owned())
    })?;
    Ok(options.application_name("purchase-order-webhook"))
}

/// Opens a connection without the server's time limits, because a migration may take its time.
pub async fn connect(options: &PgConnectOptions) -> Result<PgConnection, LedgerError> {
    let connected = tokio::time::timeout(CONNECT_TIMEOUT, PgConnection::connect_with(options)).await;
    Ok(connected.map_err(|_| no_answer())??)
}

/// Sets time limits that the server enforces too, and commits that are on disk when they return.
pub async fn prepare(connection: &mut PgConnection) -> sqlx::Result<()> {
    let limit = STATEMENT_TIMEOUT.as_millis().to_string();
    let query = "SELECT set_config('statement_timeout', $1, false), set_config('lock_timeout', $1, false),
        set_config('idle_in_transaction_session_timeout', $1, false)";
    sqlx::query(query).bind(limit).execute(&mut *connection).await?;
    // Stronger settings, such as remote_apply, are the operator's choice and stay.
    let query = "SELECT set_config('synchronous_commit', 'on', false)
        WHERE current_setting('synchronous_commit') IN ('off', 'local')";
    sqlx::query(query).execute(connection).await?;
    Ok(())
}

/// The error of a database that is silent.
pub fn no_answer() -> LedgerError {
    unavailable("the database does not answer".to_owned())
}

/// An error of the database.
pub fn unavailable(detail: String) -> LedgerError {
    LedgerError::Unavailable(detail)
}

impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}
