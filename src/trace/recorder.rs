//! What spans are recorded with, shared by all spans of one service.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::context::TraceContext;
use super::ended_span::EndedSpan;
use super::queue::EndedSpans;
use crate::bounded_queue::{QueueSender, bounded_queue};
use crate::clock::Clock;

/// Most spans that wait for their export: some seconds of a busy service, and a few MiB.
pub(super) const MAX_WAITING: usize = 8_192;

/// Most traces that this process continues by itself. One that finds no room is continued as if another process had begun
/// it: by a trace with a link.
const MAX_OPEN_TRACES: usize = 10_000;

/// What records spans.
#[derive(Debug)]
pub(super) struct Recorder {
    pub(super) clock: Arc<dyn Clock>,
    ended: QueueSender<EndedSpan>,
    /// The places from which this process itself continues a trace.
    own: Mutex<HashSet<TraceContext>>,
}

impl Recorder {
    /// Records; what has ended arrives at the other end.
    pub(super) fn new(clock: Arc<dyn Clock>) -> (Arc<Self>, EndedSpans) {
        let (ended, receiver) = bounded_queue(MAX_WAITING);
        (Arc::new(Self { clock, ended, own: Mutex::default() }), receiver)
    }

    /// Notes a place from which this process itself continues the trace, if there is room.
    pub(super) fn own(&self, place: TraceContext) {
        let mut own = self.places();
        if own.len() < MAX_OPEN_TRACES {
            own.insert(place);
        }
    }

    /// Forgets a place.
    pub(super) fn disown(&self, place: &TraceContext) {
        self.places().remove(place);
    }

    /// Whether this process itself continues the trace from a place.
    pub(super) fn is_own(&self, place: &TraceContext) -> bool {
        self.places().contains(place)
    }

    /// Keeps a span for its export.
    pub(super) fn keep(&self, span: EndedSpan) {
        self.ended.add(span);
    }

    fn places(&self) -> MutexGuard<'_, HashSet<TraceContext>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
