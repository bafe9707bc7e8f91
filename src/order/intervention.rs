//! Interventions: a person settles an order by hand, or has it tried again. Pure.
//!
//! Each is recorded with the person's name and the time. None is possible while an attempt is under way, because 11VMS
//! may be creating the order at that moment.

use std::time::Duration;

use jiff::Timestamp;

use super::audit::{Action, Requester};
use super::state::{Doubt, Outcome, State};
use super::{Candidate, Order};
use crate::message::{Message, MessageCode, quoted};

/// How a person settles an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// The order exists in 11VMS under this number.
    Exists(String),
    /// There will be no order, for this reason.
    Cancelled(String),
}

/// The result of a resolution.
#[derive(Debug, Clone, PartialEq)]
pub enum Resolved {
    /// The order is settled now.
    Applied(Order),
    /// The order was settled in the same way before.
    Already(Order),
    /// An attempt is under way; its end has to be awaited.
    AttemptInProgress(Order),
    /// The order was settled in another way.
    SettledDifferently(Order),
}

impl Resolved {
    /// The order, whatever the result.
    pub const fn order(&self) -> &Order {
        let (Self::Applied(order)
        | Self::Already(order)
        | Self::AttemptInProgress(order)
        | Self::SettledDifferently(order)) = self;
        order
    }
}

impl Order {
    /// Settles an open or parked order by hand.
    pub fn resolve(mut self, resolution: &Resolution, by: impl Into<Requester>, now: Timestamp) -> Resolved {
        match (self.state, resolution) {
            (State::Forwarding, _) => Resolved::AttemptInProgress(self),
            (State::Created, Resolution::Exists(number)) if self.purchase_order_number.as_ref() == Some(number) => {
                Resolved::Already(self)
            }
            (State::Cancelled, Resolution::Cancelled(_)) => Resolved::Already(self),
            (State::Created | State::Cancelled | State::Rejected, _) => Resolved::SettledDifferently(self),
            (State::Accepted | State::Retrying | State::Parked, _) => {
                self.revision += 1;
                self.settle_by_hand(resolution, by.into(), now);
                Resolved::Applied(self)
            }
        }
    }

    /// Settles an order by hand whose last attempt has ended without a record: nobody makes it any more, and the ledger
    /// can't store how it ended.
    #[must_use]
    pub fn resolve_abandoned(mut self, resolution: &Resolution, by: impl Into<Requester>, now: Timestamp) -> Self {
        if let Some(last) = self.attempts.last_mut() {
            last.outcome = Some(Outcome::Interrupted);
            last.detail = Some("the ledger could not store how this attempt ended".to_owned());
        }
        self.revision += 1;
        self.settle_by_hand(resolution, by.into(), now);
        self
    }

    fn settle_by_hand(&mut self, resolution: &Resolution, by: Requester, now: Timestamp) {
        let cart = self.displayed_number();
        let (action, detail, state, message) = match resolution {
            Resolution::Exists(number) => {
                self.purchase_order_number = Some(number.clone());
                let text = format!("Purchase order {number} was named by hand for shopping cart {cart}");
                (Action::Resolved, number, State::Created, Message::new(MessageCode::ResolvedByHand, text))
            }
            Resolution::Cancelled(why) => {
                let text = format!("Shopping cart {cart} was cancelled by hand: {}", quoted(why));
                (Action::Cancelled, why, State::Cancelled, Message::new(MessageCode::CancelledByHand, text))
            }
        };
        self.record_intervention(action, by, Some(detail.clone()), now);
        self.doubt = Doubt::None;
        self.settle(state, message, now);
    }

