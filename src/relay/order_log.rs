//! The log lines of an order's life: one for each end of an attempt and each intervention. Each has what an operator needs
//! to follow the order: its id, its cart, and the request that brought it.

use std::fmt::Display;

use tracing::{debug, error, info, warn};

use crate::order::{Action, AuditEntry, Doubt, Order, OrderId, Outcome, State};
use crate::telemetry::STEP;

/// Reports the warnings about a cart that was accepted, if there are any.
pub fn accepted_with_warnings(order: &Order) {
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
pub fn attempt_ended(order: &Order) {
    match order.state {
        State::Created => created(order),
        State::Parked => parked(order),
        State::Rejected => rejected(order),
        State::Retrying => retrying(order),
        // An attempt ends in none of these.
        State::Accepted | State::Forwarding | State::Cancelled => {}
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
pub fn intervened(order: &Order) {
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

/// Reports an attempt whose process stopped, when another process finds it.
pub fn attempt_interrupted(order: &Order) {
    warn!(
        order.id = %order.id,
        cart.number = order.cart_number,
        http.request.id = order.request_id(),
        order.state = order.state.name(),
        order.attempt.number = order.attempts.last().map(|attempt| attempt.number),
        "an attempt was interrupted, and its outcome is unknown: the order is taken up again"
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
        "an outcome is superseded: another replica has taken the order over"
    );
}

/// Reports an outcome that the ledger did not take before the service stopped.
pub fn outcome_not_stored(order: &Order) {
    error!(
        order.id = %order.id,
        cart.number = order.cart_number,
        http.request.id = order.request_id(),
        order.state = order.state.name(),
        order.purchase_order_number = order.purchase_order_number.as_deref(),
        order.attempt.outcome = outcome(order),
        order.attempt.detail = detail(order),
        "the ledger did not take an outcome before the service stopped: the next start finds the attempt interrupted"
    );
}

/// Reports that the ledger can't hold the begin of an attempt.
pub fn begin_refused(order: &Order, reason: &str) {
    error!(
        order.id = %order.id,
        cart.number = order.cart_number,
        http.request.id = order.request_id(),
        error.message = reason,
        "the ledger can't store that an attempt begins: nothing is sent, and it is tried again"
    );
}

/// Reports an outcome that the ledger can't hold as it is.
pub fn outcome_in_plain_words(order: &Order, reason: &str) {
    warn!(
        order.id = %order.id,
        cart.number = order.cart_number,
        http.request.id = order.request_id(),
        error.message = reason,
        "the ledger can't store what 11VMS answered: the order is stored without it"
    );
}

/// Reports an outcome that the ledger can't hold in any form.
pub fn outcome_refused(order: &Order, reason: &str) {
    error!(
        order.id = %order.id,
        cart.number = order.cart_number,
        http.request.id = order.request_id(),
        order.state = order.state.name(),
        order.purchase_order_number = order.purchase_order_number.as_deref(),
        order.attempt.outcome = outcome(order),
        order.attempt.detail = detail(order),
        error.message = reason,
        "the ledger can't store how an attempt ended: the order stays forwarding until a person resolves it"
    );
}

/// Reports that 11VMS is asked for an order that the ledger, which was restored, may have forgotten.
pub fn asked_since_restore(order: &Order) {
    info!(
        order.id = %order.id,
        cart.number = order.cart_number,
        http.request.id = order.request_id(),
        ledger.restored_at = order.restored_from.map(display),
        "the ledger was restored and may have known more about this order: 11VMS is asked for it before it is sent"
    );
}

/// Reports stored times that were farther away than any wait.
pub fn attempts_brought_nearer(count: usize) {
    warn!(
        order.count = count,
        "next attempts were stored for a time that is farther away than any wait: a clock is, or was, wrong; they come after the longest wait"
    );
}

/// Reports that the begin of an attempt is stored once more, because its lease is no longer fresh.
pub fn begin_repeated(order: &Order) {
    warn!(
        order.id = %order.id,
        cart.number = order.cart_number,
        http.request.id = order.request_id(),
        order.state = order.state.name(),
        "the ledger is slow: the begin of an attempt is stored once more, for a fresh lease"
    );
}

/// Reports an attempt that the order does not permit.
pub fn attempt_not_made(order: &Order, defect: &dyn Display) {
    error!(
        order.id = %order.id,
        cart.number = order.cart_number,
        http.request.id = order.request_id(),
        order.state = order.state.name(),
        error.message = %defect,
        "the attempt was not made: a defect"
    );
}

/// Reports an outcome that the order does not permit.
pub fn outcome_not_recorded(order: &Order, defect: &dyn Display) {
    error!(
        order.id = %order.id,
        cart.number = order.cart_number,
        http.request.id = order.request_id(),
        order.state = order.state.name(),
        error.message = %defect,
        "the outcome was not recorded: a defect"
    );
}

/// Reports an interruption that the order does not permit.
pub fn interruption_not_recorded(order: &Order, defect: &dyn Display) {
    error!(
        order.id = %order.id,
        cart.number = order.cart_number,
        http.request.id = order.request_id(),
        order.state = order.state.name(),
        error.message = %defect,
        "the interruption was not recorded: a defect"
    );
}

/// Reports work that panicked before it was done.
pub fn work_broke_off(id: &OrderId, error: &dyn Display) {
    error!(order.id = %id, error.message = %error, "the work on an order broke off: a defect");
}

fn outcome(order: &Order) -> Option<&'static str> {
    order.attempts.last().and_then(|attempt| attempt.outcome).map(Outcome::name)
}

fn detail(order: &Order) -> Option<&str> {
    order.attempts.last().and_then(|attempt| attempt.detail.as_deref())
}
