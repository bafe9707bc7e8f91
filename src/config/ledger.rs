//! `[ledger]`: where orders are stored, and for how long.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use super::file::SettingsText;
use super::mistakes::Mistakes;
use super::reader::Reader;
use super::secret::Secret;
use super::units;
use crate::order::KeepCarts;
use crate::postgres_url::{PostgresUrl, RootCertificates, Variables};

/// SRM repeats a cart within hours, not days.
const MIN_RETENTION: Duration = Duration::from_hours(24);

/// `[ledger]`: where orders are stored.
#[derive(Debug, Clone)]
pub struct Ledger {
    /// The store itself.
    pub storage: Storage,
    /// How long settled orders are kept.
    pub retention: Duration,
    /// The time of the backup that was put back, if one was; in whole milliseconds.
    pub restored_at: Option<Timestamp>,
    /// How long a start waits for a database that can't be used yet.
    pub start_timeout: Duration,
    /// Whether the text of each cart is stored with its order.
    pub keep_carts: KeepCarts,
}

/// The store of the orders.
#[derive(Debug, Clone)]
pub enum Storage {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(Database),
}

/// A PostgreSQL database, by its URL, which may contain a password.
#[derive(Debug, Clone)]
pub struct Database {
    url: Secret,
    variables: Variables,
}

impl Database {
    /// Reads the URL anew: a password may change.
    ///
    /// # Errors
    /// If its file can't be read, or has mistakes.
    pub fn read(&self) -> Result<PostgresUrl, String> {
        PostgresUrl::parse(self.url.read()?.expose_secret(), &self.variables).map_err(|mistakes| mistakes.join("; "))
    }
}

impl Ledger {
    /// Reads this section alone, which is all that a backup needs.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn load(file: Option<&Path>, environment: &BTreeMap<String, String>) -> Result<Self, Mistakes> {
        Reader::parse(&SettingsText::load(file, environment)?, environment)?.finish(|reader| {
            reader.ignore_other_sections("ledger");
            Self::from_reader(reader)
        })
    }

    /// Reads the section.
    pub fn from_reader(reader: &mut Reader) -> Option<Self> {
        let storage = Storage::from_reader(reader);
        // A cart whose order was forgotten would be ordered again.
        let retention = reader.value_or("ledger.retention", "400d", "a duration of at least \"1d\"", |text| {
            units::duration(text).filter(|retention| *retention >= MIN_RETENTION)
        });
        let start_timeout = reader.duration("ledger.start_timeout", "60s");
        let restored_at = reader.optional(
            "ledger.restored_at",
            "the time of the backup that was put back, such as \"2026-11-28T04:00:00Z\"",
            // In the unit of the ledger, so that what it notes is what is compared.
            |text| {
                text.trim().parse().ok().and_then(|at: Timestamp| Timestamp::from_millisecond(at.as_millisecond()).ok())
            },
        );
        let keep_carts = reader.choice(
            "ledger.keep_carts",
            "off",
            &[("on", KeepCarts::On), ("off", KeepCarts::Off), ("true", KeepCarts::On), ("false", KeepCarts::Off)],
        );
        let (storage, retention, start_timeout) = (storage?, retention?, start_timeout?);
        Some(Self { storage, retention, restored_at: restored_at?, start_timeout, keep_carts: keep_carts? })
    }
}

/// What a URL of a ledger has to be.
const EXPECTED: &str = "expected sqlite:FILE, the path of a file, or postgres://user:password@host/database with parameters of libpq such as sslmode=verify-full";

impl Storage {
    fn from_reader(reader: &mut Reader) -> Option<Self> {
        let Some(entry) = reader.secret_entry("ledger.url") else {
            return units::sqlite_file("sqlite:data/orders.db").map(Self::Sqlite);
        };
        let secret = reader.required_secret("ledger.url")?;
        let variables = reader.postgres_variables().clone();
        let (storage, mistakes) = Self::of_secret(secret, variables);
        for mistake in mistakes {
            reader.report_entry(&entry, &mistake);
        }
        storage
    }

