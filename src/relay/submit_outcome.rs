//! What a caller learns about its cart.

use std::sync::Arc;

use crate::order::{Admission, Order, State};

/// The outcome of a cart for one caller.
#[derive(Debug, Clone, PartialEq)]
pub enum SubmitOutcome {
    /// The order was created by this call.
    Created(Arc<Order>),
    /// The order was created before, or by another call for the same cart.
    Replayed(Arc<Order>),
    /// The order is still open at the deadline.
    Open(Arc<Order>),
    /// 11VMS refused the order.
    Rejected(Arc<Order>),
    /// The order is parked.
    Parked(Arc<Order>),
    /// A different cart is known under this id, or a person cancelled the order.
    Conflicting(Arc<Order>),
}

impl SubmitOutcome {
    /// The order, whatever its outcome.
    pub const fn order(&self) -> &Arc<Order> {
        let (Self::Created(order)
        | Self::Replayed(order)
        | Self::Open(order)
        | Self::Rejected(order)
        | Self::Parked(order)
        | Self::Conflicting(order)) = self;
        order
    }
}

/// A caller's part in an order's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallerRole {
    /// Its cart started or restarted the order.
    Initiator,
    /// Its cart arrived while the order was open.
    Joiner,
}

/// The answer for a caller that does not wait: the order as its admission found or recorded it.
pub fn answer_at_once(admission: Admission) -> SubmitOutcome {
    let outcome = match &admission {
        Admission::Started(_) | Admission::Restarted(_) | Admission::Joined(_) => SubmitOutcome::Open,
        Admission::Replayed(_) => SubmitOutcome::Replayed,
        Admission::Conflicting(_) => SubmitOutcome::Conflicting,
    };
    outcome(Arc::new(admission.into_order()))
}

/// What a caller waits for after an admission.
pub enum Awaited {
    /// The outcome of an open order. Thousands of callers may wait, so each holds little of it.
    Outcome {
        /// The order.
        open: Arc<Order>,
        /// What the caller has to do with it.
        role: CallerRole,
    },
    /// Nothing: the answer is known.
    Nothing(SubmitOutcome),
}

/// Decides what a caller waits for.
pub fn awaited(admission: Admission) -> Awaited {
    let role = match admission {
        Admission::Replayed(_) | Admission::Conflicting(_) => return Awaited::Nothing(answer_at_once(admission)),
        Admission::Started(_) | Admission::Restarted(_) => CallerRole::Initiator,
        Admission::Joined(_) => CallerRole::Joiner,
    };
    Awaited::Outcome { open: Arc::new(admission.into_order().without_content()), role }
}

/// The outcome that an order's state means for a caller.
pub fn answer_for(order: Arc<Order>, role: CallerRole) -> SubmitOutcome {
    match order.state {
        State::Created if role == CallerRole::Joiner => SubmitOutcome::Replayed(order),
        State::Created => SubmitOutcome::Created(order),
        State::Rejected => SubmitOutcome::Rejected(order),
        State::Parked => SubmitOutcome::Parked(order),
        State::Cancelled => SubmitOutcome::Conflicting(order),
        State::Accepted | State::Forwarding | State::Retrying => SubmitOutcome::Open(order),
    }
}
