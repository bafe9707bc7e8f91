//! Troubles on an order's way: interruptions, outcomes that a ledger does not take, defects, and 11VMS's outages.

use std::error::Error;
use std::time::Duration;

use jiff::Timestamp;
use tracing::{debug, error, info, warn};

use super::last_attempt::{detail, outcome};
use crate::ledger::LedgerError;
use crate::order::{Order, OrderId};
use crate::relay::observer::{Event, IllegalStep, LedgerQuestion, UnwritablePart};

/// Reports an event that is a trouble, or the end of one.
pub fn report(event: &Event<'_>) {
    match *event {
        Event::Admitted(_)
        | Event::AttemptBegan(_)
        | Event::AttemptEnded(_)
        | Event::AttemptDeferred { .. }
        | Event::Intervened(_) => {}
        Event::BreakerOpened { pause, failure } => breaker_opened(pause, failure),
        Event::BreakerClosed => {
            info!("the circuit breaker closed: 11VMS responds, and orders are sent again");
        }
        Event::AttemptInterrupted(order) => attempt_interrupted(order),
        Event::AskedSinceRestore(order) => asked_since_restore(order),
        Event::BeginRepeated(order) => begin_repeated(order),
        Event::AttemptsBroughtNearer(count) => attempts_brought_nearer(count),
        Event::OutcomeSuperseded(order) => outcome_superseded(order),
        Event::OutcomeNotStored(order) => outcome_not_stored(order),
        Event::Unwritable { part: UnwritablePart::Begin, order, reason } => begin_refused(order, reason),
        Event::Unwritable { part: UnwritablePart::Answer, order, reason } => outcome_in_plain_words(order, reason),
        Event::Unwritable { part: UnwritablePart::Outcome, order, reason } => outcome_refused(order, reason),
        Event::Illegal { change: IllegalStep::Begin, order, defect } => attempt_not_made(order, defect),
        Event::Illegal { change: IllegalStep::Conclude, order, defect } => outcome_not_recorded(order, defect),
        Event::Illegal { change: IllegalStep::Interrupt, order, defect } => interruption_not_recorded(order, defect),
        Event::WorkBrokeOff { id, error } => work_broke_off(id, error),
        Event::LedgerRestored { backup, until } => ledger_restored(backup, until),
        Event::StoppedWithinAttempts => {
            warn!("attempts are still under way after server.drain: the next start takes their orders up");
        }
        Event::LeasesKept(error) => {
            warn!(error.message = %error, "leases can't be released: other replicas take the orders when they expire");
        }
        Event::LedgerAwaited { question, error } => ledger_awaited(question, error),
    }
}

fn breaker_opened(pause: Duration, failure: Option<&str>) {
    warn!(
        breaker.pause = pause.as_secs_f64(),
        error.message = failure,
        "the circuit breaker opened: 11VMS keeps failing, so nothing is sent for breaker.pause seconds, then one order probes"
    );
}

fn ledger_restored(backup: Timestamp, until: Timestamp) {
    warn!(
        ledger.restored_at = %backup,
        ledger.restored_until = %until,
        "the ledger was restored from a backup: until ledger.restored_until, 11VMS is asked for each order that the ledger may have lost or last tried before the backup, and then it is sent"
    );
}

/// DEBUG, because the ledger reports its outages itself.
fn ledger_awaited(question: LedgerQuestion<'_>, error: &LedgerError) {
    match question {
        LedgerQuestion::Store(order) => debug!(
            order.id = %order.id, order.state = order.state.name(), error.message = %error,
            "the order can't be stored yet; the write is tried again"
        ),
        LedgerQuestion::Read(id) => debug!(
            order.id = %id, error.message = %error,
            "the order can't be read yet; the read is tried again"
        ),
        LedgerQuestion::Sweep => {
            debug!(error.message = %error, "the ledger can't be searched for due orders; the sweep is repeated");
        }
        LedgerQuestion::Replicas => {
            debug!(error.message = %error, "the ledger can't be asked for other replicas' outcomes yet");
        }
        LedgerQuestion::Restore => {
            debug!(error.message = %error, "the ledger can't be read yet: the restore counts as new");
        }
    }
}

/// Reports an attempt whose process stopped, when another process finds it.
fn attempt_interrupted(order: &Order) {
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
fn outcome_superseded(order: &Order) {
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
fn outcome_not_stored(order: &Order) {
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
fn begin_refused(order: &Order, reason: &str) {
    error!(
        order.id = %order.id,
        cart.number = order.cart_number,
        http.request.id = order.request_id(),
        error.message = reason,
        "the ledger can't store that an attempt begins: nothing is sent, and it is tried again"
    );
}

/// Reports an outcome that the ledger can't hold as it is.
fn outcome_in_plain_words(order: &Order, reason: &str) {
    warn!(
        order.id = %order.id,
        cart.number = order.cart_number,
        http.request.id = order.request_id(),
        error.message = reason,
        "the ledger can't store what 11VMS answered: the order is stored without it"
    );
}

/// Reports an outcome that the ledger can't hold in any form.
fn outcome_refused(order: &Order, reason: &str) {
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
fn asked_since_restore(order: &Order) {
    info!(
        order.id = %order.id,
        cart.number = order.cart_number,
        http.request.id = order.request_id(),
        ledger.restored_at = order.restored_from.map(display),
        "the ledger was restored and may have known more about this order: 11VMS is asked for it before it is sent"
    );
}

/// Reports stored times that were farther away than any wait.
fn attempts_brought_nearer(count: usize) {
    warn!(
        order.count = count,
        "next attempts were stored for a time that is farther away than any wait: a clock is, or was, wrong; they come after the longest wait"
    );
}

/// Reports that the begin of an attempt is stored once more, because its lease is no longer fresh.
fn begin_repeated(order: &Order) {
    warn!(
        order.id = %order.id,
        cart.number = order.cart_number,
        http.request.id = order.request_id(),
        order.state = order.state.name(),
        "the ledger is slow: the begin of an attempt is stored once more, for a fresh lease"
    );
}

/// Reports an attempt that the order does not permit.
fn attempt_not_made(order: &Order, defect: &dyn Error) {
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
fn outcome_not_recorded(order: &Order, defect: &dyn Error) {
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
fn interruption_not_recorded(order: &Order, defect: &dyn Error) {
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
fn work_broke_off(id: &OrderId, error: &dyn Error) {
    error!(order.id = %id, error.message = %error, "the work on an order broke off: a defect");
}
