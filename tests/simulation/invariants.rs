//! What has to hold after every step, whatever went wrong.

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
    /// Orders that a ledger has said yes to.
    pub admitted: BTreeSet<OrderId>,
    /// Numbers that callers were told.
    told: BTreeMap<OrderId, String>,
    /// Numbers that people named.
    pub named: BTreeSet<(OrderId, String)>,
    /// When 11VMS wants to see an order again.
    pub not_before: BTreeMap<OrderId, Timestamp>,
    /// The first thing that was wrong.
    pub violation: Option<String>,
}

impl World {
    pub fn violated(&mut self, what: String) {
        self.note(&what);
        self.invariants.violation.get_or_insert(what);
    }

    /// A record was committed in place of another.
    pub fn check_change(&mut self, before: Option<Order>, order: &Order) {
        let Some(before) = before else { return };
        if matches!(before.state, State::Created | State::Cancelled) && before != *order {
            self.violated(format!("{}: {} became {}", order.id, before.state.name(), order.state.name()));
        }
        if order.state == State::Forwarding && before != *order {
            self.check_begin(&before, order);
        }
        if before.state == State::Forwarding && before.interventions.len() < order.interventions.len() {
            self.violated(format!("{}: settled by hand while an attempt is under way", order.id));
        }
    }

    /// An attempt begins, and not before its time.
    fn check_begin(&mut self, before: &Order, order: &Order) {
        let started = order.attempts.last().unwrap().started_at;
        if order.attempts_used == 1 {
            // A new life of the order: what 11VMS asked of an earlier one was heard by who brought it again.
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
            self.violated(format!("{}: an attempt begins before its time", order.id));
        }
    }

    /// An order arrives at 11VMS.
    pub fn check_sent(&mut self, id: &OrderId, body: &str) {
        let recorded = self.rows.get(id).is_some_and(|row| row.order.body == body && !row.order.attempts.is_empty());
        if !recorded {
            self.violated(format!("{id}: sent, and the ledger does not know it"));
        }
    }

    /// 11VMS has made an order.
    pub fn check_vms(&mut self, id: &OrderId) {
        if self.vms[id].len() > 1 {
            self.violated(format!("{id}: 11VMS has two orders"));
        }
    }

    /// A caller has its answer, whatever it is.
    pub fn check_in_time(&mut self, cart: usize, deadline: Timestamp) {
        if self.now > deadline {
            self.violated(format!("{}: answered after the deadline", cart + 1));
        }
    }

    /// A caller was told something.
    pub fn check_answer(&mut self, answer: &SubmitOutcome) {
        let (SubmitOutcome::Created(order)
        | SubmitOutcome::Replayed(order)
        | SubmitOutcome::Open(order)
        | SubmitOutcome::Rejected(order)
        | SubmitOutcome::Parked(order)
        | SubmitOutcome::Conflicting(order)) = answer;
        self.note(&format!("told: {} r{} {}", order.id, order.revision, order.state.name()));
        let known = self.rows.get(&order.id).map(|row| row.order.clone());
        let is_true = known.is_some_and(|known| {
            known.revision > order.revision || (known.revision == order.revision && known.state == order.state)
        });
        if !is_true {
            self.violated(format!("{}: told {}, which the ledger does not have", order.id, order.state.name()));
        }
        if let (State::Created, Some(number)) = (order.state, &order.purchase_order_number) {
            if !self.exists(&order.id, number) {
                self.violated(format!("{}: told {number}, which 11VMS does not have", order.id));
            }
            let told = self.invariants.told.entry(order.id.clone()).or_insert_with(|| number.clone());
            if told != number {
                self.violated(format!("{}: told two numbers", order.id));
            }
        }
    }

    fn exists(&self, id: &OrderId, number: &str) -> bool {
        let in_vms = self.vms.get(id).is_some_and(|orders| orders.iter().any(|order| order.number == number));
        in_vms || self.invariants.named.contains(&(id.clone(), number.to_owned()))
    }

    pub fn all_settled(&self) -> bool {
        self.rows.values().all(|row| !row.order.state.is_open())
    }

    /// After all is calm again.
    pub fn check_end(&mut self) {
        for id in self.invariants.admitted.clone() {
            match self.rows.get(&id).map(|row| row.order.clone()) {
                None => self.violated(format!("{id}: lost")),
                Some(order) if order.state.is_open() => self.violated(format!("{id}: still {}", order.state.name())),
                Some(order) if order.state == State::Created => {
                    let number = order.purchase_order_number.unwrap_or_default();
                    let told = self.invariants.told.get(&id).is_none_or(|told| *told == number);
                    if !told || !self.exists(&id, &number) {
                        self.violated(format!("{id}: created as {number}, which is not so"));
                    }
                }
                Some(_) if self.invariants.told.contains_key(&id) => {
                    self.violated(format!("{id}: told a number, and not created"));
                }
                Some(_) => {}
            }
        }
    }
}

fn end(attempt: &Attempt) -> Timestamp {
    after(attempt.started_at, Duration::from_millis(attempt.duration_ms.unwrap_or(0)))
}
