//! The certificates, keys and the ledger's file that settings name, looked at as at a start but without one: for `check`.

use std::sync::Arc;

use super::verifier::token_verifier;
use crate::clock::{Clock, SystemClock};
use crate::config::{Settings, Storage};
use crate::edge::ServerTls;
use crate::ledger::sqlite::check_location;
use crate::vms::client::VmsClient;

/// The mistakes in certificates, keys and the place of the ledger's file, a line each.
pub fn check_files(settings: &Settings) -> Vec<String> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let tls = settings.server.tls.clone().map(ServerTls::try_new).transpose().err().map(|error| error.to_string());
    let issuer = token_verifier(settings.auth.clone(), &clock).err().map(|error| error.to_string());
    let target = VmsClient::from_config(&settings.target, clock).err().map(|error| error.to_string());
    [tls, issuer, target, ledger_file(&settings.ledger.storage)].into_iter().flatten().collect()
}

/// What is wrong with the place of a ledger in a file.
fn ledger_file(storage: &Storage) -> Option<String> {
    let Storage::Sqlite(path) = storage else { return None };
    check_location(path).err().map(|error| error.to_string())
}
