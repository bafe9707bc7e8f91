//! The spans of an order's way: its admission, its attempts, the storing of their ends; and the place in a trace that its
//! record keeps.
//!
//! Observers hear of moments. A span has to enclose the work, so that the calls and the log lines inside of it find their
//! place: so spans are made here.

use super::retrying_ledger::Write;
use crate::ledger::{LedgerError, Stored};
use crate::order::{Admission, Order, State};
use crate::trace::{RemoteContext, Span, SpanKind, TraceContext, Tracer, attributes};

/// The place from which the order's trace is continued: the request that brought its cart.
fn stored_place(order: &Order) -> Option<RemoteContext> {
    let headers = &order.propagated_headers;
    RemoteContext::read(headers.traceparent.as_deref().into_iter(), headers.tracestate.as_deref().into_iter())
}

/// Describes what the ledger made of a cart. The trace of an order that was begun now is this process's own to continue.
pub fn describe_admission(tracer: &Tracer, span: &mut Span, admission: Result<&Admission, &LedgerError>) {
    if !span.is_recorded() {
        return;
    }
    let (name, order) = match admission {
        Err(_) => return fail(span, NOT_STORED),
        Ok(Admission::Started(order)) => ("started", order),
        Ok(Admission::Restarted(order)) => ("restarted", order),
        Ok(Admission::Joined(order)) => ("joined", order),
        Ok(Admission::Replayed(order)) => ("replayed", order),
        Ok(Admission::Conflicting(order)) => ("conflicting", order),
    };
    span.set(attributes::ADMISSION, name);
    span.set(attributes::STATE, order.state.name());
    span.set_text(attributes::ORDER, order.id.as_str());
    let place = stored_place(order).map(|place| place.context);
    if matches!(admission, Ok(Admission::Started(_) | Admission::Restarted(_))) {
        tracer.own(order.id.as_str(), place);
    } else if let Some(other) = place.filter(TraceContext::is_sampled) {
        // The order is another request's.
        span.link(other);
    }
}

/// Begins the span of an attempt: in the order's trace, or in one of its own after a restart.
pub fn begin_attempt(tracer: &Tracer, order: &Order) -> Span {
    begin(tracer, order, "attempt")
}

/// Begins the span in which an attempt is ended whose process is gone.
pub fn begin_take_over(tracer: &Tracer, order: &Order) -> Span {
    begin(tracer, order, "take over attempt")
}

fn begin(tracer: &Tracer, order: &Order, name: &'static str) -> Span {
    if !tracer.is_on() {
        return Span::default();
    }
    let mut span = tracer.resume(order.id.as_str(), stored_place(order).as_ref(), name, SpanKind::Consumer);
    span.set_text(attributes::ORDER, order.id.as_str());
    if let Some(attempt) = order.attempts.last() {
        span.set(attributes::ATTEMPT, attempt.number);
    }
    span
}

/// A change that the ledger did not take.
const NOT_STORED: &str = "not_stored";

/// Marks an attempt that was not made: its begin could not be stored, or the service stops.
pub fn describe_unmade(span: &mut Span) {
    fail(span, "not_made");
}

/// Marks a stage whose change was not stored, or an attempt whose end does not count.
pub fn describe_unstored(span: &mut Span) {
    fail(span, NOT_STORED);
}

/// Describes how the ledger took a change.
pub fn describe_write(span: &mut Span, write: &Write) {
    if !matches!(write, Write::Done(Stored::Committed)) {
        describe_unstored(span);
    }
}

fn fail(span: &mut Span, kind: &'static str) {
    span.set(attributes::ERROR, kind);
    span.fail();
}

/// Describes the end of an attempt. A trace whose order is settled is continued no more.
pub fn describe_end(tracer: &Tracer, span: &mut Span, order: &Order) {
    if !span.is_recorded() {
        return;
    }
    span.set(attributes::STATE, order.state.name());
    if let Some(outcome) = order.attempts.last().and_then(|attempt| attempt.outcome) {
        span.set(attributes::OUTCOME, outcome.name());
        if order.state != State::Created {
            span.set(attributes::ERROR, outcome.name());
            span.fail();
        }
    }
    if order.state != State::Retrying {
        tracer.disown(order.id.as_str());
    }
}
