//! Spans that have ended, until they are exported: a dead collector costs memory for so many and no more.

use super::ended_span::EndedSpan;
use crate::bounded_queue::QueueReceiver;

/// The receiving end.
pub type EndedSpans = QueueReceiver<EndedSpan>;
