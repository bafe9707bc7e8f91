//! The diagnosis: everything that the service depends on is asked for real, and nothing is written.
//!
//! Owns what is asked and what a person can do about each answer. Knows nothing of how the answer is printed.

mod clocks;
mod finding;
mod forward_proxy;
mod issuer;
mod ledger;
mod limit;
mod target;

use std::sync::Arc;

pub use finding::{Finding, Status};
pub use target::examine_target;

use crate::app::{CertificateDates, check_dates, check_files, check_future_restore, check_restore};
use crate::clock::Clock;
use crate::config::Settings;

/// Asks all sides at the same time; one that fails hides no other.
pub async fn examine(settings: &Settings, clock: Arc<dyn Clock>) -> Vec<Finding> {
    let (proxy, issuer, target, ledger, clocks) = tokio::join!(
        forward_proxy::examine_forward_proxy(settings),
        issuer::examine_issuers(settings, &clock),
        examine_target(settings, &clock),
        ledger::examine_ledger(settings, &*clock),
        clocks::examine_clocks(settings, &clock),
    );
    [examine_certificates(settings), proxy, issuer, target, ledger, examine_restore(settings), clocks].concat()
}

fn examine_restore(settings: &Settings) -> Vec<Finding> {
    let ignored = check_restore(settings).map(|text| Finding::warn(text, "remove the setting"));
    let refused = check_future_restore(settings).map(|text| Finding::fail(text, "correct the setting, or the clock"));
    ignored.into_iter().chain(refused).collect()
}

/// The files of certificates and keys: their content, and their dates.
fn examine_certificates(settings: &Settings) -> Vec<Finding> {
    const RENEW: &str = "replace the file; a running service takes it without a restart";
    let mistakes = check_files(settings).into_iter().map(|text| Finding::fail(text, RENEW));
    let warnings = check_dates(settings).into_iter().map(|text| Finding::warn(text, RENEW));
    let findings: Vec<Finding> = mistakes.chain(warnings).collect();
    if !findings.is_empty() {
        return findings;
    }
    match CertificateDates::of(settings).count() {
        0 => vec![Finding::ok("certificates: no setting names a file")],
        count => vec![Finding::ok(format!("certificates: {count}, valid for more than 30 days"))],
    }
}
