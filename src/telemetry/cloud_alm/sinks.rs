//! The receivers of the two signals: one payload each, one path each.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::client::Client;
use super::log_payload::log_payload;
use super::metric_payload::metric_payload;
use super::samples::MetricSet;
use crate::telemetry::export::{Pushed, Sink};
use crate::telemetry::log::records::LogRecord;

/// The path of metrics.
const METRICS_PATH: &str = "/calm-metrics/v1/metrics";

/// The path of logs.
const LOGS_PATH: &str = "/calm-logs/v1/logs";

/// Takes sets of metrics.
#[derive(Debug)]
pub struct MetricSink {
    pub client: Arc<Client>,
    /// When counting began.
    pub started_at: Timestamp,
}

/// Takes log records.
#[derive(Debug)]
pub struct LogSink {
    pub client: Arc<Client>,
}

#[async_trait]
impl Sink for MetricSink {
    type Entry = MetricSet;

    fn encode(&self, batch: Vec<MetricSet>) -> Vec<u8> {
        metric_payload(&batch, self.client.service_id(), self.started_at)
    }

    async fn push(&self, payload: &[u8]) -> Pushed {
        match self.client.push(METRICS_PATH, payload).await {
            // Of a set, however many of its points.
            Pushed::TakenInPart { detail, .. } => Pushed::TakenInPart { rejected: 1, detail },
            pushed => pushed,
        }
    }
}

#[async_trait]
impl Sink for LogSink {
    type Entry = LogRecord;

    fn encode(&self, batch: Vec<LogRecord>) -> Vec<u8> {
        log_payload(&batch, self.client.service_id())
    }

    async fn push(&self, payload: &[u8]) -> Pushed {
        self.client.push(LOGS_PATH, payload).await
    }
}
