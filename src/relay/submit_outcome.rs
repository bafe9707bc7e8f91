//! What a caller learns about its cart.

use std::sync::Arc;

use crate::order::{Order, State};

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
