//! What becomes of a cart that arrives: a new order, a known one, another try, or a conflict. Pure.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::retry::RetryPolicy;
use super::{Doubt, Order, OrderId, PropagatedHeaders, State, due};
use crate::clock::after;

/// A valid, mapped cart that asks to become an order.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The order's id.
    pub id: OrderId,
    /// The cart number as sent, empty if there is none.
    pub cart_number: String,
    /// Hash of the cart's normalised content.
    pub fingerprint: String,
    /// The body that 11VMS gets, as JSON text.
    pub body: String,
    /// Version of the mapping that made the body.
    pub mapping_version: String,
    /// Headers that travel on.
    pub propagated_headers: PropagatedHeaders,
}

/// What the ledger says to a candidate.
#[derive(Debug, Clone, PartialEq)]
pub enum Admission {
    /// New: recorded, to be sent.
    Started(Order),
    /// Refused or parked before: recorded anew, to be tried again.
    Restarted(Order),
    /// The same cart, still open: its one outcome is shared.
    Joined(Order),
    /// The same cart, created before.
    Replayed(Order),
    /// Another cart under an id that is created, open or cancelled.
    Conflicting(Order),
}

/// Decides what becomes of a candidate, given what is known under its id.
pub fn admit(known: Option<Order>, candidate: Candidate, now: Timestamp, policy: &RetryPolicy) -> Admission {
    let Some(known) = known else { return Admission::Started(Order::accept(candidate, now)) };
    let same = known.is_same(&candidate);
    match known.state {
        State::Rejected | State::Parked => Admission::Restarted(known.restart(candidate, now, policy)),
        State::Created if same => Admission::Replayed(known),
        State::Accepted | State::Forwarding | State::Retrying if same => Admission::Joined(known),
        // A cancelled order was settled by a person: only a person may open it again.
        State::Created | State::Accepted | State::Forwarding | State::Retrying | State::Cancelled => {
            Admission::Conflicting(known)
        }
    }
}

impl Order {
    fn accept(candidate: Candidate, now: Timestamp) -> Self {
        Self {
            id: candidate.id,
            cart_number: candidate.cart_number,
            state: State::Accepted,
            purchase_order_number: None,
            received_at: now,
            settled_at: None,
            next_attempt_at: None,
            mapping_version: candidate.mapping_version,
            attempts: Vec::new(),
            messages: Vec::new(),
            vms_response: None,
            fingerprint: candidate.fingerprint,
            body: candidate.body,
            propagated_headers: candidate.propagated_headers,
            doubt: Doubt::None,
            attempts_used: 0,
            revision: 1,
            interventions: Vec::new(),
        }
    }

    /// Tries anew with what was sent now; what 11VMS may already have is not forgotten.
    pub(super) fn restart(self, candidate: Candidate, now: Timestamp, policy: &RetryPolicy) -> Self {
        let doubt = match self.doubt {
            Doubt::ThisContent if !self.is_same(&candidate) => Doubt::EarlierContent,
            doubt => doubt,
        };
        let earliest = self.last_end().map(|end| due(end, policy.unknown_grace));
        let wait = earliest.filter(|earliest| doubt != Doubt::None && *earliest > now);
        let state = if wait.is_some() { State::Retrying } else { State::Accepted };
        Self {
            state,
            doubt,
            attempts: self.attempts,
            interventions: self.interventions,
            received_at: self.received_at,
            next_attempt_at: wait,
            revision: self.revision + 1,
            ..Self::accept(candidate, now)
        }
    }

    /// The same cart: equal normalised content, or an equal mapped order.
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
