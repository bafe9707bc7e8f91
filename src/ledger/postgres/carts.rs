//! The carts that a database keeps with its orders: written with their orders, and read by whoever rehearses a mapping.
//!
//! The reader writes nothing, changes no schema, and needs no more than `SELECT`. Each page is a read-only transaction of
//! its own, so that the database can clean up meanwhile.

use sqlx::error::DatabaseError;
use sqlx::{Connection as _, PgConnection, Postgres, Row as _, Transaction};

use super::connection::{Connector, Purpose, UrlSource};
use super::row::whole;
use super::schema::known_version;
use crate::ledger::LedgerError;
use crate::ledger::kept_carts::page::{CARTS_A_PAGE, CartCount, KeptCart};
use crate::ledger::working_set::WorkingSet;
use crate::order::OrderId;

/// The version of the schema from which on there is the table `order_carts`.
const WITH_CARTS: i64 = 2;

/// Stores the carts of admitted orders, and removes those that are no longer kept.
///
/// # Errors
/// If the database refuses it, or fails.
pub async fn write_carts(transaction: &mut Transaction<'_, Postgres>, orders: &WorkingSet) -> Result<(), sqlx::Error> {
    let (mut ids, mut carts, mut dropped) = (Vec::new(), Vec::new(), Vec::new());
    for (id, cart) in orders.carts() {
        match cart {
            Some(cart) => {
                ids.push(id.as_str());
                carts.push(cart);
            }
            None => dropped.push(id.as_str()),
        }
    }
    if !dropped.is_empty() {
        let query = sqlx::query("DELETE FROM order_carts WHERE id = ANY($1)").bind(&dropped);
        query.execute(&mut **transaction).await?;
    }
    if ids.is_empty() {
        return Ok(());
    }
    let query = "INSERT INTO order_carts (id, cart)
        SELECT id, cart FROM UNNEST($1::text[], $2::text[]) AS row (id, cart)
        ORDER BY id ON CONFLICT (id) DO UPDATE SET cart = excluded.cart";
    sqlx::query(query).bind(&ids).bind(&carts).execute(&mut **transaction).await.map(drop)
}

/// Reads the carts of a ledger in a database, in the order of their ids.
#[derive(Debug)]
pub struct CartReader {
    connection: PgConnection,
    last: String,
}

impl CartReader {
    /// Connects to the database of a ledger, or to a standby of it.
    ///
    /// # Errors
    /// If it can't be reached or read, or has the schema of another version.
    pub async fn connect(url: UrlSource) -> Result<Self, LedgerError> {
        let mut connection = Connector::new(url).connect(Purpose::Carts).await?.connection;
        let exists: bool =
            sqlx::query_scalar("SELECT to_regclass('schema_version') IS NOT NULL").fetch_one(&mut connection).await?;
        let version = sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM schema_version");
        let version = if exists { version.fetch_one(&mut connection).await.map_err(forbidden)? } else { 0 };
        match version {
            0 => Err(LedgerError::unavailable("the database holds no ledger; expected that of ledger.url")),
            old if old < WITH_CARTS => Err(LedgerError::unavailable(format!(
                "its schema is version {old}, which keeps no carts; expected {}: start a service of this version on it, with \
                 ledger.keep_carts = \"on\"",
                known_version()
            ))),
            new if new > known_version() => Err(LedgerError::unavailable(format!(
                "its schema is version {new}, this program knows {}; expected a newer program",
                known_version()
            ))),
            _ => Ok(Self { connection, last: String::new() }),
        }
    }

    /// Counts the orders, and those whose cart is kept.
    ///
    /// # Errors
    /// If the database can't be read.
    pub async fn count(&mut self) -> Result<CartCount, LedgerError> {
        let mut transaction = self.connection.begin_with("BEGIN READ ONLY").await?;
        let query = "SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM order_carts)";
        let row = sqlx::query(query).fetch_one(&mut *transaction).await.map_err(forbidden)?;
        transaction.rollback().await?;
        let count = |column: usize| row.try_get::<i64, _>(column).map(|count| u64::try_from(count).unwrap_or(0));
        Ok(CartCount { orders: count(0)?, carts: count(1)? })
    }

    /// The next carts; none at the end.
    ///
    /// # Errors
    /// If the database can't be read.
    pub async fn next_page(&mut self) -> Result<Vec<KeptCart>, LedgerError> {
        let mut transaction = self.connection.begin_with("BEGIN READ ONLY").await?;
        let query = sqlx::query("SELECT id, cart FROM order_carts WHERE id > $1 ORDER BY id LIMIT $2");
        let query = query.bind(&self.last).bind(whole(CARTS_A_PAGE));
        let rows = query.fetch_all(&mut *transaction).await.map_err(forbidden)?;
        transaction.rollback().await?;
        let cart = |row: sqlx::postgres::PgRow| -> Result<KeptCart, sqlx::Error> {
            Ok(KeptCart { id: OrderId::stored(row.try_get(0)?), text: row.try_get(1)? })
        };
        let page = rows.into_iter().map(cart).collect::<Result<Vec<_>, _>>()?;
        if let Some(last) = page.last() {
            self.last = last.id.to_string();
        }
        Ok(page)
    }
}

/// Says what a user needs who may not read the tables (42501: insufficient_privilege).
fn forbidden(error: sqlx::Error) -> LedgerError {
    let is_forbidden = error.as_database_error().and_then(DatabaseError::code).as_deref() == Some("42501");
    let error = LedgerError::from(error);
    if !is_forbidden {
        return error;
    }
    let needed = "expected a user with SELECT on orders, order_carts and schema_version";
    LedgerError::unavailable(format!("{}; {needed}", error.reason()))
}
