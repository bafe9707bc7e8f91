//! The log lines of an order's life: one for each end of an attempt and each intervention. Each has what an operator needs
//! to follow the order: its id, its cart, and the request that brought it.

use tracing::{debug, error, info, warn};

use crate::order::{Action, Intervention, Order, Outcome, State};
use crate::telemetry::STEP;

/// Reports the end of an attempt.
pub fn attempt_ended(order: &Order) {
    match order.state {
        State::Created => created(order),
        State::Parked => parked(order),
        State::Rejected => rejected(order),
        State::Accepted | State::Forwarding | State::Retrying | State::Cancelled => retrying(order),
    }
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
}

/// Reports that a person settled an order, or had it tried again.
pub fn intervened(order: &Order) {
    let Some(Intervention { by, action, detail, .. }) = order.interventions.last() else { return };
    match action {
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

/// Reports an attempt whose process stopped, when another process finds it.
pub fn attempt_interrupted(order: &Order) {
    warn!(
        order.id = %order.id,
        cart.number = order.cart_number,
        http.request.id = order.request_id(),
        order.state = order.state.name(),
        order.attempt.number = order.attempts.last().map(|attempt| attempt.number),
        "an attempt was interrupted, and its outcome is unknown: 11VMS is asked before anything is sent again"
    );
}

/// Reports an outcome that counts no more, because another replica has taken the order over.
pub fn outcome_superseded(order: &Order) {
    error!(
        order.id = %order.id,
        cart.number = order.cart_number,
        http.request.id = order.request_id(),
        order.state = order.state.name(),
        order.purchase_order_number = order.purchase_order_number.as_deref(),
        "an outcome is superseded: another replica has taken the order over, and asks 11VMS for it"
    );
}

fn outcome(order: &Order) -> Option<&'static str> {
    order.attempts.last().and_then(|attempt| attempt.outcome).map(Outcome::name)
}

fn detail(order: &Order) -> Option<&str> {
    order.attempts.last().and_then(|attempt| attempt.detail.as_deref())
}
