//! A look at the database without writing.

use jiff::Timestamp;
use sqlx::{Connection as _, PgConnection, Row as _};

use super::connection::{Connector, Purpose, UrlSource};
use super::schema::known_version;
use crate::ledger::LedgerError;

/// What the database says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The version of the schema; `None` without tables.
    pub schema_version: Option<i64>,
    /// The version that this program knows.
    pub known_version: i64,
    /// Whether the user may create tables.
    pub may_create: bool,
    /// The database's clock.
    pub now: Timestamp,
}

/// Connects and asks.
///
/// # Errors
/// If the database can't be reached, refuses the user, can't write, or can't hold every character.
pub async fn probe(url: UrlSource) -> Result<Probe, LedgerError> {
    let mut connection = Connector::new(url).connect(Purpose::Migration).await?.connection;
    let query = "SELECT to_regclass('schema_version') IS NOT NULL AS has_tables,
        coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create,
        (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now";
    let row = sqlx::query(query).fetch_one(&mut connection).await?;
    let has_tables: bool = row.try_get("has_tables")?;
    let schema_version = if has_tables { Some(schema_version(&mut connection).await?) } else { None };
    let probe = Probe {
        schema_version,
        known_version: known_version(),
        may_create: row.try_get("may_create")?,
        now: Timestamp::from_millisecond(row.try_get("now")?).unwrap_or_default(),
    };
    // The server ends a connection that breaks off as well.
    let _ = connection.close().await;
    Ok(probe)
}

async fn schema_version(connection: &mut PgConnection) -> Result<i64, LedgerError> {
    let version = sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM schema_version");
    Ok(version.fetch_one(connection).await?)
}
