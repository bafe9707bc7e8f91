//! The log lines of an order's life: one for each end of an attempt and each intervention, with what an operator needs
//! to follow the order: its id, its cart, and the request that brought it.

use tracing::field::display;
use tracing::{debug, error, info, warn};

use crate::order::{Action, Attempt, Intervention, Order, Outcome, State};
use crate::telemetry::STEP;

/// Writes a line with the fields that every line about an order has.
macro_rules! order_line {
    ($level:ident, $order:expr, { $($more:tt)* }, $message:literal) => {
        $level!(
            order.id = %$order.id,
            cart.number = $order.cart_number,
            http.request.id = $order.request_id(),
            order.state = $order.state.name(),
            $($more)*
            $message
        )
    };
}

/// Reports the end of an attempt.
pub fn attempt_ended(order: &Order) {
    let last = order.attempts.last();
    let outcome = last.and_then(|attempt| attempt.outcome);
    let (attempts, detail) = (order.attempts.len(), last.and_then(|attempt| attempt.detail.as_deref()));
    let name = outcome.map(Outcome::name);
    match order.state {
        State::Created => {
            let number = order.purchase_order_number.as_deref();
            debug!(target: STEP, { order.id = %order.id, order.purchase_order_number = number }, "created");
            if outcome == Some(Outcome::Found) {
                order_line!(info, order, { order.attempts = attempts, order.attempt.outcome = name, order.purchase_order_number = number, },
                    "11VMS had the order of an earlier attempt");
            } else {
                order_line!(info, order, { order.attempts = attempts, order.attempt.outcome = name, order.purchase_order_number = number, },
                    "11VMS created the order");
            }
        }
        State::Parked => {
            order_line!(error, order, { order.attempts = attempts, order.attempt.outcome = name, order.attempt.detail = detail, },
                "the order is parked: a person has to look at it");
        }
        State::Rejected => {
            order_line!(warn, order, { order.attempts = attempts, order.attempt.outcome = name, order.attempt.detail = detail, },
                "11VMS refused the order: its cart has to be sent again once the cause is removed");
        }
        State::Accepted | State::Forwarding | State::Retrying | State::Cancelled => {
            let next = order.next_attempt_at.map(display);
            order_line!(warn, order, { order.attempts = attempts, order.attempt.outcome = name, order.attempt.detail = detail, order.next_attempt_at = next, },
                "the order was not created; it is tried again at order.next_attempt_at");
        }
    }
}

/// Reports that a person settled an order, or had it tried again.
pub fn intervened(order: &Order) {
    let Some(Intervention { by, action, detail, .. }) = order.interventions.last() else { return };
    let detail = detail.as_deref();
    match action {
        Action::Resolved => order_line!(info, order, { user.name = by, order.purchase_order_number = detail, },
            "a person settled the order by hand: it exists in 11VMS"),
        Action::Cancelled => order_line!(info, order, { user.name = by, order.intervention.reason = detail, },
            "a person cancelled the order: nothing more is sent"),
        Action::Replayed => order_line!(info, order, { user.name = by, },
            "a person had the order tried again"),
    }
}

/// Reports an attempt whose process stopped, when another process finds it.
pub fn attempt_interrupted(order: &Order) {
    let number = order.attempts.last().map(|attempt: &Attempt| attempt.number);
    order_line!(warn, order, { order.attempt.number = number, },
        "an attempt was interrupted, and its outcome is unknown: 11VMS is asked before anything is sent again");
}

/// Reports an outcome that counts no more, because another replica has taken the order over.
pub fn outcome_superseded(order: &Order) {
    order_line!(error, order, { order.purchase_order_number = order.purchase_order_number.as_deref(), },
        "an outcome is superseded: another replica has taken the order over, and asks 11VMS for it");
}
