//! The span that the current task works in.

use std::sync::Arc;

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

    /// Works at this place.
    pub async fn enclose<T>(self, work: impl Future<Output = T>) -> T {
        CURRENT.scope(self, work).await
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

/// The span of the current task.
pub fn current_context() -> Option<TraceContext> {
    CURRENT.try_with(|current| current.context).ok()
}

/// The work, at the place of the current task: for a task of its own that continues it.
pub fn carry<F: Future>(work: F) -> impl Future<Output = F::Output> + use<F> {
    let place = current();
    async move {
        match place {
            Some(place) => place.enclose(work).await,
            None => work.await,
        }
    }
}

/// Looks at the place of the current task, if something is traced.
pub(super) fn with_current<T>(read: impl FnOnce(&Current) -> T) -> Option<T> {
    CURRENT.try_with(read).ok()
}
