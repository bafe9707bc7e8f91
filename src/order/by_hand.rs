//! What people do to an order: settle it by hand, or have it tried again. Pure.
//!
//! Both are remembered with who did it and when. Neither may happen while an attempt is under way: nobody can tell
//! then whether 11VMS is just creating the order.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::retry::Policy;
use super::{Candidate, Doubt, Order, State};
use crate::message::{Message, Topic, quoted};

/// Interventions that an order remembers.
const INTERVENTIONS_KEPT: usize = 50;

/// How a person settles an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// It exists in 11VMS under this number.
    Exists(String),
    /// There will be no order, for this reason.
    Cancelled(String),
}

/// What a person did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Had it tried again.
    Replayed,
    /// Said under which number it exists.
    Resolved,
    /// Said that there will be no order.
    Cancelled,
}

impl Action {
    /// The action's name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Replayed => "replayed",
            Self::Resolved => "resolved",
            Self::Cancelled => "cancelled",
        }
    }
}

/// One thing that a person did to an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intervention {
    /// When.
    pub at: Timestamp,
    /// Who, as the token says.
    pub by: String,
    /// What.
    pub action: Action,
    /// The number, or the reason.
    pub detail: Option<String>,
}

/// What becomes of a resolution.
#[derive(Debug, Clone, PartialEq)]
pub enum Resolved {
    /// The order, settled.
    Now(Order),
    /// It is settled in just this way already.
    Already(Order),
    /// An attempt is under way: its end has to be awaited.
    UnderWay(Order),
    /// It is settled in another way.
    Otherwise(Order),
}

impl Order {
    /// Settles an open or parked order by hand.
    pub fn resolve(mut self, resolution: &Resolution, by: &str, now: Timestamp) -> Resolved {
        match (self.state, resolution) {
            (State::Forwarding, _) => Resolved::UnderWay(self),
            (State::Created, Resolution::Exists(number)) if self.purchase_order_number.as_ref() == Some(number) => {
                Resolved::Already(self)
            }
            (State::Cancelled, Resolution::Cancelled(_)) => Resolved::Already(self),
            (State::Created | State::Cancelled | State::Rejected, _) => Resolved::Otherwise(self),
            (State::Accepted | State::Retrying | State::Parked, _) => {
                self.revision += 1;
                self.settle_by_hand(resolution, by, now);
                Resolved::Now(self)
            }
        }
    }

    fn settle_by_hand(&mut self, resolution: &Resolution, by: &str, now: Timestamp) {
        let cart = self.shown_number();
        let (action, detail, state, message) = match resolution {
            Resolution::Exists(number) => {
                self.purchase_order_number = Some(number.clone());
                let text = format!("Purchase order {number} was named by hand for shopping cart {cart}");
                (Action::Resolved, number, State::Created, Message::new(Topic::ResolvedByHand, text))
            }
            Resolution::Cancelled(why) => {
                let text = format!("Shopping cart {cart} was cancelled by hand: {}", quoted(why));
                (Action::Cancelled, why, State::Cancelled, Message::new(Topic::CancelledByHand, text))
            }
        };
        self.note(action, by, Some(detail.clone()), now);
        self.doubt = Doubt::None;
        self.settle(state, message, now);
    }

    /// A parked or refused order as it is when it is tried again, with the body that it had. `None` for every other.
    pub fn replay(self, by: &str, now: Timestamp, policy: &Policy) -> Option<Self> {
        if !matches!(self.state, State::Parked | State::Rejected) {
            return None;
        }
        let again = Candidate {
            id: self.id.clone(),
            cart_number: self.cart_number.clone(),
            fingerprint: self.fingerprint.clone(),
            body: self.body.clone(),
            mapping_version: self.mapping_version.clone(),
            baggage: self.baggage.clone(),
        };
        let mut order = self.restart(again, now, policy);
        order.note(Action::Replayed, by, None, now);
        Some(order)
    }

    fn note(&mut self, action: Action, by: &str, detail: Option<String>, now: Timestamp) {
        if self.interventions.len() == INTERVENTIONS_KEPT {
            self.interventions.remove(0);
        }
        self.interventions.push(Intervention { at: now, by: by.to_owned(), action, detail });
    }
}
