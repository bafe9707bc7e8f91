//! The beginning of traces: which are recorded, and which belong to a trace that another process, or this one, began.

use std::sync::Arc;

use super::context::{RemoteContext, TraceContext};
use super::ended_span::SpanKind;
use super::queue::EndedSpans;
use super::recorder::Recorder;
use super::sampling::Sampling;
use super::span::Span;
use crate::clock::Clock;

/// Begins traces, if traces are on. Clones record for the same export.
#[derive(Debug, Clone, Default)]
pub struct Tracer(Option<Root>);

/// What a tracer that records has.
#[derive(Debug, Clone)]
struct Root {
    recorder: Arc<Recorder>,
    sampling: Sampling,
}

impl Tracer {
    /// Records nothing, and passes on nothing.
    pub const fn off() -> Self {
        Self(None)
    }

    /// Records; what has ended is to be taken from the other end.
    pub fn recording(clock: Arc<dyn Clock>, sampling: Sampling) -> (Self, EndedSpans) {
        let (recorder, ended) = Recorder::new(clock);
        (Self(Some(Root { recorder, sampling })), ended)
    }

    /// Whether traces are on.
    pub const fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Begins a span in the trace of a caller, or a trace of its own without one. The caller's flag decides whether it is
    /// recorded; without a caller, the ratio.
    pub fn start(&self, caller: Option<&RemoteContext>, name: &'static str, kind: SpanKind) -> Span {
        let Some(Root { recorder, sampling }) = &self.0 else { return Span::default() };
        let context = match caller {
            Some(caller) => caller.context.child(),
            None => TraceContext::start(|trace_id| sampling.takes(trace_id)),
        };
        if context.is_sampled() {
            Span::recorded(recorder, context, caller, kind, name)
        } else {
            Span::unsampled(context, caller.and_then(|caller| caller.state.clone()))
        }
    }

    /// Begins a span that continues the stored trace of an order: in that trace, if this process has begun it; else in a trace of
    /// its own, recorded as that one was, and linked to it.
    pub fn resume(&self, order: &str, stored: Option<&RemoteContext>, name: &'static str, kind: SpanKind) -> Span {
        let Some(Root { recorder, .. }) = &self.0 else { return Span::default() };
        let Some(stored) = stored else { return self.start(None, name, kind) };
        if !stored.context.is_sampled() {
            return Span::unsampled(stored.context, stored.state.clone());
        }
        if recorder.is_own(order, &stored.context) {
            return Span::recorded(recorder, stored.context.child(), Some(stored), kind, name).with_own_parent();
        }
        let mut span = Span::recorded(recorder, TraceContext::start(|_| true), None, kind, name);
        span.link(stored.context);
        span
    }

    /// Notes that this process itself continues the trace of an order from a place.
    pub fn own(&self, order: &str, place: Option<TraceContext>) {
        if let (Some(root), Some(place)) = (&self.0, place.filter(TraceContext::is_sampled)) {
            root.recorder.own(order, place);
        }
    }

    /// Notes that the trace of an order has come to its end.
    pub fn disown(&self, order: &str) {
        if let Some(root) = &self.0 {
            root.recorder.disown(order);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{child, current, current_context};
    use super::*;
    use crate::clock::ManualClock;
    use crate::trace::recorder::MAX_WAITING;

    fn recording(ratio: f64) -> (Tracer, EndedSpans, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::default());
        let (tracer, ended) = Tracer::recording(clock.clone(), Sampling(ratio));
        (tracer, ended, clock)
    }

    fn caller(flags: &str) -> RemoteContext {
        let text = format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}");
        RemoteContext { context: TraceContext::parse(&text).unwrap(), state: Some("a=1".into()) }
    }

    #[test]
    fn the_ratio_decides_by_the_traces_id() {
        let id = |low: u64| u128::from(low).to_be_bytes();
        for (ratio, low, expected) in [
            (0.0, 0, false),
            (1.0, u64::MAX, true),
            (0.5, u64::MAX / 2 - 1, true),
            (0.5, u64::MAX / 2 + 1, false),
            (0.1, u64::MAX / 11, true),
            (0.1, u64::MAX / 9, false),
        ] {
            assert_eq!(Sampling(ratio).takes(&id(low)), expected, "{ratio} {low}");
        }
    }

