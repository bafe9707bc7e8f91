//! The span that the current task works in.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::context::TraceContext;
use super::recorder::Recorder;

/// The place in a trace at which a task works. Clones are handed to tasks that continue its work.
#[derive(Debug, Clone)]
pub struct Current {
    pub(super) context: TraceContext,
    pub(super) state: Option<Arc<str>>,
    /// None if the trace is not sampled.
    pub(super) recorder: Option<Arc<Recorder>>,
}

tokio::task_local! {
    static CURRENT: Current;
}

impl Current {
    /// The span.
    pub const fn context(&self) -> TraceContext {
        self.context
    }

    /// The `tracestate` that goes with it.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// Runs at this place.
    pub fn enclose_sync<T>(self, work: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self, work)
    }
}

/// The place of the current task; `None` if nothing is traced.
pub fn current() -> Option<Current> {
    CURRENT.try_with(Clone::clone).ok()
}

/// The recorded span of the current task: no backend has any other.
pub fn current_context() -> Option<TraceContext> {
    CURRENT.try_with(|current| current.context).ok().filter(TraceContext::is_sampled)
}

pin_project! {
    /// Work at a place, or at none. No larger than the work: two branches of an `async fn` would each have room for it.
    #[must_use = "futures do nothing unless polled"]
    #[derive(Debug)]
    pub struct Enclosed<F> {
        place: Option<Current>,
        #[pin]
        work: F,
    }
}

impl<F> Enclosed<F> {
    /// Work at a place; without one, at that of the task that does it.
    pub(super) const fn new(place: Option<Current>, work: F) -> Self {
        Self { place, work }
    }
}

impl<F: Future> Future for Enclosed<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        match this.place {
            Some(place) => CURRENT.sync_scope(place.clone(), || this.work.poll(context)),
            None => this.work.poll(context),
        }
    }
}

/// The work, at the place of the current task: for a task of its own that continues it.
pub fn carry<F>(work: F) -> Enclosed<F> {
    Enclosed::new(current(), work)
}

/// Looks at the place of the current task, if something is traced.
pub(super) fn with_current<T>(read: impl FnOnce(&Current) -> T) -> Option<T> {
    CURRENT.try_with(read).ok()
}
