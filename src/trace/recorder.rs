//! What spans are recorded with, shared by all spans of one service.

use std::sync::Arc;

use quick_cache::sync::Cache;

use super::context::TraceContext;
use super::ended_span::EndedSpan;
use super::queue::EndedSpans;
use crate::bounded_queue::{QueueSender, bounded_queue};
use crate::clock::Clock;

/// Most spans that wait for their export: some seconds of a busy service, and a few MiB.
pub(super) const MAX_WAITING: usize = 8_192;

/// Most orders whose traces this process continues by itself. Beyond it, the ones that were not asked for are forgotten, and
/// continued as if another process had begun them: by a trace with a link.
const MAX_OWN_ORDERS: usize = 10_000;

/// What records spans.
#[derive(Debug)]
pub(super) struct Recorder {
    pub(super) clock: Arc<dyn Clock>,
    ended: QueueSender<EndedSpan>,
    /// The places from which this process itself continues a trace, by order: carts of a batch have one place.
    own: Cache<String, TraceContext>,
}

impl Recorder {
    /// Records; what has ended arrives at the other end.
    pub(super) fn new(clock: Arc<dyn Clock>) -> (Arc<Self>, EndedSpans) {
        let (ended, receiver) = bounded_queue(MAX_WAITING);
        (Arc::new(Self { clock, ended, own: Cache::new(MAX_OWN_ORDERS) }), receiver)
    }

    /// Notes that this process itself continues the trace of an order from a place.
    pub(super) fn own(&self, order: &str, place: TraceContext) {
        self.own.insert(order.to_owned(), place);
    }

    /// Forgets an order.
    pub(super) fn disown(&self, order: &str) {
        self.own.remove(order);
    }

    /// Whether this process itself continues the trace of an order from a place.
    pub(super) fn is_own(&self, order: &str, place: &TraceContext) -> bool {
        self.own.get(order).is_some_and(|own| own == *place)
    }

    /// Keeps a span for its export.
    pub(super) fn keep(&self, span: EndedSpan) {
        self.ended.add(span);
    }
}
