//! `serve`: the service itself. Whatever prevents its start is a log line, as a log collector expects it.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use tracing::{error, info};

use super::failure::{EXIT_CONFIG, Failure};
use super::process::{change_log_level_on_signal, runtime, stop_on_signal};
use crate::app::App;
use crate::clock::SystemClock;
use crate::config::{LogFormat, Settings, environment};
use crate::shutdown::Shutdown;
use crate::{system, telemetry};

/// Serves until a signal; returns the exit code.
pub fn serve(file: Option<&Path>) -> ExitCode {
    let environment = environment();
    let (format, served) = match Settings::load(file, &environment) {
        Ok(settings) => (settings.telemetry.log_format, run(settings, file)),
        Err(mistakes) => {
            let failure = Failure { code: EXIT_CONFIG, lines: mistakes.0 };
            (LogFormat::load_or_default(file, &environment), Err(failure))
        }
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { code, lines }) => {
            telemetry::report_on_standard_error(format, || {
                for line in lines {
                    error!(error.message = %line, "the service can't start: no cart is accepted, and no order is sent");
                }
            });
            ExitCode::from(code)
        }
    }
}

fn run(settings: Settings, file: Option<&Path>) -> Result<(), Failure> {
    let (log, records) = telemetry::start_log(&settings.telemetry);
    let refused = system::prepare(settings.server.limits.connections);
    let tls = settings.server.tls.is_some();
    runtime()?.block_on(async {
        let shutdown = Shutdown::default();
        stop_on_signal(shutdown.clone())?;
        change_log_level_on_signal(log, file.map(Path::to_owned))?;
        // A start may wait for its database.
        let building = Box::pin(App::build(settings, Arc::new(SystemClock)));
        let Some(app) = shutdown.announced().run_until_cancelled(building).await else {
            return Ok(());
        };
        let app = app?;
        refused.warn();
        if let (Ok(address), Ok(management)) = (app.address(), app.management_address()) {
            info!(
                server.address = %address,
                server.management.address = %management,
                server.tls = tls,
                "the service listens: carts are accepted"
            );
        }
        app.with_log_records(records).run(shutdown).await;
        Ok(())
    })
}