    /// The store that a URL names; variables such as `PGPASSWORD` add what a URL of a database does not say.
    ///
    /// # Errors
    /// Every mistake in it; none shows the URL.
    pub fn parse(url: &str, environment: &BTreeMap<String, String>) -> Result<Self, Vec<String>> {
        match Self::of_secret(Secret::Text(url.into()), Variables::of(environment)) {
            (Some(storage), mistakes) if mistakes.is_empty() => Ok(storage),
            (_, mistakes) => Err(mistakes),
        }
    }

    /// The store, and the mistakes in its URL.
    fn of_secret(secret: Secret, variables: Variables) -> (Option<Self>, Vec<String>) {
        let Ok(url) = secret.read() else { return (None, Vec::new()) };
        let url = url.expose_secret();
        if let Some(path) = units::sqlite_file(url) {
            return (Some(Self::Sqlite(path)), Vec::new());
        }
        if PostgresUrl::is_keyword_form(url) {
            return (None, vec![format!("{EXPECTED}; the form host=… dbname=… is not read")]);
        }
        if !PostgresUrl::has_scheme(url) {
            return (None, vec![EXPECTED.to_owned()]);
        }
        let mistakes = PostgresUrl::parse(url, &variables).err().unwrap_or_default();
        (Some(Self::Postgres(Database { url: secret, variables })), mistakes)
    }

    /// The files with certificates that the URL of a database names, each with its parameter. `sslrootcert=system` is no
    /// file.
    pub fn certificate_files(&self) -> Vec<(&'static str, PathBuf)> {
        let Self::Postgres(database) = self else { return Vec::new() };
        let Ok(PostgresUrl { tls, .. }) = database.read() else { return Vec::new() };
        let roots = match tls.roots {
            RootCertificates::File(path) => Some(("sslrootcert", path)),
            RootCertificates::System => None,
        };
        roots.into_iter().chain(tls.client.map(|client| ("sslcert", client.certificate))).collect()
    }

    /// `sqlite` or `postgresql`.
    pub const fn backend(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgresql",
        }
    }

    /// The absolute path of the file, or `host/database` of the URL; `None` where this could show a part of a password.
    pub fn location(&self) -> Option<String> {
        match self {
            Self::Sqlite(path) => Some(std::path::absolute(path).ok()?.display().to_string()),
            Self::Postgres(database) => database.read().ok()?.location(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carts_are_kept_only_if_a_setting_says_so() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (value, expected) in [
            ("", Some(KeepCarts::Off)),
            ("keep_carts = \"off\"", Some(KeepCarts::Off)),
            ("keep_carts = false", Some(KeepCarts::Off)),
            ("keep_carts = \"on\"", Some(KeepCarts::On)),
            ("keep_carts = true", Some(KeepCarts::On)),
            ("keep_carts = \"yes\"", None),
            ("keep_carts = 1", None),
        ] {
            std::fs::write(file.path(), format!("[ledger]\n{value}\n")).unwrap();
            match (Ledger::load(Some(file.path()), &BTreeMap::new()), expected) {
                (Ok(ledger), Some(expected)) => assert_eq!(ledger.keep_carts, expected, "{value}"),
                (Err(mistakes), None) => {
                    let text = mistakes.to_string();
                    assert!(text.contains("keep_carts") && text.contains("expected on or off"), "{value}: {text}");
                }
                (found, _) => panic!("{value}: {found:?}"),
            }
        }
    }

    #[test]
    fn a_url_on_a_command_line_is_read_and_never_shown() {
        let parse = |url: &str| Storage::parse(url, &BTreeMap::new());
        assert_eq!(parse("sqlite:a/b.db").unwrap().backend(), "sqlite");
        assert_eq!(parse("postgres://me:hush@db/orders").unwrap().backend(), "postgresql");
        for wrong in ["hush", "mysql://hush", "host=hush", "postgres://me:hush@db/orders?hush=hush", "sqlite:", ""] {
            let mistakes = parse(wrong).unwrap_err().join("; ");
            assert!(mistakes.contains("expected") && !mistakes.contains("me:hush"), "{wrong}: {mistakes}");
        }
    }
}