    #[test]
    fn a_callers_flag_goes_before_the_ratio() {
        for (ratio, flags, expected) in [(0.0, "01", 1), (1.0, "00", 0), (1.0, "01", 1), (0.0, "00", 0)] {
            let (tracer, ended, _) = recording(ratio);
            let span = tracer.start(Some(&caller(flags)), "POST", SpanKind::Server);
            assert_eq!(span.current().unwrap().context().trace_id, caller(flags).context.trace_id);
            assert_eq!(span.current().unwrap().state(), Some("a=1"));
            drop(span);
            assert_eq!(ended.take_ready(9).len(), expected, "{ratio} {flags}");
        }
    }

    #[tokio::test]
    async fn stages_belong_to_the_span_of_their_task_and_take_the_clocks_time() {
        let (tracer, ended, clock) = recording(1.0);
        let span = tracer.start(None, "POST", SpanKind::Server);
        let place = span.current().unwrap().context();
        span.enclose(async {
            assert_eq!(current_context(), Some(place));
            let mut stage = child("admit order", SpanKind::Internal);
            stage.set("order.id", "1");
            clock.advance(Duration::from_secs(2));
        })
        .await;
        drop(span);
        let spans = ended.take_ready(9);
        let described: Vec<_> =
            spans.iter().map(|span| (span.name.as_ref(), span.parent, span.took.as_secs())).collect();
        assert_eq!(described, [("admit order", Some(place.span_id), 2), ("POST", None, 2)]);
        assert_eq!(current_context(), None);
    }

    #[tokio::test]
    async fn without_a_recorder_nothing_is_kept_and_an_unsampled_trace_is_only_passed_on() {
        let span = Tracer::off().start(Some(&caller("01")), "POST", SpanKind::Server);
        span.enclose(async { assert!(current_context().is_none()) }).await;
        let (tracer, ended, _) = recording(0.0);
        let span = tracer.start(None, "POST", SpanKind::Server);
        span.enclose(async {
            assert!(!current().unwrap().context().is_sampled() && current_context().is_none());
            assert!(!child("x", SpanKind::Internal).is_recorded());
        })
        .await;
        drop(span);
        assert!(ended.take_ready(9).is_empty());
    }

    #[test]
    fn a_stored_trace_is_continued_by_its_own_process_and_linked_to_by_another() {
        let (tracer, ended, _) = recording(0.0);
        let stored = caller("01");
        tracer.own("1", Some(stored.context));
        // Of the same batch.
        tracer.own("2", Some(stored.context));
        tracer.disown("2");
        drop(tracer.resume("1", Some(&stored), "attempt", SpanKind::Consumer));
        tracer.disown("1");
        drop(tracer.resume("1", Some(&stored), "attempt", SpanKind::Consumer));
        drop(tracer.resume("1", Some(&caller("00")), "attempt", SpanKind::Consumer));
        // Brought once more, to another replica.
        tracer.own("1", Some(caller("01").context.child()));
        drop(tracer.resume("1", Some(&stored), "attempt", SpanKind::Consumer));
        let [own, others, elsewhere] = &ended.take_ready(9)[..] else { panic!("three spans are recorded") };
        assert_eq!((elsewhere.parent, &elsewhere.links[..]), (None, &[stored.context][..]));
        assert_eq!((own.context.trace_id, own.parent), (stored.context.trace_id, Some(stored.context.span_id)));
        assert!(own.links.is_empty());
        assert_ne!(others.context.trace_id, stored.context.trace_id);
        assert_eq!((others.parent, &others.links[..]), (None, &[stored.context][..]));
    }

    #[test]
    fn spans_that_nobody_takes_are_counted_and_dropped() {
        let (tracer, ended, _) = recording(1.0);
        for _ in 0..MAX_WAITING + 3 {
            drop(tracer.start(None, "POST", SpanKind::Server));
        }
        assert_eq!((ended.take_lost(), ended.take_lost()), (3, 0));
        assert_eq!(ended.take_ready(MAX_WAITING * 2).len(), MAX_WAITING);
    }
}
