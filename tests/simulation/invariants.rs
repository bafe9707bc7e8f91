//! The invariants of the relay: they hold after every step, whatever faults occurred. A test of its own finds each
//! deliberate defect by the text of the violation.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use purchase_order_webhook::clock::after;
use purchase_order_webhook::order::{Attempt, Order, OrderId, Outcome, State};
use purchase_order_webhook::relay::SubmitOutcome;

use crate::run::INITIAL_DELAY;
use crate::world::{GRACE, World};

#[derive(Debug, Default)]
pub struct Invariants {
    /// Orders whose admission a ledger has committed.
    pub admitted: BTreeSet<OrderId>,
    /// Numbers in the answers of callers.
    answered_numbers: BTreeMap<OrderId, String>,
    /// Numbers that people named.
    pub numbers_by_hand: BTreeSet<(OrderId, String)>,
    /// Before this time 11VMS does not want an order again (`Retry-After`).
    pub not_before: BTreeMap<OrderId, Timestamp>,
    /// The first violation.
    pub violation: Option<String>,
}

impl World {
    pub fn report_violation(&mut self, what: String) {
        self.record(&what);
        self.invariants.violation.get_or_insert(what);
    }

    /// A record was committed in place of another.
    pub fn check_change(&mut self, before: Option<Order>, order: &Order) {
        let Some(before) = before else { return };
        if matches!(before.state, State::Created | State::Cancelled) && before != *order {
            self.report_violation(format!("{}: {} became {}", order.id, before.state.name(), order.state.name()));
        }
        if order.state == State::Forwarding && before != *order {
            self.check_begin(&before, order);
        }
        if before.state == State::Forwarding && before.interventions.len() < order.interventions.len() {
            self.report_violation(format!("{}: settled by hand while an attempt is under way", order.id));
        }
    }

    /// An attempt begins, and not before its time.
    fn check_begin(&mut self, before: &Order, order: &Order) {
        let started = order.attempts.last().unwrap().started_at;
        if order.attempts_used == 1 {
            // The cart was sent again: its sender has had the Retry-After of the earlier attempts.
            self.invariants.not_before.remove(&order.id);
        }
        let mut early = before.next_attempt_at.is_some_and(|at| started < at);
        if let Some(last) = order.attempts.iter().rev().nth(1) {
            let end = end(last);
            let in_doubt = matches!(last.outcome, Some(Outcome::Unknown | Outcome::Interrupted));
            let is_retry = order.attempts_used >= 2 && last.outcome != Some(Outcome::Interrupted);
            early |= in_doubt && started < after(end, GRACE);
            early |= is_retry && started < after(end, INITIAL_DELAY.mul_f64(0.899));
            early |= is_retry && self.invariants.not_before.get(&order.id).is_some_and(|at| started < *at);
        }
        if early {
            self.report_violation(format!("{}: an attempt begins before its time", order.id));
        }
    }

    /// An order has arrived at 11VMS.
    pub fn check_sent(&mut self, id: &OrderId, body: &str) {
        let recorded = self.rows.get(id).is_some_and(|row| row.order.body == body && !row.order.attempts.is_empty());
        if !recorded {
            self.report_violation(format!("{id}: sent without a record in the ledger"));
        }
    }

    /// 11VMS has created an order.
    pub fn check_single_order(&mut self, id: &OrderId) {
        if self.vms[id].len() > 1 {
            self.report_violation(format!("{id}: 11VMS has two orders"));
        }
    }

    /// A caller has its answer, whatever it is.
    pub fn check_deadline(&mut self, cart: usize, deadline: Timestamp) {
        if self.now > deadline {
            self.report_violation(format!("{}: answered after the deadline", cart + 1));
        }
    }

    /// The answer of a caller is true.
    pub fn check_answer(&mut self, answer: &SubmitOutcome) {
        let order = answer.order();
        self.record(&format!("answer: {} r{} {}", order.id, order.revision, order.state.name()));
        let known = self.rows.get(&order.id).map(|row| row.order.clone());
        let is_true = known.is_some_and(|known| {
            known.revision > order.revision || (known.revision == order.revision && known.state == order.state)
        });
        if !is_true {
            self.report_violation(format!(
                "{}: answered {}, which the ledger does not have",
                order.id,
                order.state.name()
            ));
        }
        if let (State::Created, Some(number)) = (order.state, &order.purchase_order_number) {
            if !self.exists(&order.id, number) {
                self.report_violation(format!("{}: answered {number}, which 11VMS does not have", order.id));
            }
            let answered = self.invariants.answered_numbers.entry(order.id.clone()).or_insert_with(|| number.clone());
            if answered != number {
                self.report_violation(format!("{}: answered two numbers", order.id));
            }
        }
    }

    fn exists(&self, id: &OrderId, number: &str) -> bool {
        let in_vms = self.vms.get(id).is_some_and(|orders| orders.iter().any(|order| order.number == number));
        in_vms || self.invariants.numbers_by_hand.contains(&(id.clone(), number.to_owned()))
    }

    pub fn all_settled(&self) -> bool {
        self.rows.values().all(|row| !row.order.state.is_open())
    }

    /// Every order is settled as it was answered, once no fault has occurred for a while.
    pub fn check_end(&mut self) {
        for id in self.invariants.admitted.clone() {
            match self.rows.get(&id).map(|row| row.order.clone()) {
                None => self.report_violation(format!("{id}: lost")),
                Some(order) if order.state.is_open() => {
                    self.report_violation(format!("{id}: still {}", order.state.name()));
                }
                Some(order) if order.state == State::Created => {
                    let number = order.purchase_order_number.unwrap_or_default();
                    let is_as_answered = self.invariants.answered_numbers.get(&id).is_none_or(|known| *known == number);
                    if !is_as_answered || !self.exists(&id, &number) {
                        self.report_violation(format!("{id}: created as {number}, which is not so"));
                    }
                }
                Some(_) if self.invariants.answered_numbers.contains_key(&id) => {
                    self.report_violation(format!("{id}: answered a number, and not created"));
                }
                Some(_) => {}
            }
        }
    }
}

fn end(attempt: &Attempt) -> Timestamp {
    after(attempt.started_at, Duration::from_millis(attempt.duration_ms.unwrap_or(0)))
}
