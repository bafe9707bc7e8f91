//! The ledger: whether it could be opened and written, without doing either.

use std::sync::Arc;

use super::finding::Finding;
use super::limit::within_limit;
use crate::clock::Clock;
use crate::config::{Settings, Storage};
use crate::ledger::{postgres, sqlite};

/// Looks at the ledger that the settings name.
pub async fn examine_ledger(settings: &Settings, clock: &dyn Clock) -> Vec<Finding> {
    match &settings.ledger.storage {
        Storage::Sqlite(path) => vec![match sqlite::probe(path) {
            Ok(text) => Finding::ok(format!("ledger: {text}")),
            Err(problem) => Finding::fail(
                format!("ledger: {problem}"),
                "put back what is missing, or correct ledger.url, or the file's owner and rights; the doctor has to run as the service's user",
            ),
        }],
        Storage::Postgres(database) => {
            let source = database.clone();
            let probe = postgres::probe(Arc::new(move || source.read()));
            // Boxed: a connection being made is large.
            let found = Box::pin(within_limit(async { probe.await.map_err(|error| error.to_string()) })).await;
            match found {
                Err(problem) => vec![Finding::fail(
                    format!("ledger: {problem}"),
                    "do what it says; else check ledger.url: host, port, user, password, database and TLS, and that the database runs",
                )],
                Ok(found) => {
                    vec![database_finding(&found), super::clocks::offset("the database", found.now, clock.now())]
                }
            }
        }
    }
}

fn database_finding(found: &postgres::Probe) -> Finding {
    let postgres::Probe { schema_version, known_version, may_create, .. } = found;
    match schema_version {
        Some(version) if version > known_version => Finding::fail(
            format!("ledger: its schema is version {version}, this program knows {known_version}"),
            "use the newer program",
        ),
        None if !may_create => Finding::fail(
            "ledger: the tables do not exist, and the user must not create them",
            "GRANT CREATE on the schema to the user of ledger.url",
        ),
        None => Finding::ok(
            "ledger: connected to a database that accepts writes; its tables are created at the first start",
        ),
        Some(version) => Finding::ok(format!(
            "ledger: connected to a database that accepts writes; schema version {version}; whether commits are confirmed, /readyz says"
        )),
    }
}
