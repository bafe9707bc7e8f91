//! The certificates and keys that settings name, loaded as at a start but without one: for `check`.

use std::sync::Arc;

use super::verifier::token_verifier;
use crate::clock::{Clock, SystemClock};
use crate::config::Settings;
use crate::edge::ServerTls;
use crate::vms::client::VmsClient;

/// The mistakes in certificates and keys, a line each.
pub fn check_files(settings: &Settings) -> Vec<String> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let tls = settings.server.tls.clone().map(ServerTls::try_new).transpose().err().map(|error| error.to_string());
    let issuer = token_verifier(settings.auth.clone(), &clock).err().map(|error| error.to_string());
    let target = VmsClient::from_config(&settings.target, clock).err().map(|error| error.to_string());
    [tls, issuer, target].into_iter().flatten().collect()
}
