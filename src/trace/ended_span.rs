//! What is known of a span that has ended. Never a payload: ids, states and outcomes alone.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::context::TraceContext;

/// The role of a span between processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanKind {
    /// A stage inside of this process.
    Internal,
    /// A request that is answered.
    Server,
    /// A request to another process.
    Client,
    /// Work that another span has caused, and does not wait for.
    Consumer,
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribute {
    /// A text.
    Text(Cow<'static, str>),
    /// A whole number.
    Integer(i64),
}

impl From<&'static str> for Attribute {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<u16> for Attribute {
    fn from(number: u16) -> Self {
        Self::Integer(number.into())
    }
}

impl From<u32> for Attribute {
    fn from(number: u32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<usize> for Attribute {
    fn from(number: usize) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

/// A span that has ended.
#[derive(Debug, Clone)]
pub struct EndedSpan {
    /// Its place.
    pub context: TraceContext,
    /// The `tracestate` of its trace.
    pub state: Option<Arc<str>>,
    /// The span that it belongs to; `None` for the first one of a trace.
    pub parent: Option<[u8; 8]>,
    /// Whether the parent is another process's.
    pub has_remote_parent: bool,
    /// Its role.
    pub kind: SpanKind,
    /// Its name: of few values.
    pub name: Cow<'static, str>,
    /// When it began, by the wall clock.
    pub started_at: Timestamp,
    /// How long it took, by the monotonic clock.
    pub took: Duration,
    /// What is known of it.
    pub attributes: Vec<(&'static str, Attribute)>,
    /// Spans of other traces that it has to do with.
    pub links: Vec<TraceContext>,
    /// Whether the stage failed.
    pub has_failed: bool,
}
