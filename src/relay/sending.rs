//! The calls of an attempt: 11VMS is asked for an order in doubt, gets the order, and its answer is read.

use std::time::Duration;

use super::Relay;
use super::observer::Event;
use crate::clock::{Moment, PointInTime};
use crate::ledger::Sharing;
use crate::order::vms_response::{
    CallOutcome, LookUpResult, OrderNames, Repetition, is_success, needs_look_up, read_create,
    read_create_with_look_up, read_look_up,
};
use crate::order::{Doubt, Order, Outcome, Verdict};
use crate::vms::SendLimit;

/// What an attempt came to.
pub struct Sent {
    /// Its meaning for the order.
    pub verdict: Verdict,
    /// Whether 11VMS was asked before, and does not have the order.
    pub was_absent: bool,
    /// Whether 11VMS has said that it has the order, and did not give its number.
    pub is_acknowledged: bool,
    /// How long all calls took together.
    pub took: Duration,
}

impl Sent {
    /// The end of an attempt in which nothing was sent, or no answer came.
    pub const fn of(verdict: Verdict) -> Self {
        Self { verdict, was_absent: false, is_acknowledged: false, took: Duration::ZERO }
    }
}

/// Why an order is not sent once more that 11VMS has said to have: it may have it under a number that its search does not
/// show, or not yet. A person who replays the order has looked.
fn acknowledged_but_not_shown() -> Verdict {
    let detail = "11VMS has answered that it has the order, but its look-up does not show it; nothing was sent again. \
                  Look into 11VMS: if it has the order, resolve it; if not, replay it, and it is sent again";
    Verdict::Unknown { status: None, answer: None, detail: detail.to_owned(), retry_after: None }
}

impl Relay {
    /// Sends an order that has a permit. Nothing is dispatched as long as no token can be fetched.
    pub(super) async fn send_with_permit(&self, order: &Order, begun: PointInTime) -> Sent {
        let clock = &self.dependencies.clock;
        self.holds.remove(&order.id);
        self.report(Event::AttemptBegan(order));
        let began_at = clock.moment();
        let sent = self.send(order, begun).await;
        if let Verdict::Deferred { wait, .. } = &sent.verdict {
            self.dispatcher.pause_until(clock.moment().after(*wait));
        }
        Sent { took: clock.moment().since(began_at), ..sent }
    }

    /// Sends the order; in doubt, 11VMS is asked for it first. All calls together take no longer than an attempt may, and
    /// the order is not sent if the host has slept for so long meanwhile: its lease may have ended.
    async fn send(&self, order: &Order, begun: PointInTime) -> Sent {
        let limit = self.dependencies.clock.moment().after(self.dependencies.attempt_limit);
        let rules = &self.dependencies.response_rules;
        let was_absent = match self.ask_first(order, limit).await {
            None => false,
            Some(LookUpResult::Absent) if order.was_acknowledged() && rules.repetition == Repetition::SecondOrder => {
                return Sent::of(acknowledged_but_not_shown());
            }
            Some(LookUpResult::Absent) => true,
            Some(LookUpResult::Found(verdict) | LookUpResult::Inconclusive(verdict)) => return Sent::of(verdict),
        };
        let clock = self.dependencies.clock.as_ref();
        let left = self.dependencies.attempt_limit.saturating_sub(self.lease_age(begun));
        let limit = limit.min(clock.moment().after(left));
        let send_limit = (self.dependencies.ledger.sharing() == Sharing::Shared)
            .then_some(SendLimit { since: begun, longest: self.dependencies.attempt_limit });
        let answer = if let Some(not_sent) = send_limit.and_then(|limit| limit.passed(clock)) {
            not_sent
        } else {
            tokio::select! {
                biased;
                () = clock.sleep_until(limit) => CallOutcome::Lost(self.cut_off()),
                answer = self.dependencies.vms.create(order, send_limit) => answer,
            }
        };
        Sent { was_absent, ..self.read_answer(order, answer, limit).await }
    }

    /// Looks an order in doubt up; `None` if the order may be sent without.
    async fn ask_first(&self, order: &Order, limit: Moment) -> Option<LookUpResult> {
        let guard = self.dependencies.policy.guard;
        // A key protects a request that this ledger knows; one before a restore may have had another content.
        if order.doubt == Doubt::None || !(guard.looks_up() || order.restored_from.is_some()) {
            return None;
        }
        let answer = self.look_up_until(order, limit).await;
        if let CallOutcome::Deferred { detail, wait } = answer {
            return Some(LookUpResult::Inconclusive(Verdict::Deferred { detail, wait }));
        }
        if let CallOutcome::NotSent(detail) | CallOutcome::Lost(detail) = answer {
            let detail = format!("look-up: {detail}");
            return Some(LookUpResult::Inconclusive(Verdict::LookUpLost { detail }));
        }
        // An 11VMS that has no look-up has the key, which it knows as long as the order may come again.
        let has_no_look_up =
            matches!(&answer, CallOutcome::Answered(answer) if matches!(answer.status, 404 | 405 | 501));
        let names = OrderNames { id: &order.id, cart_number: &order.cart_number };
        match read_look_up(answer, names, &self.dependencies.response_rules) {
            LookUpResult::Inconclusive(_) if has_no_look_up && !guard.looks_up() => None,
            result => {
                if result == LookUpResult::Absent {
                    // 11VMS responds: whatever becomes of this order, others need not wait for it.
                    self.dispatcher.record_success();
                }
                Some(result)
            }
        }
    }

    async fn look_up_until(&self, order: &Order, limit: Moment) -> CallOutcome {
        tokio::select! {
            biased;
            () = self.dependencies.clock.sleep_until(limit) => CallOutcome::Lost(self.cut_off()),
            answer = self.dependencies.vms.look_up(order) => answer,
        }
    }

    /// Reads the answer to an order that was sent. Where a profile says so, 11VMS is asked for its number.
    async fn read_answer(&self, order: &Order, answer: CallOutcome, limit: Moment) -> Sent {
        let rules = &self.dependencies.response_rules;
        let names = OrderNames { id: &order.id, cart_number: &order.cart_number };
        if !needs_look_up(&answer, names, rules) {
            return Sent::of(read_create(answer, names, rules));
        }
        let is_success = is_success(&answer, rules);
        let look_up = self.look_up_until(order, limit).await;
        let verdict = read_create_with_look_up(answer, look_up, names, rules);
        let is_acknowledged = is_success && verdict.outcome() == Outcome::Unknown;
        Sent { is_acknowledged, ..Sent::of(verdict) }
    }

    fn cut_off(&self) -> String {
        format!("cut off after {} s", self.dependencies.attempt_limit.as_secs_f64())
    }
}
