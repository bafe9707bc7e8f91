//! The log lines of the relay: one for each end of an attempt, each intervention, and each trouble on the way. Each has what
//! an operator needs to follow the order: its id, its cart, and the request that brought it.

mod last_attempt;
mod trouble;

use tracing::{debug, error, info, warn};

use super::steps::STEP;
use crate::order::{Action, Admission, AuditEntry, Doubt, Order, State};
use crate::relay::observer::{Event, Observer};
use last_attempt::{detail, outcome};

/// Writes what the relay reports to the log; and the steps of a cart's way.
#[derive(Debug, Clone, Copy, Default)]
pub struct OrderLog;

impl Observer for OrderLog {
    fn observe(&self, event: &Event<'_>) {
        match *event {
            Event::Admitted(Admission::Started(order) | Admission::Restarted(order)) => recorded(order),
            Event::Admitted(Admission::Joined(_) | Admission::Replayed(_) | Admission::Conflicting(_)) => {}
            Event::AttemptBegan(order) => sent(order),
            Event::AttemptEnded(order) => attempt_ended(order),
            Event::AttemptDeferred { order, reason } => deferred(order, reason),
            Event::Intervened(order) => intervened(order),
            ref other => trouble::report(other),
        }
    }
}

/// Reports a cart that the ledger has taken: as a step, and with a line if there are warnings about it.
fn recorded(order: &Order) {
    accepted_with_warnings(order);
    debug!(target: STEP, { order.id = %order.id, order.state = order.state.name() }, "recorded");
}

fn sent(order: &Order) {
    debug!(target: STEP, { order.id = %order.id, order.attempt.number = order.attempts_used }, "sent");
}

/// Reports the warnings about a cart that was accepted, if there are any.
fn accepted_with_warnings(order: &Order) {
    let Some(first) = order.warnings.first() else { return };
    warn!(
        order.id = %order.id,
        cart.number = order.cart_number,
        http.request.id = order.request_id(),
        order.state = order.state.name(),
        order.warnings = order.warnings.len(),
        order.warning = first.message,
        "a cart was accepted with warnings: its owner should check them"
    );
}

/// Reports the end of an attempt.
fn attempt_ended(order: &Order) {
    match order.state {
        State::Created => created(order),
        State::Parked => parked(order),
        State::Rejected => rejected(order),
        State::Retrying => retrying(order),
        // An attempt ends in none of these.
        State::Accepted | State::Forwarding | State::Cancelled => {}
    }
}

/// Reports that an order was not sent when its turn came. What held it up, such as a breaker that opened, has a line of its own.
fn deferred(order: &Order, reason: &str) {
    info!(
        order.id = %order.id,
        cart.number = order.cart_number,
        http.request.id = order.request_id(),
        order.state = order.state.name(),
        order.attempts = order.attempts.len(),
        order.next_attempt_at = order.next_attempt_at.map(display),
        error.message = reason,
        "the order was not sent; it is sent from order.next_attempt_at on, and this was no attempt"
    );
}

fn created(order: &Order) {
    let number = order.purchase_order_number.as_deref();
    debug!(target: STEP, { order.id = %order.id, order.purchase_order_number = number }, "created");
    info!(
        order.id = %order.id,
        cart.number = order.cart_number,
        http.request.id = order.request_id(),
        order.state = order.state.name(),
        order.attempts = order.attempts.len(),
        order.attempt.outcome = outcome(order),
        order.purchase_order_number = number,
        "the order exists in 11VMS"
    );
}

fn parked(order: &Order) {
    error!(
        order.id = %order.id,
        cart.number = order.cart_number,
        http.request.id = order.request_id(),
        order.state = order.state.name(),
        order.attempts = order.attempts.len(),
        order.attempt.outcome = outcome(order),
        order.attempt.detail = detail(order),
        "the order is parked: a person has to look at it"
    );
}

fn rejected(order: &Order) {
    warn!(
        order.id = %order.id,
        cart.number = order.cart_number,
        http.request.id = order.request_id(),
        order.state = order.state.name(),
        order.attempts = order.attempts.len(),
        order.attempt.outcome = outcome(order),
        order.attempt.detail = detail(order),
        "11VMS refused the order: its cart has to be sent again once the cause is removed"
    );
}

fn retrying(order: &Order) {
    if order.doubt == Doubt::None {
        warn!(
            order.id = %order.id,
            cart.number = order.cart_number,
            http.request.id = order.request_id(),
            order.state = order.state.name(),
            order.attempts = order.attempts.len(),
            order.attempt.outcome = outcome(order),
            order.attempt.detail = detail(order),
            order.next_attempt_at = order.next_attempt_at.map(display),
            "the order was not created; it is tried again at order.next_attempt_at"
        );
    } else {
        warn!(
            order.id = %order.id,
            cart.number = order.cart_number,
            http.request.id = order.request_id(),
            order.state = order.state.name(),
            order.attempts = order.attempts.len(),
            order.attempt.outcome = outcome(order),
            order.attempt.detail = detail(order),
            order.next_attempt_at = order.next_attempt_at.map(display),
            "the order may exist in 11VMS, its outcome is unknown; it is tried again at order.next_attempt_at"
        );
    }
}

/// Reports that a person settled an order, or had it tried again.
fn intervened(order: &Order) {
    let Some(AuditEntry { by, action, detail, .. }) = order.interventions.last() else { return };
    match action {
        // It is the sender's, and no intervention.
        Action::Sent | Action::SentAgain => {}
        Action::Resolved => info!(
            order.id = %order.id,
            cart.number = order.cart_number,
            http.request.id = order.request_id(),
            order.state = order.state.name(),
            order.purchase_order_number = order.purchase_order_number.as_deref(),
            user.name = by,
            "a person settled the order: it exists in 11VMS under the number that the person named"
        ),
        Action::Cancelled => info!(
            order.id = %order.id,
            cart.number = order.cart_number,
            http.request.id = order.request_id(),
            order.state = order.state.name(),
            order.intervention.reason = detail.as_deref(),
            user.name = by,
            "a person cancelled the order: nothing more is sent"
        ),
        Action::Replayed => info!(
            order.id = %order.id,
            cart.number = order.cart_number,
            http.request.id = order.request_id(),
            order.state = order.state.name(),
            user.name = by,
            "a person had the order tried again"
        ),
    }
}
