//! Traces: the spans of one order's way in OpenTelemetry's terms, and the W3C Trace Context that ties them to those of others.
//!
//! Owns contexts, spans, sampling, and which span the current task works in. Knows neither orders nor how spans are exported:
//! `telemetry/otlp.rs` takes those that have ended. Without a [`Tracer`] that records, nothing is made and nothing is kept: a
//! stage then costs one look at a task's own storage.

pub mod attributes;
mod context;
mod current;
mod ended_span;
mod queue;
mod recorder;
mod sampling;
mod span;
mod tracer;

pub use context::{RemoteContext, TraceContext};
pub use current::{Current, Enclosed, carry, current, current_context};
pub use ended_span::{Attribute, EndedSpan, SpanKind};
pub use queue::EndedSpans;
pub use sampling::Sampling;
pub use span::{Span, child};
pub use tracer::Tracer;
