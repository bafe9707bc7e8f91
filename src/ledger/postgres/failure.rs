//! What a failure of the database means: for the session, for the write, and for a start.

use std::io::{self, ErrorKind};

use sqlx::error::DatabaseError;
use thiserror::Error;

use crate::ledger::LedgerError;

/// Why a ledger could not be opened.
#[derive(Debug, Clone, Error)]
pub enum OpenError {
    /// It may pass by itself: the database is down, is starting, is a standby, or has no free connection.
    #[error(transparent)]
    Transient(LedgerError),
    /// Only a person can cure it: a wrong URL, password, encoding or certificate.
    #[error(transparent)]
    Permanent(LedgerError),
}

impl From<OpenError> for LedgerError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Transient(error) | OpenError::Permanent(error) => error,
        }
    }
}

/// What a failed statement says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Another replica wrote the same orders at the same moment: another try may succeed.
    Contention,
    /// A value can't be stored, whatever the state of the database.
    Value,
    /// Another session holds a lock, and has not given it back in time.
    Locked,
    /// The session is of no more use: it broke, its server stops, or it can't write (any more).
    Session,
    /// The database has no room, or no permission, or something else.
    Other,
}

impl Fault {
    /// Reads an error by its SQLSTATE (PostgreSQL, appendix A).
    pub fn of(error: &sqlx::Error) -> Self {
        let code = match error {
            sqlx::Error::Database(error) => error.code().unwrap_or_default(),
            sqlx::Error::Encode(_) => return Self::Value,
            // The connection broke, or its bytes can't be understood.
            _ => return Self::Session,
        };
        match (&*code, code.get(..2).unwrap_or_default()) {
            // serialization_failure, deadlock_detected
            ("40001" | "40P01", _) => Self::Contention,
            // data_exception, integrity_constraint_violation, with_check_option_violation, program_limit_exceeded
            (_, "22" | "23" | "44" | "54") => Self::Value,
            // lock_not_available
            ("55P03", _) => Self::Locked,
            // connection_exception, invalid_transaction_state (25006: read-only), operator_intervention (57P01: the
            // server stops); a prepared statement that is there or is not: a pooler changed the session.
            (_, "08" | "25") | ("57P01" | "57P02" | "57P03" | "57P04" | "57P05" | "26000" | "42P05", _) => {
                Self::Session
            }
            _ => Self::Other,
        }
    }
}

/// An error of a start.
pub fn opening(error: sqlx::Error) -> OpenError {
    if may_pass(&error) { OpenError::Transient(error.into()) } else { OpenError::Permanent(error.into()) }
}

/// Whether the same start may succeed a little later.
fn may_pass(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            // Also insufficient_resources (53300: too many connections), and another replica that changes the schema.
            let may_pass = matches!(code.get(..2), Some("08" | "25" | "40" | "53" | "57")) || code == "55P03";
            may_pass && !is_pooling(error.as_ref())
        }
        // A handshake of TLS that went wrong is invalid data.
        sqlx::Error::Io(error) => error.kind() != ErrorKind::InvalidData,
        _ => false,
    }
}

/// Whether the database has no room (disk_full).
pub fn is_full(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(DatabaseError::code).as_deref() == Some("53100")
}

/// Whether the error is a pooler's that changes sessions between transactions or statements.
fn is_pooling(error: &dyn DatabaseError) -> bool {
    matches!(error.code().as_deref(), Some("26000" | "42P05")) || error.message().contains("pooling mode")
}

/// What to do about a pooler that does not keep sessions.
pub const POOLING: &str = "ledger.url leads to a pooler that changes sessions between transactions (PgBouncer: pool_mode); \
    expected pool_mode = session, or the database itself";

impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(text_of(&error))
    }
}

/// An error as people read it.
pub fn text_of(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(database) if is_pooling(database.as_ref()) => {
            format!("{}: {POOLING}", database.message())
        }
        sqlx::Error::Database(database) => match database.code() {
            Some(code) => format!("{} (SQLSTATE {code})", database.message()),
            None => database.message().to_owned(),
        },
        sqlx::Error::Io(error) if error.kind() == ErrorKind::InvalidData => format!("TLS: {error}"),
        error => error.to_string(),
    }
}

/// The error of a database that is silent.
pub fn no_answer() -> LedgerError {
    LedgerError::unavailable("the database does not answer")
}

/// The error of a session that can't write any more.
pub fn has_become_read_only() -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(ErrorKind::ReadOnlyFilesystem, "the database has become read-only"))
}