    /// Starts a parked or refused order again, with the body that it had. `None` for every other order. In doubt, 11VMS is
    /// asked first, and is believed this time, even if it has once said that it has the order.
    pub fn replay(self, by: impl Into<Requester>, now: Timestamp, unknown_grace: Duration) -> Option<Self> {
        if !matches!(self.state, State::Parked | State::Rejected) {
            return None;
        }
        let again = Candidate {
            id: self.id.clone(),
            cart_number: self.cart_number.clone(),
            fingerprint: self.fingerprint.clone(),
            body: self.body.clone(),
            mapping_version: self.mapping_version.clone(),
            warnings: Vec::new(),
            propagated_headers: self.propagated_headers.clone(),
            requester: Requester::default(),
            cart: None,
        };
        let warnings = self.warnings.clone();
        let mut order = self.restart(again, now, unknown_grace);
        // Bounded already, and the last of them may count those that were not kept.
        order.warnings = warnings;
        order.forget_acknowledgements();
        order.record_intervention(Action::Replayed, by.into(), None, now);
        Some(order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::retry::RetryPolicy;
    use crate::order::{Admission, OrderId, PropagatedHeaders, Terms, Verdict, admit};

    const GRACE: Duration = Duration::from_secs(30);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    fn accepted() -> Order {
        let candidate = Candidate {
            id: OrderId::of("4711"),
            cart_number: "4711".into(),
            fingerprint: "f".into(),
            body: "{}".into(),
            mapping_version: "v".into(),
            warnings: Vec::new(),
            propagated_headers: PropagatedHeaders::default(),
            requester: Requester::default(),
            cart: None,
        };
        match admit(None, candidate, Terms::new(at(0), GRACE)) {
            Admission::Started(order) => order,
            other => panic!("{other:?}"),
        }
    }

    fn forwarding() -> Order {
        let mut order = accepted();
        order.begin(at(1)).unwrap();
        order
    }

    fn after_attempt(verdict: Verdict, retries: u32) -> Order {
        let mut order = forwarding();
        order.conclude(verdict, at(2), &RetryPolicy { retries, ..RetryPolicy::usual() }, 0.0).unwrap();
        order
    }

    fn unknown() -> Verdict {
        Verdict::Unknown { status: None, answer: None, detail: String::new(), retry_after: None }
    }

    fn exists(number: &str) -> Resolution {
        Resolution::Exists(number.to_owned())
    }

    fn cancelled() -> Resolution {
        Resolution::Cancelled("not wanted".to_owned())
    }

    #[test]
    fn open_and_parked_orders_are_settled_by_hand() {
        for order in [accepted(), after_attempt(unknown(), 3), after_attempt(unknown(), 0)] {
            let before = order.clone();
            let Resolved::Applied(created) = order.clone().resolve(&exists("45"), "me", at(9)) else { panic!() };
            assert_eq!((created.state, created.purchase_order_number.as_deref()), (State::Created, Some("45")));
            assert_eq!((created.settled_at, created.next_attempt_at), (Some(at(9)), None));
            assert_eq!((created.revision, created.doubt), (before.revision + 1, Doubt::None));
            let Resolved::Applied(cancelled) = order.resolve(&cancelled(), "me", at(9)) else { panic!() };
            assert_eq!(cancelled.state, State::Cancelled);
            let done = &cancelled.interventions[0];
            assert_eq!((done.by.as_str(), done.at, done.action), ("me", at(9), Action::Cancelled));
            assert_eq!(done.detail.as_deref(), Some("not wanted"));
        }
    }

    #[test]
    fn nothing_is_settled_by_hand_while_an_attempt_is_under_way() {
        for resolution in [exists("45"), cancelled()] {
            assert_eq!(forwarding().resolve(&resolution, "me", at(9)), Resolved::AttemptInProgress(forwarding()));
        }
    }

    #[test]
    fn what_is_settled_stays_settled() {
        let refused = Verdict::Rejected { status: 422, answer: None, detail: String::new() };
        let rejected = after_attempt(refused, 3);
        assert!(
            matches!(rejected.clone().resolve(&cancelled(), "me", at(9)), Resolved::SettledDifferently(same) if same == rejected)
        );
        let Resolved::Applied(created) = accepted().resolve(&exists("45"), "me", at(3)) else { panic!() };
        assert!(
            matches!(created.clone().resolve(&exists("45"), "other", at(9)), Resolved::Already(same) if same == created)
        );
        assert!(matches!(created.clone().resolve(&exists("46"), "me", at(9)), Resolved::SettledDifferently(_)));
        assert!(matches!(created.resolve(&cancelled(), "me", at(9)), Resolved::SettledDifferently(_)));
    }

    #[test]
    fn a_replay_keeps_body_doubt_and_history_and_waits_for_the_grace() {
        let parked = after_attempt(unknown(), 0);
        let again = parked.clone().replay("me", at(10), GRACE).unwrap();
        assert_eq!((again.state, again.doubt, again.attempts_used), (State::Retrying, Doubt::ThisContent, 0));
        assert_eq!(again.next_attempt_at, Some(at(32)));
        assert_eq!(
            (again.body, again.attempts, again.revision),
            (parked.body.clone(), parked.attempts.clone(), parked.revision + 1)
        );
        let later = parked.replay("me", at(100), GRACE).unwrap();
        assert_eq!((later.state, later.interventions[0].action), (State::Accepted, Action::Replayed));
    }

    #[test]
    fn only_parked_and_refused_orders_are_replayed() {
        for order in [accepted(), forwarding(), after_attempt(unknown(), 3)] {
            assert_eq!(order.replay("me", at(9), GRACE), None);
        }
    }

    #[test]
    fn of_many_interventions_the_last_are_remembered() {
        let mut order = accepted();
        for number in 0..60 {
            order.record_intervention(Action::Replayed, number.to_string().into(), None, at(number));
        }
        assert_eq!((order.interventions.len(), order.interventions[0].by.as_str()), (50, "10"));
    }
}
