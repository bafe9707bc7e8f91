//! The invariants of the relay: they hold after every step, whatever faults occurred. A test of its own finds each
//! deliberate defect by the text of the violation.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use purchase_order_webhook::clock::after;
use purchase_order_webhook::ledger::outbox::Message;
use purchase_order_webhook::order::vms_response::CallOutcome;
use purchase_order_webhook::order::{Attempt, Order, OrderId, Outcome, State};
use purchase_order_webhook::relay::SubmitOutcome;

use crate::run::{INITIAL_DELAY, MAX_DELAY};
use crate::told::Told;
use crate::vms::RequestInFlight;
use crate::world::{ProcessRunId, World};

#[derive(Debug, Default)]
pub struct Invariants {
    /// Orders whose admission a ledger has committed.
    pub admitted: BTreeSet<OrderId>,
    /// Numbers in the answers of callers.
    answered_numbers: BTreeMap<OrderId, String>,
    /// Numbers that people named.
    pub numbers_by_hand: BTreeSet<(OrderId, String)>,
    /// Numbers that callers got before the ledger was lost: another one must not follow, but a refusal may.
    numbers_before_restore: BTreeMap<OrderId, String>,
    /// The waits before the next attempt of an order, as far as a process knows of them.
    waits: BTreeMap<OrderId, Wait>,
    /// The answers that a process has heard, and not stored yet.
    heard: BTreeMap<OrderId, Heard>,
    /// Attempts, by the revision of their begin, whose look-up got no answer.
    pub lost_look_ups: BTreeSet<(OrderId, u64)>,
    /// Attempts, by the revision of their begin, for which there was no token because the token endpoint throttled.
    pub deferred: BTreeSet<(OrderId, u64)>,
    /// Attempts, by the revision of their begin, in which the order was sent.
    pub sent: BTreeSet<(OrderId, u64)>,
    /// What others have to hear, and have heard.
    pub told: Told,
    /// The cart that is sent at the end was answered.
    pub last_cart_answered: bool,
    /// The first violation.
    pub violation: Option<String>,
}

/// An answer of 11VMS, as a process has heard it.
#[derive(Debug, Clone, Copy)]
struct Heard {
    process: ProcessRunId,
    at: Timestamp,
    retry_after: Option<Duration>,
}

/// The wait after an attempt, on the true clock. All processes keep it if their clocks are right; the process that made
/// the attempt keeps it whatever the clocks show.
#[derive(Debug, Clone, Copy)]
struct Wait {
    process: ProcessRunId,
    until: Timestamp,
}

impl Invariants {
    /// Others have to hear of it.
    pub fn expect_told(&mut self, message: &Message) {
        self.told.expect(message);
    }

    /// Nothing that was to be heard before matters any more.
    pub fn forget_told(&mut self) {
        self.told = Told::default();
    }
}

impl World {
    pub fn report_violation(&mut self, what: String) {
        self.record(&what);
        self.invariants.violation.get_or_insert(what);
    }

    /// A record was committed in place of another.
    pub fn check_change(&mut self, before: Option<Order>, order: &Order, process: ProcessRunId) {
        let Some(before) = before else { return };
        if matches!(before.state, State::Created | State::Cancelled) && before != *order {
            self.report_violation(format!("{}: {} became {}", order.id, before.state.name(), order.state.name()));
        }
        if order.state == State::Forwarding && before != *order {
            self.check_begin(&before, order, process);
        }
        if before.state == State::Forwarding && before != *order {
            self.note_end(&before, order, process);
        }
        if before.state == State::Forwarding && before.interventions.len() < order.interventions.len() {
            self.report_violation(format!("{}: settled by hand while an attempt is under way", order.id));
        }
    }

    /// The cart that is kept is the one that became the order; callers here send the order itself as their cart.
    pub fn check_cart(&mut self, id: &OrderId) {
        let Some(row) = self.rows.get(id) else { return };
        if row.cart.as_deref() != Some(&row.order.body) {
            self.report_violation(format!("{id}: the cart of another order is kept, or none"));
        }
    }

    /// An attempt begins, and not before its time.
    fn check_begin(&mut self, before: &Order, order: &Order, process: ProcessRunId) {
        let wait = self.invariants.waits.remove(&order.id);
        if order.attempts_used == 1 && order.attempts.last().is_some_and(|last| last.number == 1) {
            return;
        }
        // A restart begins anew: its sender has had the Retry-After of the earlier attempts.
        let is_retry = before.attempts_used > 0 || before.attempts.last().is_some_and(|last| last.look_up_lost);
        let is_bound = |wait: &Wait| is_retry && (self.clocks_agree || wait.process == process);
        let started = order.attempts.last().unwrap().started_at;
        let hurries = self.clocks_agree && before.next_attempt_at.is_some_and(|at| started < at);
        if hurries || wait.filter(is_bound).is_some_and(|wait| self.now < wait.until) {
            self.report_violation(format!("{}: an attempt begins before its time", order.id));
        }
    }

