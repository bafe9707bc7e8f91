//! The process of a command: runtime, signals, standard output.

use std::io::Write as _;

use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};

use super::failure::{EXIT_FAILURE, Failure};
use crate::shutdown::Shutdown;

/// The asynchronous runtime.
pub fn runtime() -> Result<Runtime, Failure> {
    Runtime::new().map_err(|error| Failure::new(format!("the runtime can't start: {error}")))
}

/// Writes to standard output.
///
/// # Errors
/// If its reader has gone.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| Failure::new(format!("standard output: {error}")))
}

/// Stops the service on SIGTERM (Kubernetes) or SIGINT (a terminal). A second signal ends `server.stop_delay`, and one in
/// the drain ends the process.
pub fn stop_on_signal(shutdown: Shutdown) -> Result<(), Failure> {
    let failed = |error| Failure::new(format!("signals can't be received: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    tokio::spawn(async move {
        let mut next_signal = async || {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        next_signal().await;
        info!(
            "the service stops: not ready any more, it serves for server.stop_delay, then finishes attempts within server.drain"
        );
        shutdown.announce();
        next_signal().await;
        if !shutdown.draining().is_cancelled() {
            info!("a second signal ends server.stop_delay: the drain begins");
            shutdown.begin_drain();
            next_signal().await;
        }
        // Everything that is open is in the ledger.
        warn!("a second signal ends the service at once: open orders continue at its next start");
        std::process::exit(i32::from(EXIT_FAILURE));
    });
    Ok(())
}
