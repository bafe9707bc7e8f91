//! SAP Cloud ALM: metrics and log records as OTLP in JSON, at paths of its own, with tokens of OAuth2.
//!
//! Owns what is kept until it is taken, within bounds. Nothing waits for it. JSON, because Cloud ALM's own examples are in it.

mod client;
mod log_payload;
mod metric_payload;
mod samples;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::export_outage::ExportOutage;
use super::log::records::LogRecords;
use crate::clock::Clock;
use crate::config::CloudAlm as Settings;
use crate::outbound::OutboundError;
use client::{Client, Pushed};
use log_payload::log_payload;
use metric_payload::metric_payload;

/// Between two sets of metrics: Cloud ALM shows minutes.
const METRICS_INTERVAL: Duration = Duration::from_mins(1);

/// Most sets of metrics that wait for Cloud ALM: a maintenance of a quarter of an hour leaves no gap.
const MAX_WAITING_METRICS: usize = 15;

/// Records of one payload.
const BATCH: usize = 256;

/// Time in which a payload of records grows.
const GATHERING: Duration = Duration::from_secs(5);

/// Pause after the first failure; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Most records that are pushed at the end of the service, in one payload.
const MAX_FLUSHED: usize = 4_096;

/// Time for what is left when the service stops.
const FLUSH_LIMIT: Duration = Duration::from_secs(2);

/// Log records as they are pushed.
struct RecordPayload {
    count: u64,
    json: Vec<u8>,
}

/// Pushes to Cloud ALM.
#[derive(Debug)]
pub struct CloudAlm {
    client: Client,
    service_id: String,
    clock: Arc<dyn Clock>,
}

impl CloudAlm {
    /// Fetches and sends nothing yet.
    ///
    /// # Errors
    /// If no HTTP client can be built.
    pub fn try_new(settings: Settings, clock: &Arc<dyn Clock>) -> Result<Self, OutboundError> {
        let service_id = settings.service_id.clone();
        Ok(Self { client: Client::try_new(settings, clock)?, service_id, clock: Arc::clone(clock) })
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
                self.push_records(records, &stop).await;
            }
        });
    }

    async fn push_metrics(&self, metrics: &impl Fn() -> String, stop: &CancellationToken) {
        let started_at = self.clock.now();
        let mut outage = ExportOutage::new("telemetry.cloud_alm");
        let mut waiting = VecDeque::new();
        let mut next = self.clock.moment().after(METRICS_INTERVAL);
        loop {
            let is_stopping = stop.run_until_cancelled(self.clock.sleep_until(next)).await.is_none();
            next = self.clock.moment().after(METRICS_INTERVAL);
            if waiting.len() == MAX_WAITING_METRICS {
                waiting.pop_front();
                outage.lose(1);
            }
            waiting.push_back(metric_payload(&metrics(), &self.service_id, started_at, self.clock.now()));
            let pushing = self.push_waiting(&mut waiting, &mut outage);
            if is_stopping {
                return self.within_flush_limit(pushing).await;
            }
            let _ = stop.run_until_cancelled(pushing).await;
        }
    }

    /// Pushes sets of metrics, the oldest first, until one fails.
    async fn push_waiting(&self, waiting: &mut VecDeque<Vec<u8>>, outage: &mut ExportOutage) {
        while let Some(payload) = waiting.front() {
            let pushed = self.client.push_metrics(payload).await;
            let now = self.clock.moment();
            match pushed {
                Pushed::Taken => outage.worked(now),
                Pushed::Refused(detail) => outage.refused(&detail, 1, now),
                Pushed::Failed(detail) => return outage.failed(&detail, now),
            }
            waiting.pop_front();
        }
    }

    async fn push_records(&self, mut records: LogRecords, stop: &CancellationToken) {
        let mut outage = ExportOutage::new("telemetry.cloud_alm");
        let mut unsent = None;
        while unsent.is_none() {
            let Some(mut batch) = stop.run_until_cancelled(records.take(BATCH)).await else { break };
            let _ = stop.run_until_cancelled(self.clock.sleep(GATHERING)).await;
            batch.extend(records.take_ready(BATCH.saturating_sub(batch.len())));
            outage.lose(records.take_lost());
            let payload = RecordPayload { count: batch.len() as u64, json: log_payload(&batch, &self.service_id) };
            let pushing = self.push_until_taken(&payload, &mut outage);
            unsent = stop.run_until_cancelled(pushing).await.is_none().then_some(payload);
        }
        self.within_flush_limit(async {
            if let Some(payload) = unsent {
                self.push_until_taken(&payload, &mut outage).await;
            }
            let rest = records.take_ready(MAX_FLUSHED);
            if !rest.is_empty() {
                let payload = RecordPayload { count: rest.len() as u64, json: log_payload(&rest, &self.service_id) };
                self.push_until_taken(&payload, &mut outage).await;
            }
        })
        .await;
    }

    /// Pushes one payload of records as often as it takes: newer ones wait within their bounds.
    async fn push_until_taken(&self, payload: &RecordPayload, outage: &mut ExportOutage) {
        let mut pause = FIRST_PAUSE;
        loop {
            let pushed = self.client.push_logs(&payload.json).await;
            let now = self.clock.moment();
            match pushed {
                Pushed::Taken => return outage.worked(now),
                Pushed::Refused(detail) => return outage.refused(&detail, payload.count, now),
                Pushed::Failed(detail) => outage.failed(&detail, now),
            }
            self.clock.sleep(pause).await;
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }

    async fn within_flush_limit(&self, work: impl Future<Output = ()>) {
        tokio::select! {
            biased;
            () = work => {}
            () = self.clock.sleep(FLUSH_LIMIT) => {}
        }
    }
}
