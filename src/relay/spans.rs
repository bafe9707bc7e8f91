//! The spans of an order's way: its admission, its attempts, the storing of their ends; and the place in a trace that its
//! record keeps.
//!
//! Observers hear of moments. A span has to enclose the work, so that the calls and the log lines inside of it find their
//! place: so spans are made here.

use super::retrying_ledger::Write;
use crate::ledger::{LedgerError, Stored};
use crate::order::{Admission, Order, OrderId, Outcome, State};
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
        Err(_) => return span.fail(NOT_STORED),
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

/// An attempt's end as it is stored.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    state: State,
    outcome: Option<Outcome>,
}

impl Ended {
    /// Of an order that is stored.
    pub fn of(order: &Order) -> Self {
        Self { state: order.state, outcome: order.attempts.last().and_then(|attempt| attempt.outcome) }
    }

    /// Of an attempt that was none.
    pub const fn deferred(order: &Order) -> Self {
        Self { state: order.state, outcome: None }
    }
}

/// Describes the end of an attempt; `None` if it is not stored. A trace whose order is settled is continued no more.
pub fn describe_end(tracer: &Tracer, span: &mut Span, id: &OrderId, ended: Option<Ended>) {
    if !span.is_recorded() {
        return;
    }
    let Some(Ended { state, outcome }) = ended else { return span.fail(NOT_STORED) };
    span.set(attributes::STATE, state.name());
    if let Some(outcome) = outcome {
        span.set(attributes::OUTCOME, outcome.name());
        if state != State::Created {
            span.fail(outcome.name());
        }
    }
    if state != State::Retrying {
        tracer.disown(id.as_str());
    }
}

/// Marks an attempt that this process began and did not end: its begin could not be stored, or the service stops.
pub fn describe_given_up(span: &mut Span) {
    span.fail("given_up");
}

/// Marks a stage whose change was not stored.
pub fn describe_unstored(span: &mut Span) {
    span.fail(NOT_STORED);
}

/// Describes how the ledger took a change.
pub fn describe_write(span: &mut Span, write: &Write) {
    if !matches!(write, Write::Done(Stored::Committed)) {
        describe_unstored(span);
    }
}
