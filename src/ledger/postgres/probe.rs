//! A look at the database without writing.

use jiff::Timestamp;
use sqlx::{Connection as _, PgConnection, Row as _};

use super::connection::{Connector, Purpose, UrlSource};
use super::schema::known_version;
use crate::ledger::LedgerError;

/// What the database says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// `server_encoding`
    pub encoding: String,
    /// Whether it is a standby, or new transactions are read-only.
    pub is_read_only: bool,
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
/// If the database can't be reached, or refuses the user.
pub async fn probe(url: UrlSource) -> Result<Probe, LedgerError> {
    let mut connection = Connector::new(url).connect(Purpose::Migration).await?.connection;
    let query = "SELECT current_setting('server_encoding') AS encoding,
        pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on' AS is_read_only,
        to_regclass('schema_version') IS NOT NULL AS has_tables,
        coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create,
        (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now";
    let row = sqlx::query(query).fetch_one(&mut connection).await?;
    let has_tables: bool = row.try_get("has_tables")?;
    let schema_version = if has_tables { Some(schema_version(&mut connection).await?) } else { None };
    let probe = Probe {
        encoding: row.try_get("encoding")?,
        is_read_only: row.try_get("is_read_only")?,
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