    /// A process has heard the answer to an order, or that there is none.
    pub fn note_answer(&mut self, id: &OrderId, process: ProcessRunId, answer: &CallOutcome) {
        let retry_after = match answer {
            CallOutcome::Answered(response) => response.retry_after,
            CallOutcome::NotSent(_) | CallOutcome::Lost(_) => None,
            CallOutcome::Deferred { .. } => return,
        };
        self.invariants.heard.insert(id.clone(), Heard { process, at: self.now, retry_after });
    }

    /// The end of an attempt was stored.
    fn note_end(&mut self, before: &Order, order: &Order, process: ProcessRunId) {
        let heard = self.invariants.heard.remove(&order.id).filter(|heard| heard.process == process);
        let was_deferred = self.invariants.deferred.remove(&(order.id.clone(), before.revision));
        // A process that has ended meanwhile has left it interrupted.
        if was_deferred && order.attempts.last().is_none_or(|last| last.outcome != Some(Outcome::Interrupted)) {
            if order.state != State::Retrying || order.attempts_used >= before.attempts_used {
                self.report_violation(format!("{}: throttling uses up an attempt", order.id));
            }
            return;
        }
        if order.attempts.len() < before.attempts.len() {
            return self.check_taken_back(before, order);
        }
        let last = order.attempts.last().unwrap();
        if let Some(heard) = heard.filter(|_| last.outcome != Some(Outcome::Interrupted)) {
            let wait = INITIAL_DELAY.mul_f64(0.899).max(heard.retry_after.unwrap_or_default().min(MAX_DELAY));
            let until = after(heard.at, wait);
            self.record(&format!("{}: the next attempt has to wait for {wait:?}", order.id));
            self.invariants.waits.insert(order.id.clone(), Wait { process, until });
        }
        let was_lost = self.invariants.lost_look_ups.remove(&(order.id.clone(), before.revision));
        let is_free = |attempt: &&Attempt| attempt.look_up_lost || attempt.outcome == Some(Outcome::Interrupted);
        let in_a_row = order.attempts.iter().rev().take_while(is_free).count();
        if was_lost && last.look_up_lost && in_a_row <= 5 && order.attempts_used >= before.attempts_used {
            self.report_violation(format!("{}: a lost look-up uses up a retry", order.id));
        }
    }

    /// An attempt was none, because its order was held up: nothing was sent, and no retry is used up.
    fn check_taken_back(&mut self, before: &Order, order: &Order) {
        if self.invariants.sent.contains(&(order.id.clone(), before.revision)) {
            self.report_violation(format!("{}: an attempt is taken back that was sent", order.id));
        }
        if order.state != State::Retrying || order.attempts_used >= before.attempts_used {
            self.report_violation(format!("{}: an attempt that was none uses up a retry", order.id));
        }
    }

    /// 11VMS is asked about an order.
    pub fn check_grace(&mut self, id: &OrderId) {
        if RequestInFlight::may_be_in_work(self, id) {
            self.report_violation(format!("{id}: asked before the grace has passed"));
        }
    }

    /// The ledger is as it was at an earlier time: what came after is lost, and nobody can know of it.
    pub fn forget_what_was_lost(&mut self) {
        let Self { invariants, rows, .. } = self;
        invariants.admitted.retain(|id| rows.contains_key(id));
        invariants.waits.clear();
        invariants.heard.clear();
        invariants.lost_look_ups.clear();
        invariants.deferred.clear();
        invariants.sent.clear();
        invariants.numbers_before_restore.append(&mut invariants.answered_numbers);
    }

    /// The sender of the cart that came when everything was settled has its answer.
    pub fn check_last_cart(&mut self, answer: Option<&SubmitOutcome>) {
        self.invariants.last_cart_answered = true;
        if !matches!(answer, Some(SubmitOutcome::Created(_))) {
            let state = answer.map_or("refused", |answer| answer.order().state.name());
            self.report_violation(format!("a cart with nothing in its way was not ordered at once: {state}"));
        }
    }

    /// An order is sent to 11VMS.
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
            let earlier = self.invariants.numbers_before_restore.get(&order.id);
            if answered != number || earlier.is_some_and(|earlier| earlier != number) {
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
        self.check_told();
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
