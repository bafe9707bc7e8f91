//! SAP Cloud ALM: metrics and log records as OTLP in JSON, at paths of its own, with tokens of OAuth2.
//!
//! Owns when metrics are collected; batches and repeats are those of `export.rs`. JSON, because Cloud ALM's own examples are
//! in it.

mod client;
mod json;
mod log_payload;
mod metric_payload;
mod samples;
mod sinks;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::export::{BatchLoop, ExportOutage, Pace, Signal};
use super::log::records::LogRecords;
use super::metrics::ExportMetrics;
use crate::bounded_queue::{QueueSender, bounded_queue};
use crate::clock::{Clock, PointInTime};
use crate::config::CloudAlm as Settings;
use crate::outbound::OutboundError;
use client::Client;
use samples::MetricSet;
use sinks::{LogSink, MetricSink};

/// The setting that names Cloud ALM.
const SETTING: &str = "telemetry.cloud_alm";

/// Between two sets of metrics: Cloud ALM shows minutes.
const METRICS_INTERVAL: Duration = Duration::from_mins(1);

/// Most sets of metrics that wait for Cloud ALM: a maintenance of a quarter of an hour leaves no gap.
const MAX_WAITING_METRICS: usize = 15;

/// One set at a time, as soon as it is there, and as long as there is room for those after it.
const METRICS_PACE: Pace = Pace { batch: 1, gathering: Duration::ZERO, patience: Duration::from_mins(15) };

/// Records are read some minutes later; a payload stays below a MiB.
const LOGS_PACE: Pace = Pace { batch: 256, gathering: Duration::from_secs(5), patience: Duration::from_mins(1) };

/// Pushes to Cloud ALM.
#[derive(Debug)]
pub struct CloudAlm {
    client: Arc<Client>,
    metrics: Arc<ExportMetrics>,
    clock: Arc<dyn Clock>,
}

impl CloudAlm {
    /// Fetches and sends nothing yet.
    ///
    /// # Errors
    /// If no HTTP client can be built.
    pub fn try_new(
        settings: Settings,
        metrics: Arc<ExportMetrics>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, OutboundError> {
        Ok(Self { client: Arc::new(Client::try_new(settings, clock)?), metrics, clock: Arc::clone(clock) })
    }

    /// Pushes the text of all `metrics` each minute, and `records`, until `stop`; then what is left, for two seconds at most.
    pub async fn run(
        self,
        metrics: impl Fn() -> String + Send + 'static,
        records: Option<LogRecords>,
        stop: CancellationToken,
    ) {
        tokio::join!(self.push_metrics(&metrics, &stop), async {
            if let Some(records) = records {
                let sink = LogSink { client: Arc::clone(&self.client) };
                let outage = ExportOutage::new(SETTING, Signal::Logs, &self.metrics);
                BatchLoop::new(records, sink, LOGS_PACE, outage, &self.clock).run(stop.clone()).await;
            }
        });
    }

    async fn push_metrics(&self, metrics: &impl Fn() -> String, stop: &CancellationToken) {
        let (sets, waiting) = bounded_queue(MAX_WAITING_METRICS);
        let start = PointInTime::now(self.clock.as_ref());
        let sink = MetricSink { client: Arc::clone(&self.client), started_at: start.time() };
        let outage = ExportOutage::new(SETTING, Signal::Metrics, &self.metrics);
        let pushing = BatchLoop::new(waiting, sink, METRICS_PACE, outage, &self.clock);
        // The last set is of the stop itself, and is pushed as well.
        let collected = CancellationToken::new();
        tokio::join!(pushing.run(collected.clone()), async {
            self.collect(metrics, &sets, start, stop).await;
            collected.cancel();
        });
    }

    /// Adds a set each minute, and one at the stop.
    async fn collect(
        &self,
        metrics: &impl Fn() -> String,
        sets: &QueueSender<MetricSet>,
        start: PointInTime,
        stop: &CancellationToken,
    ) {
        loop {
            let minute = self.clock.sleep(METRICS_INTERVAL);
            let is_stopping = stop.run_until_cancelled(minute).await.is_none();
            // What counts from the start has no place for a wall clock that steps.
            sets.add(MetricSet { text: metrics(), time: start.steady_now(self.clock.as_ref()) });
            if is_stopping {
                return;
            }
        }
    }
}
