//! Spans that have ended, until they are exported: bounded, so that a dead collector costs memory for this many and no more.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::mpsc;

use super::ended_span::EndedSpan;
use super::recorder::Recorder;

/// The receiving end.
#[derive(Debug)]
pub struct EndedSpans {
    pub(super) receiver: mpsc::Receiver<EndedSpan>,
    pub(super) recorder: Arc<Recorder>,
}

impl EndedSpans {
    /// Waits for spans, and takes at most `limit` of those that have ended.
    pub async fn take(&mut self, limit: usize) -> Vec<EndedSpan> {
        let mut spans = Vec::new();
        self.receiver.recv_many(&mut spans, limit).await;
        spans
    }

    /// What has ended and was not taken, at most `limit`.
    pub fn take_ready(&mut self, limit: usize) -> Vec<EndedSpan> {
        std::iter::from_fn(|| self.receiver.try_recv().ok()).take(limit).collect()
    }

    /// The number of spans that found no room, since this was asked last.
    pub fn take_lost(&self) -> u64 {
        self.recorder.lost.swap(0, Ordering::Relaxed)
    }
}
