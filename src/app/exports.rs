//! What is exported to receivers of telemetry, from the start of the service to its very end.

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::api::ApiState;
use crate::clock::Clock;
use crate::config::Telemetry;
use crate::outbound::OutboundError;
use crate::telemetry::LogRecords;
use crate::telemetry::cloud_alm::CloudAlm;
use crate::telemetry::metrics::ExportMetrics;
use crate::telemetry::otlp::{SpanExport, start_traces};
use crate::trace::Tracer;

/// The receivers that the settings name.
#[derive(Debug)]
pub struct Exports {
    spans: Option<SpanExport>,
    cloud_alm: Option<CloudAlm>,
    /// What is dropped.
    pub metrics: Arc<ExportMetrics>,
    /// Log records for Cloud ALM; there is one log in a process.
    pub records: Option<LogRecords>,
}

impl Exports {
    /// Builds their clients, and what records for them; connects nowhere yet.
    ///
    /// # Errors
    /// If no HTTP client can be built.
    pub fn try_new(telemetry: Telemetry, clock: &Arc<dyn Clock>) -> Result<(Tracer, Self), OutboundError> {
        let metrics = Arc::<ExportMetrics>::default();
        let (tracer, spans) = start_traces(telemetry.otlp, &metrics, clock)?;
        let cloud_alm = telemetry.cloud_alm.map(|cloud_alm| CloudAlm::try_new(cloud_alm, Arc::clone(&metrics), clock));
        Ok((tracer, Self { spans, cloud_alm: cloud_alm.transpose()?, metrics, records: None }))
    }

    /// Exports until [`RunningExports::finish`].
    pub fn start(self, api: &Arc<ApiState>) -> RunningExports {
        let (mut tasks, stop) = (JoinSet::new(), CancellationToken::new());
        if let Some(spans) = self.spans {
            tasks.spawn(spans.run(stop.clone()));
        }
        if let Some(cloud_alm) = self.cloud_alm {
            let api = Arc::clone(api);
            tasks.spawn(cloud_alm.run(move || api.metrics.text(), self.records, stop.clone()));
        }
        RunningExports { tasks, stop }
    }
}

/// Exports under way.
pub struct RunningExports {
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

impl RunningExports {
    /// Exports what is left, for two seconds at most.
    pub async fn finish(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                error!(error.message = %error, "an export of telemetry failed; orders are not affected");
            }
        }
    }
}
