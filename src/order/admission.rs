//! The admission of a cart: as a new order, as one that is known, as another try, or as a conflict. Pure.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::warnings::bounded_warnings;
use super::{Action, Doubt, Order, OrderId, PropagatedHeaders, Requester, State, due};
use crate::clock::after;
use crate::message::Message;

/// A valid, mapped cart that is to become an order.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The order's id.
    pub id: OrderId,
    /// The cart number as sent, empty if there is none.
    pub cart_number: String,
    /// The hash of the cart's normalised content.
    pub fingerprint: String,
    /// The body that 11VMS gets, as JSON text.
    pub body: String,
    /// The version of the mapping that made the body.
    pub mapping_version: String,
    /// What the cart's owner should check, though the cart is accepted. It does not tell one cart from another.
    pub warnings: Vec<Message>,
    /// Headers that every attempt passes on.
    pub propagated_headers: PropagatedHeaders,
    /// Who sent the cart. It does not tell one cart from another.
    pub requester: Requester,
    /// The cart's text as it was received, if it is to be stored with its order. It does not tell one cart from another.
    pub cart: Option<Arc<str>>,
}

/// Whether the text of a cart is stored with its order: it is what a mapping's rehearsal needs, and holds what the cart
/// says of people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeepCarts {
    /// No cart is stored.
    #[default]
    Off,
    /// The text of each cart is stored, until its order is removed.
    On,
}

/// The ledger's decision about a candidate.
#[derive(Debug, Clone, PartialEq)]
pub enum Admission {
    /// The cart is new: its order is recorded and has to be sent; its first attempt has begun if the terms say so.
    Started(Order),
    /// The order was refused or parked before: it is recorded anew and has to be sent.
    Restarted(Order),
    /// The same cart has an open order, whose one outcome is shared.
    Joined(Order),
    /// The same cart has an order that is created.
    Replayed(Order),
    /// A different cart has an order under this id that is created or open, or the order was cancelled.
    Conflicting(Order),
}

impl Admission {
    /// The order, whatever was decided.
    pub fn into_order(self) -> Order {
        let (Self::Started(order)
        | Self::Restarted(order)
        | Self::Joined(order)
        | Self::Replayed(order)
        | Self::Conflicting(order)) = self;
        order
    }
}

/// On which terms a candidate is admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// When the cart came. It may have waited for the ledger since.
    pub now: Timestamp,
    /// That of the retry policy.
    pub unknown_grace: Duration,
    /// When the first attempt begins, if the cart is new and whoever admits its order can send it at once: both are one change then.
    pub first_attempt: Option<Timestamp>,
}

impl Terms {
    /// The admission alone.
    pub const fn new(now: Timestamp, unknown_grace: Duration) -> Self {
        Self { now, unknown_grace, first_attempt: None }
    }

    /// The same, with the first attempt, which begins at a time.
    #[must_use]
    pub const fn with_first_attempt(self, at: Timestamp) -> Self {
        Self { first_attempt: Some(at), ..self }
    }
}

/// Decides about a candidate, given the order that is known under its id.
pub fn admit(known: Option<Order>, candidate: Candidate, terms: Terms) -> Admission {
    let Terms { now, unknown_grace, first_attempt } = terms;
    let Some(known) = known else {
        let order = Order::accept(candidate, now);
        return Admission::Started(match first_attempt {
            None => order,
            Some(at) => order.in_first_attempt(at),
        });
    };
    let same = known.is_same(&candidate);
    match known.state {
        State::Rejected | State::Parked => {
            let requester = candidate.requester.clone();
            let mut order = known.restart(candidate, now, unknown_grace);
            order.record_submission(Action::SentAgain, requester, now);
            Admission::Restarted(order)
        }
        State::Created if same => Admission::Replayed(known),
        State::Accepted | State::Forwarding | State::Retrying if same => Admission::Joined(known),
        // A person cancelled the order, so only a person may open it again.
        State::Created | State::Accepted | State::Forwarding | State::Retrying | State::Cancelled => {
            Admission::Conflicting(known)
        }
    }
}

impl Order {
    fn accept(candidate: Candidate, now: Timestamp) -> Self {
        let mut order = Self {
            id: candidate.id,
            cart_number: candidate.cart_number,
            state: State::Accepted,
            purchase_order_number: None,
            received_at: now,
            restarted_at: None,
            settled_at: None,
            next_attempt_at: None,
            mapping_version: candidate.mapping_version,
            attempts: Vec::new(),
            messages: Vec::new(),
            warnings: bounded_warnings(candidate.warnings),
            vms_response: None,
            fingerprint: candidate.fingerprint,
            body: candidate.body,
            propagated_headers: candidate.propagated_headers,
            doubt: Doubt::None,
            restored_from: None,
            attempts_used: 0,
            revision: 1,
            interventions: Vec::new(),
            submissions: Vec::new(),
        };
        order.record_submission(Action::Sent, candidate.requester, now);
        order
    }

    /// Starts the order again with the content of `candidate`. Attempts, interventions, submissions and doubt are kept; in doubt, the
    /// first attempt waits until 11VMS has had its grace.
    pub(super) fn restart(self, candidate: Candidate, now: Timestamp, unknown_grace: Duration) -> Self {
        let doubt = match self.doubt {
            Doubt::ThisContent if !self.is_same(&candidate) => Doubt::EarlierContent,
            doubt => doubt,
        };
        // Where the clock was ahead when the attempt ended, the end seems to be still to come.
        let earliest = self.last_end().map(|end| due(end.min(now), unknown_grace));
        let wait = earliest.filter(|earliest| doubt != Doubt::None && *earliest > now);
        let state = if wait.is_some() { State::Retrying } else { State::Accepted };
        Self {
            state,
            doubt,
            restored_from: self.restored_from,
            attempts: self.attempts,
            interventions: self.interventions,
            submissions: self.submissions,
            received_at: self.received_at,
            restarted_at: Some(now),
            next_attempt_at: wait,
            revision: self.revision + 1,
            ..Self::accept(candidate, now)
        }
    }

    /// Whether both are the same cart: their normalised content or their mapped orders are equal.
    fn is_same(&self, candidate: &Candidate) -> bool {
        let body = |text: &str| serde_json::from_str::<Value>(text).ok();
        self.fingerprint == candidate.fingerprint
            || self.body == candidate.body
            || body(&self.body) == body(&candidate.body)
    }

    fn last_end(&self) -> Option<Timestamp> {
        let last = self.attempts.last()?;
        Some(after(last.started_at, Duration::from_millis(last.duration_ms.unwrap_or(0))))
    }
}
