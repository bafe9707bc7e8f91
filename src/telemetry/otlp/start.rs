//! The start of traces: what records spans, and what exports them.

use std::sync::Arc;
use std::time::Duration;

use super::collector::Collector;
use crate::clock::Clock;
use crate::config::Otlp;
use crate::outbound::OutboundError;
use crate::telemetry::export::{BatchLoop, ExportOutage, Pace, Signal};
use crate::telemetry::metrics::ExportMetrics;
use crate::trace::Tracer;

/// OpenTelemetry's default batch; people look at a trace a little after it.
const PACE: Pace = Pace { batch: 512, gathering: Duration::from_secs(1), patience: Duration::from_mins(1) };

/// Exports spans to a collector.
pub type SpanExport = BatchLoop<Collector>;

/// Begins to trace: spans are recorded with the tracer, and exported while the export runs.
///
/// # Errors
/// If no HTTP client can be built.
pub fn start_traces(
    settings: Option<Otlp>,
    metrics: &ExportMetrics,
    clock: &Arc<dyn Clock>,
) -> Result<(Tracer, Option<SpanExport>), OutboundError> {
    let Some(settings) = settings else { return Ok((Tracer::off(), None)) };
    let sampling = settings.sampling;
    let collector = Collector::try_new(settings, Arc::clone(clock))?;
    let (tracer, ended) = Tracer::recording(Arc::clone(clock), sampling);
    let outage = ExportOutage::new("telemetry.otlp_endpoint", Signal::Traces, metrics);
    Ok((tracer, Some(BatchLoop::new(ended, collector, PACE, outage, clock))))
}
