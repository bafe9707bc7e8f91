//! One span under way: a stage with a beginning and an end, and the work that is done in it.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::attributes;
use super::context::{RemoteContext, TraceContext};
use super::current::{Current, Enclosed, with_current};
use super::ended_span::{Attribute, EndedSpan, SpanKind};
use super::recorder::Recorder;
use crate::clock::Moment;

/// Longest text of an attribute, in characters: a URL or an id that is longer is nobody's.
const MAX_TEXT_CHARS: usize = 512;

/// A span under way.
#[derive(Debug)]
struct Open {
    record: EndedSpan,
    began: Moment,
    recorder: Arc<Recorder>,
}

/// A stage under way. It ends when it is dropped.
#[derive(Debug, Default)]
enum State {
    /// Nothing is traced.
    #[default]
    Off,
    /// The trace is not recorded, but passed on.
    Unsampled(TraceContext, Option<Arc<str>>),
    /// Recorded.
    Recorded(Box<Open>),
}

/// A stage under way, recorded or not. It ends when it is dropped.
#[derive(Debug, Default)]
pub struct Span(State);

impl Span {
    pub(super) const fn unsampled(context: TraceContext, state: Option<Arc<str>>) -> Self {
        Self(State::Unsampled(context, state))
    }

    pub(super) fn recorded(
        recorder: &Arc<Recorder>,
        context: TraceContext,
        parent: Option<&RemoteContext>,
        kind: SpanKind,
        name: &'static str,
    ) -> Self {
        let record = EndedSpan {
            context,
            state: parent.and_then(|parent| parent.state.clone()),
            parent: parent.map(|parent| parent.context.span_id),
            has_remote_parent: parent.is_some(),
            kind,
            name: Cow::Borrowed(name),
            started_at: recorder.clock.now(),
            took: Duration::ZERO,
            attributes: Vec::new(),
            links: Vec::new(),
            has_failed: false,
        };
        let began = recorder.clock.moment();
        Self(State::Recorded(Box::new(Open { record, began, recorder: Arc::clone(recorder) })))
    }

    pub(super) fn child_of(current: &Current, name: &'static str, kind: SpanKind) -> Self {
        let Some(recorder) = &current.recorder else { return Self::default() };
        let parent = RemoteContext { context: current.context, state: current.state.clone() };
        Self::recorded(recorder, current.context.child(), Some(&parent), kind, name).with_own_parent()
    }

    /// The same span, whose parent is one of this process.
    #[must_use]
    pub(super) fn with_own_parent(mut self) -> Self {
        if let State::Recorded(open) = &mut self.0 {
            open.record.has_remote_parent = false;
        }
        self
    }

    /// Whether something is recorded: what costs more than an attribute is then worth its while.
    pub const fn is_recorded(&self) -> bool {
        matches!(self.0, State::Recorded(_))
    }

    /// Gives the span a name that is only known now, of few values.
    pub fn rename(&mut self, name: impl FnOnce() -> String) {
        if let State::Recorded(open) = &mut self.0 {
            open.record.name = Cow::Owned(name());
        }
    }

    /// Adds an attribute of [`super::attributes`].
    pub fn set(&mut self, name: &'static str, value: impl Into<Attribute>) {
        if let State::Recorded(open) = &mut self.0 {
            open.record.attributes.push((name, value.into()));
        }
    }

    /// Adds a text, copied only if it is recorded; nothing if there is none.
    pub fn set_text<'t>(&mut self, name: &'static str, text: impl Into<Option<&'t str>>) {
        if let (State::Recorded(open), Some(text)) = (&mut self.0, text.into()) {
            let text: String = text.chars().take(MAX_TEXT_CHARS).collect();
            open.record.attributes.push((name, Attribute::Text(Cow::Owned(text))));
        }
    }

    /// Marks the stage as failed, for a reason of few values.
    pub fn fail(&mut self, kind: &'static str) {
        self.fail_as(kind);
    }

    /// Marks a call as failed whose answer has this status.
    pub fn fail_with_status(&mut self, status: u16) {
        if self.is_recorded() {
            self.fail_as(status.to_string());
        }
    }

    fn fail_as(&mut self, kind: impl Into<Cow<'static, str>>) {
        self.set(attributes::ERROR, Attribute::Text(kind.into()));
        if let State::Recorded(open) = &mut self.0 {
            open.record.has_failed = true;
        }
    }

    /// Adds a span of another trace that this one has to do with.
    pub fn link(&mut self, other: TraceContext) {
        if let State::Recorded(open) = &mut self.0 {
            open.record.links.push(other);
        }
    }

    /// The place of work inside of this span; `None` if nothing is traced.
    pub fn current(&self) -> Option<Current> {
        match &self.0 {
            State::Off => None,
            State::Unsampled(context, state) => {
                Some(Current { context: *context, state: state.clone(), recorder: None })
            }
            State::Recorded(open) => Some(Current {
                context: open.record.context,
                state: open.record.state.clone(),
                recorder: Some(Arc::clone(&open.recorder)),
            }),
        }
    }

    /// Does the work of this span.
    pub fn enclose<F>(&self, work: F) -> Enclosed<F> {
        Enclosed::new(self.current(), work)
    }

    /// Does the work of this span, at once.
    pub fn enclose_sync<T>(&self, work: impl FnOnce() -> T) -> T {
        match self.current() {
            Some(current) => current.enclose_sync(work),
            None => work(),
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if let State::Recorded(open) = std::mem::take(&mut self.0) {
            let Open { mut record, began, recorder } = *open;
            record.took = recorder.clock.moment().since(began);
            recorder.keep(record);
        }
    }
}

/// Begins a stage of the current task's work. It ends when it is dropped.
pub fn child(name: &'static str, kind: SpanKind) -> Span {
    with_current(|current| Span::child_of(current, name, kind)).unwrap_or_default()
}
