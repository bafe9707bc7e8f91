//! What the settings name, tried as at a start but without one: for `check` and `doctor`.

use std::sync::Arc;

use super::certificate_dates::{CertificateDates, Severity};
use super::ledger_start::{future_restore, ignored_restore};
use super::verifier::token_verifier;
use crate::clock::{Clock, SystemClock};
use crate::condition::Conditions;
use crate::config::{Settings, Storage};
use crate::deliveries::outlets;
use crate::edge::ServerTls;
use crate::ledger::postgres::file_mistakes;
use crate::ledger::sqlite::check_location;
use crate::vms::client::VmsClient;

/// The mistakes in certificates and keys, a line each; an expired certificate is one.
pub fn check_files(settings: &Settings) -> Vec<String> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let tls = settings.server.tls.iter().flat_map(ServerTls::mistakes).map(|error| error.to_string());
    let issuer = token_verifier(&settings.auth, settings.target.max_connection_age, &clock, &Conditions::default());
    let issuer = issuer.err().map(|error| error.to_string());
    let target = VmsClient::from_config(&settings.target, Arc::clone(&clock), Conditions::default())
        .err()
        .map(|error| error.to_string());
    let alerts = outlets(&settings.alerts, &clock).err().map(|error| error.to_string());
    let dates = date_lines(settings, &*clock, Severity::Mistake);
    let storage = &settings.ledger.storage;
    tls.chain(issuer).chain(target).chain(alerts).chain(database_files(storage)).chain(dates).collect()
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
