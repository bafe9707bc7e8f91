//! Spans as messages of OTLP 1.x.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Link, SpanKind as ProtoKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

use crate::telemetry::resource::{SERVICE_NAME, SERVICE_VERSION, resource_attributes};
use crate::trace::{Attribute, EndedSpan, SpanKind, TraceContext};

/// Bits of `Span.flags` beside those of `traceparent`: it is known whether the parent is remote, and it is.
const HAS_IS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

/// The request that exports spans.
pub fn export_request(spans: Vec<EndedSpan>) -> ExportTraceServiceRequest {
    let scope = InstrumentationScope {
        name: SERVICE_NAME.to_owned(),
        version: SERVICE_VERSION.to_owned(),
        ..Default::default()
    };
    let attributes = resource_attributes().map(|(name, value)| text(name, value)).to_vec();
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource { attributes, ..Default::default() }),
            scope_spans: vec![ScopeSpans {
                scope: Some(scope),
                spans: spans.into_iter().map(message).collect(),
                ..Default::default()
            }],
            ..Default::default()
        }],
    }
}

fn message(span: EndedSpan) -> Span {
    let start = u64::try_from(span.started_at.as_nanosecond()).unwrap_or_default();
    let took = u64::try_from(span.took.as_nanos()).unwrap_or(u64::MAX);
    let remote = if span.has_remote_parent { IS_REMOTE } else { 0 };
    let status = span.has_failed.then(|| Status { code: StatusCode::Error.into(), ..Default::default() });
    Span {
        trace_id: span.context.trace_id.to_vec(),
        span_id: span.context.span_id.to_vec(),
        trace_state: span.state.map(|state| state.to_string()).unwrap_or_default(),
        parent_span_id: span.parent.map(|id| id.to_vec()).unwrap_or_default(),
        flags: u32::from(span.context.flags()) | HAS_IS_REMOTE | remote,
        name: span.name.into_owned(),
        kind: kind(span.kind).into(),
        start_time_unix_nano: start,
        end_time_unix_nano: start.saturating_add(took),
        attributes: span.attributes.into_iter().map(|(name, value)| attribute(name, value)).collect(),
        links: span.links.into_iter().map(link).collect(),
        status,
        ..Default::default()
    }
}

const fn kind(kind: SpanKind) -> ProtoKind {
    match kind {
        SpanKind::Internal => ProtoKind::Internal,
        SpanKind::Server => ProtoKind::Server,
        SpanKind::Client => ProtoKind::Client,
        SpanKind::Consumer => ProtoKind::Consumer,
    }
}

/// A link leads to a span of another process, or of this one before its restart.
fn link(context: TraceContext) -> Link {
    Link {
        trace_id: context.trace_id.to_vec(),
        span_id: context.span_id.to_vec(),
        flags: u32::from(context.flags()) | HAS_IS_REMOTE | IS_REMOTE,
        ..Default::default()
    }
}

fn attribute(name: &str, value: Attribute) -> KeyValue {
    let value = match value {
        Attribute::Text(text) => Value::StringValue(text.into_owned()),
        Attribute::Integer(number) => Value::IntValue(number),
    };
    KeyValue { key: name.to_owned(), value: Some(AnyValue { value: Some(value) }), ..Default::default() }
}

fn text(name: &str, text: &str) -> KeyValue {
    attribute(name, Attribute::Text(text.to_owned().into()))
}
