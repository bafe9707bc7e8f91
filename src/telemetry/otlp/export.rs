//! The loop that takes spans as they end, and exports them in batches.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use tokio_util::sync::CancellationToken;

use super::collector::{Collector, Exported};
use super::spans::export_request;
use crate::clock::{Clock, Moment};
use crate::config::Otlp;
use crate::outbound::OutboundError;
use crate::telemetry::export_outage::ExportOutage;
use crate::trace::{EndedSpans, Tracer};

/// Spans of one export: OpenTelemetry's default.
const BATCH: usize = 512;

/// Time in which a batch grows: people look at a trace a little after it.
const GATHERING: Duration = Duration::from_secs(1);

/// Pause after the first failure of a batch; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Longest pause, also if the collector wants a longer one.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How long a batch is tried. Meanwhile newer spans wait, and are dropped when there is no room.
const PATIENCE: Duration = Duration::from_mins(1);

/// Time for what is left when the service stops.
const FLUSH_LIMIT: Duration = Duration::from_secs(2);

/// Begins to trace: spans are recorded with the tracer, and exported while the export runs.
///
/// # Errors
/// If no HTTP client can be built.
pub fn start_traces(
    settings: Option<Otlp>,
    clock: &Arc<dyn Clock>,
) -> Result<(Tracer, Option<SpanExport>), OutboundError> {
    let Some(settings) = settings else { return Ok((Tracer::off(), None)) };
    let sampling = settings.sampling;
    let collector = Collector::try_new(settings, Arc::clone(clock))?;
    let (tracer, ended) = Tracer::recording(Arc::clone(clock), sampling);
    let outage = ExportOutage::new("telemetry.otlp_endpoint");
    Ok((tracer, Some(SpanExport { ended, collector, clock: Arc::clone(clock), outage })))
}

/// Exports spans to a collector.
#[derive(Debug)]
pub struct SpanExport {
    ended: EndedSpans,
    collector: Collector,
    clock: Arc<dyn Clock>,
    outage: ExportOutage,
}

impl SpanExport {
    /// Exports until `stop`, then what has ended by then, for two seconds at most.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut unsent = None;
        while unsent.is_none() {
            let Some(spans) = stop.run_until_cancelled(self.ended.take(BATCH)).await else { break };
            let gathering = self.clock.sleep(GATHERING);
            let _ = stop.run_until_cancelled(gathering).await;
            let mut spans = spans;
            spans.extend(self.ended.take_ready(BATCH.saturating_sub(spans.len())));
            unsent = self.deliver(export_request(spans), &stop).await;
        }
        let clock = Arc::clone(&self.clock);
        tokio::select! {
            biased;
            () = self.flush(unsent) => {}
            () = clock.sleep(FLUSH_LIMIT) => {}
        }
    }

    /// Exports a batch, and repeats it for a while; returns it if the service stops meanwhile.
    async fn deliver(
        &mut self,
        batch: ExportTraceServiceRequest,
        stop: &CancellationToken,
    ) -> Option<ExportTraceServiceRequest> {
        let give_up_at = self.clock.moment().after(PATIENCE);
        let mut pause = FIRST_PAUSE;
        loop {
            let Some(exported) = stop.run_until_cancelled(self.collector.export(&batch)).await else {
                return Some(batch);
            };
            self.outage.lose(self.ended.take_lost());
            let wanted = self.settle(exported, &batch, give_up_at)?;
            let wait = self.clock.sleep(wanted.max(pause).min(LONGEST_PAUSE));
            if stop.run_until_cancelled(wait).await.is_none() {
                return Some(batch);
            }
            pause = pause.saturating_mul(2);
        }
    }

    /// Notes how an export ended; returns the pause that the collector wants, if there is to be another one.
    fn settle(
        &mut self,
        exported: Exported,
        batch: &ExportTraceServiceRequest,
        give_up_at: Moment,
    ) -> Option<Duration> {
        let now = self.clock.moment();
        match exported {
            Exported::Taken { refused: None } => self.outage.worked(now),
            Exported::Taken { refused: Some((count, detail)) } => self.outage.refused(&detail, count, now),
            Exported::Refused(detail) => self.outage.refused(&detail, count(batch), now),
            Exported::Failed { detail, .. } if now >= give_up_at => self.outage.refused(&detail, count(batch), now),
            Exported::Failed { detail, retry_after } => {
                self.outage.failed(&detail, now);
                return Some(retry_after.unwrap_or_default());
            }
        }
        None
    }

    async fn flush(&mut self, unsent: Option<ExportTraceServiceRequest>) {
        let mut next = unsent;
        loop {
            let batch = match next.take() {
                Some(batch) => batch,
                None => match self.ended.take_ready(BATCH) {
                    spans if spans.is_empty() => return,
                    spans => export_request(spans),
                },
            };
            if let Exported::Failed { detail, .. } = self.collector.export(&batch).await {
                self.outage.refused(&detail, count(&batch), self.clock.moment());
                return;
            }
        }
    }
}

fn count(batch: &ExportTraceServiceRequest) -> u64 {
    let scopes = batch.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
    scopes.map(|scope| scope.spans.len() as u64).sum()
}
