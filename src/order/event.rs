//! What others should hear of a change of an order. Pure: the ledger stores it with the change itself, `deliveries` sends it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::state::{Doubt, State};
use super::{Action, Order, OrderId};

/// Something that others should hear of an order. Serialized names never change: they are in ledgers that exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderEvent {
    /// What happened.
    pub kind: OrderEventKind,
    /// The order.
    pub order_id: OrderId,
    /// The revision that the change made: with the order's id, the identity of the event.
    pub revision: u64,
    /// The cart number as sent; it may be empty.
    pub cart_number: String,
    /// The state that the change led to.
    pub state: State,
    /// When it happened.
    pub at: Timestamp,
    /// Attempts so far, over the order's whole life.
    pub attempts: u32,
    /// Status of the last attempt, if 11VMS answered it.
    pub http_status: Option<u16>,
    /// Whether 11VMS may have the order, as far as it is known.
    pub in_doubt: bool,
    /// Who caused it, if a person did.
    pub by: Option<String>,
}

/// The kind of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderEventKind {
    /// The order was parked: a person has to look. It begins an incident.
    Parked,
    /// A person has it tried again: the end of the incident.
    Replayed,
    /// Its cart was sent again, and is tried anew: the end of the incident.
    SentAgain,
    /// A person named its number in 11VMS: the end of the incident.
    Resolved,
    /// A person decided that there will be no order: the end of the incident.
    Cancelled,
}

impl OrderEvent {
    /// What one change means to others: `before` is the order as it was, `now` the time of the change where the order itself
    /// does not say it.
    pub fn of_change(before: Option<&Order>, after: &Order, now: Option<Timestamp>) -> Option<Self> {
        let was_parked = before.is_some_and(|before| before.state == State::Parked);
        let kind = match (was_parked, after.state) {
            (false, State::Parked) => OrderEventKind::Parked,
            (false, _) | (true, State::Parked) => return None,
            (true, State::Created) => OrderEventKind::Resolved,
            (true, State::Cancelled) => OrderEventKind::Cancelled,
            (true, State::Accepted | State::Forwarding | State::Retrying | State::Rejected) => {
                // Of many interventions the last are kept, so their number need not grow.
                let is_new = before.is_none_or(|before| before.interventions != after.interventions);
                let is_replay = after.interventions.last().is_some_and(|last| last.action == Action::Replayed);
                if is_new && is_replay { OrderEventKind::Replayed } else { OrderEventKind::SentAgain }
            }
        };
        let person = match kind {
            OrderEventKind::Parked | OrderEventKind::SentAgain => None,
            OrderEventKind::Replayed | OrderEventKind::Resolved | OrderEventKind::Cancelled => {
                after.interventions.last()
            }
        };
        let last = after.attempts.last();
        Some(Self {
            kind,
            order_id: after.id.clone(),
            revision: after.revision,
            cart_number: after.cart_number.clone(),
            state: after.state,
            at: now.or(after.settled_at).or_else(|| person.map(|person| person.at)).unwrap_or(after.received_at),
            attempts: last.map_or(0, |last| last.number),
            http_status: last.and_then(|last| last.http_status),
            in_doubt: after.doubt != Doubt::None,
            by: person.map(|person| person.by.clone()),
        })
    }
}

#[cfg(test)]
mod tests;
