//! What the log says of an order's last attempt.

use crate::order::{Order, Outcome};

/// The outcome, once it has ended.
pub fn outcome(order: &Order) -> Option<&'static str> {
    order.attempts.last().and_then(|attempt| attempt.outcome).map(Outcome::name)
}

/// The explanation, if there is one.
pub fn detail(order: &Order) -> Option<&str> {
    order.attempts.last().and_then(|attempt| attempt.detail.as_deref())
}
