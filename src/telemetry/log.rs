//! Log lines: one an event, as JSON with OpenTelemetry's names, in the Elastic Common Schema, or as text.
//!
//! The level can change while the service runs. What a receiver of records takes besides standard output has a queue of its
//! own (`log/records.rs`).

mod ecs;
mod json_line;
mod one_line;
pub mod records;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::{Subscriber, info};
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use super::escape::escape;
use crate::config::{LogFormat, LogLevel, Telemetry};
use json_line::{JsonLines, Naming};
use one_line::OneLineEach;
use records::{LogRecords, RecordLayer};

/// The level of the log of the whole process.
#[derive(Debug, Clone)]
pub struct LogControl {
    level: Arc<Mutex<LogLevel>>,
    filter: Handle<EnvFilter, Registry>,
}

impl LogControl {
    /// Changes the level, and says so at every level.
    pub fn change(&self, next: impl FnOnce(LogLevel) -> LogLevel) {
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        let (before, after) = (*level, next(*level));
        *level = after;
        if after != before {
            self.set(after);
        }
        info!(
            target: LEVEL_CHANGES,
            { setting.name = "telemetry.log_level", setting.value = after.name() },
            "the level of the log is set, until the next signal or start"
        );
    }

    fn set(&self, level: LogLevel) {
        // Fails only if the log is gone.
        drop(self.filter.reload(filter(level)));
    }
}

/// Starts the log of the whole process on standard output. A second call changes nothing. The records are those for
/// a receiver besides, if the settings have one.
pub fn start_log(settings: &Telemetry) -> (LogControl, Option<LogRecords>) {
    let (filter, handle) = reload::Layer::new(filter(settings.log_level));
    let lines = lines_to(settings.log_format, io::stdout);
    let (layer, records) = settings.cloud_alm.is_some().then(RecordLayer::new).unzip();
    // Fails only if a subscriber exists already, as in tests.
    drop(tracing_subscriber::registry().with(filter).with(lines).with(layer).try_init());
    (LogControl { level: Arc::new(Mutex::new(settings.log_level)), filter: handle }, records)
}

/// The part of the service whose lines are written at every level: whoever sets it sees that it is set.
const LEVEL_CHANGES: &str = "purchase_order_webhook::telemetry::log::level";

/// Libraries log every connection at debug: the level of the settings is for the service's own lines.
fn filter(level: LogLevel) -> EnvFilter {
    EnvFilter::new(format!(
        "{},{LEVEL_CHANGES}=info,hyper=warn,h2=warn,reqwest=warn,rustls=warn,sqlx=warn,sqlx_postgres::options=off",
        level.name()
    ))
}

/// Runs `report`, whose lines go to standard error: a service that can't start may have no log yet.
pub fn report_on_standard_error(format: LogFormat, report: impl FnOnce()) {
    tracing::subscriber::with_default(Registry::default().with(lines_to(format, io::stderr)), report);
}

fn lines_to<S, W>(format: LogFormat, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    match format {
        LogFormat::Json => JsonLines { writer, naming: Naming::OpenTelemetry }.boxed(),
        LogFormat::Ecs => JsonLines { writer, naming: Naming::Ecs }.boxed(),
        LogFormat::Text => fmt::layer().with_ansi(false).with_writer(OneLineEach { writer, escape }).boxed(),
    }
}
