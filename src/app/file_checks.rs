//! What the settings name, tried as at a start but without one: for `check` and `doctor`.

use std::sync::Arc;

use super::certificate_dates::{CertificateDates, Severity};
use super::ledger_start::{future_restore, ignored_restore};
use super::verifier::token_verifier;
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Settings, Storage};
use crate::edge::ServerTls;
use crate::ledger::postgres::file_mistakes;
use crate::ledger::sqlite::check_location;
use crate::mapping::{Findings, Folder, Mapping};
use crate::vms::client::VmsClient;

/// The mistakes in certificates and keys, a line each; an expired certificate is one.
pub fn check_files(settings: &Settings) -> Vec<String> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let tls = settings.server.tls.iter().flat_map(ServerTls::mistakes).map(|error| error.to_string());
    let issuer = token_verifier(settings.auth.clone(), settings.target.max_connection_age, &clock);
    let issuer = issuer.err().map(|error| error.to_string());
    let target = VmsClient::from_config(&settings.target, Arc::clone(&clock)).err().map(|error| error.to_string());
    let dates = date_lines(settings, &*clock, Severity::Mistake);
    let storage = &settings.ledger.storage;
    tls.chain(issuer).chain(target).chain(database_files(storage)).chain(dates).collect()
}

/// What is wrong with the place of a ledger in a file.
pub fn check_ledger_file(storage: &Storage) -> Option<String> {
    let Storage::Sqlite(path) = storage else { return None };
    check_location(path).err().map(|error| error.to_string())
}

/// The mistakes in the files that the URL of a database names. The URL itself was checked with the settings.
pub fn database_files(storage: &Storage) -> Vec<String> {
    let Storage::Postgres(database) = storage else { return Vec::new() };
    let mistakes = database.read().map_or_else(|problem| vec![problem], |url| file_mistakes(&url));
    mistakes.into_iter().map(|mistake| format!("ledger.url: {mistake}")).collect()
}

/// What works now, and needs somebody's attention: certificates that expire soon, or that have expired beside valid ones.
pub fn check_dates(settings: &Settings) -> Vec<String> {
    date_lines(settings, &SystemClock, Severity::Warning)
}

/// What is to be said of a `ledger.restored_at` that a start would ignore.
pub fn check_restore(settings: &Settings) -> Option<String> {
    ignored_restore(&settings.ledger, SystemClock.now())
}

/// What is wrong with `ledger.restored_at`.
pub fn check_future_restore(settings: &Settings) -> Option<String> {
    future_restore(&settings.ledger, SystemClock.now())
}

fn date_lines(settings: &Settings, clock: &dyn Clock, severity: Severity) -> Vec<String> {
    let findings = CertificateDates::of(settings).findings(clock.now()).into_iter();
    findings.filter(|finding| finding.severity == severity).map(|finding| finding.line()).collect()
}

/// A mapping as it was checked.
#[derive(Debug)]
pub struct CheckedMapping {
    /// Its version; none if it has mistakes.
    pub version: Option<String>,
    /// What is wrong with the folder, its examples included, and what should be looked at.
    pub findings: Findings,
}

/// Compiles the folder, and maps its examples.
pub fn check_mapping(settings: &config::Mapping) -> CheckedMapping {
    let examined = Folder::read(&settings.directory)
        .map_err(|mistakes| Findings { mistakes, warnings: Vec::new() })
        .and_then(|folder| Ok((Mapping::examine(&folder, settings.amounts, &settings.id_field)?, folder)));
    match examined {
        Ok((mapping, folder)) => {
            let mapping =
                mapping.with_plausibility(settings.plausibility).with_system_field(settings.system_field.clone());
            let findings =
                Findings { mistakes: mapping.check_examples(&folder), warnings: mapping.warnings().to_vec() };
            let version = findings.mistakes.is_empty().then(|| mapping.version().to_owned());
            CheckedMapping { version, findings }
        }
        Err(findings) => CheckedMapping { version: None, findings },
    }
}
