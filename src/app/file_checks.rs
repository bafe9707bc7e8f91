//! The certificates and keys that settings name, loaded as at a start but without one: for `check`.

use std::sync::Arc;

use secrecy::ExposeSecret as _;

use super::verifier::token_verifier;
use crate::clock::{Clock, SystemClock};
use crate::config::{Settings, Storage};
use crate::edge::ServerTls;
use crate::ledger::postgres::url_mistakes;
use crate::vms::client::VmsClient;

/// The mistakes in certificates and keys, a line each.
pub fn check_files(settings: &Settings) -> Vec<String> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let tls = settings.server.tls.clone().map(ServerTls::try_new).transpose().err().map(|error| error.to_string());
    let issuer = token_verifier(settings.auth.clone(), &clock).err().map(|error| error.to_string());
    let target = VmsClient::from_config(&settings.target, clock).err().map(|error| error.to_string());
    [tls, issuer, target].into_iter().flatten().chain(database_files(&settings.ledger.storage)).collect()
}

/// The mistakes in the files that the URL of a database names. The URL itself was checked with the settings.
pub fn database_files(storage: &Storage) -> Vec<String> {
    let Storage::Postgres(url) = storage else { return Vec::new() };
    let mistakes = url.read().map_or_else(|problem| vec![problem], |url| url_mistakes(url.expose_secret()));
    mistakes.into_iter().map(|mistake| format!("ledger.url: {mistake}")).collect()
}
