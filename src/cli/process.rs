//! The process of a command: runtime, signals, standard output.

use std::io::Write as _;
use std::path::PathBuf;

use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};

use super::failure::{EXIT_FAILURE, Failure};
use crate::config::{LogLevel, environment};
use crate::shutdown::Shutdown;
use crate::telemetry::LogControl;

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

/// Changes the level of the log by signals: SIGHUP sets what the settings say now, SIGUSR1 writes more, SIGUSR2 less.
pub fn change_log_level_on_signal(log: LogControl, file: Option<PathBuf>) -> Result<(), Failure> {
    let failed = |error| Failure::new(format!("signals can't be received: {error}"));
    let mut again = signal(SignalKind::hangup()).map_err(failed)?;
    let mut more = signal(SignalKind::user_defined1()).map_err(failed)?;
    let mut fewer = signal(SignalKind::user_defined2()).map_err(failed)?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = again.recv() => match LogLevel::load(file.as_deref(), &environment()) {
                    Ok(level) => log.change(|_| level),
                    Err(mistakes) => warn!(
                        setting.name = "telemetry.log_level",
                        error.message = mistakes.0.join("; "),
                        "the level of the log can't be read; the one before stays"
                    ),
                },
                _ = more.recv() => log.change(LogLevel::more),
                _ = fewer.recv() => log.change(LogLevel::fewer),
            }
        }
    });
    Ok(())
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
