//! The carts that are kept with their orders (`ledger.keep_carts`), for whoever rehearses a mapping on them: read-only, page
//! by page, while a service uses the ledger or from a copy of it.

pub mod page;

use std::path::Path;

use super::LedgerError;
use super::postgres::{self, UrlSource};
use super::sqlite;
pub use page::{CartCount, KeptCart};

/// The kept carts of a ledger, from the first to the last id.
#[derive(Debug)]
pub enum KeptCarts {
    /// Of a file.
    Sqlite(sqlite::CartReader),
    /// Of a database.
    Postgres(postgres::CartReader),
}

impl KeptCarts {
    /// Opens a ledger's file.
    ///
    /// # Errors
    /// [`sqlite::CartReader::open`]
    pub fn in_file(path: &Path) -> Result<Self, LedgerError> {
        sqlite::CartReader::open(path).map(Self::Sqlite)
    }

    /// Connects to a ledger's database.
    ///
    /// # Errors
    /// [`postgres::CartReader::connect`]
    pub async fn in_database(url: UrlSource) -> Result<Self, LedgerError> {
        postgres::CartReader::connect(url).await.map(Self::Postgres)
    }

    /// Counts the orders, and those whose cart is kept.
    ///
    /// # Errors
    /// If the ledger can't be read.
    pub async fn count(&mut self) -> Result<CartCount, LedgerError> {
        match self {
            Self::Sqlite(carts) => carts.count(),
            Self::Postgres(carts) => carts.count().await,
        }
    }

    /// The next carts; none at the end.
    ///
    /// # Errors
    /// If the ledger can't be read.
    pub async fn next_page(&mut self) -> Result<Vec<KeptCart>, LedgerError> {
        match self {
            Self::Sqlite(carts) => carts.next_page(),
            Self::Postgres(carts) => carts.next_page().await,
        }
    }
}
