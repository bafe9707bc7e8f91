//! The schema and its versions.

use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::ledger::LedgerError;

/// Schema changes, oldest first; the table `schema_version` counts those that were applied. Never edit one that was
/// released.
const MIGRATIONS: [&str; 4] = [
    include_str!("0001_orders.sql"),
    include_str!("0002_carts.sql"),
    include_str!("0003_outbox.sql"),
    include_str!("0004_audit.sql"),
];

/// The version of the schema that this program knows.
pub fn known_version() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// The key of the lock that replicas take while they look at the schema: "po-hook" in ASCII.
const LOCK: i64 = 0x0070_6F2D_686F_6F6B;

/// Brings the schema up to date in one transaction. Replicas that start together do it one after the other.
///
/// # Errors
/// If the database fails. The inner error is a schema that is newer than this program.
pub async fn migrate(connection: &mut PgConnection) -> Result<Result<(), LedgerError>, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    // Given back with the transaction, also if this process dies.
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *transaction).await?;
    transaction.execute("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)").await?;
    let applied: Option<i64> =
        sqlx::query_scalar("SELECT max(version) FROM schema_version").fetch_one(&mut *transaction).await?;
    let applied = usize::try_from(applied.unwrap_or(0)).unwrap_or(0);
    if applied > MIGRATIONS.len() {
        return Ok(Err(LedgerError::unavailable(format!(
            "its schema is version {applied}, this program knows {}; expected a newer program",
            MIGRATIONS.len()
        ))));
    }
    for (version, migration) in (1_i64..).zip(MIGRATIONS).skip(applied) {
        transaction.execute(migration).await?;
        sqlx::query("INSERT INTO schema_version VALUES ($1)").bind(version).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(Ok(()))
}
