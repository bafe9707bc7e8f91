//! The attempts of an order: their begin, their end, and the interruption of one whose process stopped. Pure.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::retry::RetryPolicy;
use super::state::{Attempt, Doubt, Outcome, State};
use super::stored_answer::bounded;
use super::verdict::Verdict;
use super::{IllegalChange, Order, due};
use crate::clock::{after, between};
use crate::message::{Message, MessageCode};

/// Attempts that an order keeps; their numbers go on. A refused cart may be sent again any number of times.
const MAX_ATTEMPTS_KEPT: usize = 50;

/// Attempts in a row that say nothing about the order and so use up no retry: interrupted ones, and ones whose look-up got
/// no answer. Beyond it, the order itself may be what stops the service, and an 11VMS that can't be reached for so long is
/// a matter for a person.
const MAX_FREE_ATTEMPTS: usize = 5;

/// What was known of an order before it was put in doubt because the ledger was restored.
#[derive(Debug, Clone, Copy)]
pub struct DoubtBefore {
    doubt: Doubt,
    restored_from: Option<Timestamp>,
}

impl Order {
    /// Begins an attempt. Stored before anything is sent.
    ///
    /// # Errors
    /// If the order does not wait for an attempt.
    pub fn begin(&mut self, now: Timestamp) -> Result<(), IllegalChange> {
        self.expect(matches!(self.state, State::Accepted | State::Retrying), "begin an attempt")?;
        self.revision += 1;
        self.begin_next(now);
        Ok(())
    }

    /// A new order whose first attempt has begun: still its first revision, because that is one change. A repeated write of it
    /// is so never taken for a change of an order that was admitted meanwhile under its id.
    pub(super) fn in_first_attempt(mut self, now: Timestamp) -> Self {
        self.begin_next(now);
        self
    }

    fn begin_next(&mut self, now: Timestamp) {
        self.state = State::Forwarding;
        self.next_attempt_at = None;
        self.attempts_used += 1;
        let number = self.attempts.last().map_or(1, |last| last.number + 1);
        if self.attempts.len() == MAX_ATTEMPTS_KEPT {
            let oldest = self.attempts.remove(0);
            if let Some(next) = self.attempts.first_mut() {
                next.was_acknowledged |= oldest.was_acknowledged;
            }
        }
        self.attempts.push(Attempt {
            number,
            started_at: now,
            duration_ms: None,
            outcome: None,
            http_status: None,
            detail: None,
            look_up_lost: false,
            was_acknowledged: false,
        });
    }

    /// Ends an attempt. Stored before anyone is answered. One that was deferred was none: nothing of it stays but the wait. `jitter` (-1 to 1) is the position of the next attempt within
    /// the policy's jitter.
    ///
    /// # Errors
    /// If no attempt is under way.
    pub fn conclude(
        &mut self,
        verdict: Verdict,
        now: Timestamp,
        policy: &RetryPolicy,
        jitter: f64,
    ) -> Result<(), IllegalChange> {
        self.expect(self.state == State::Forwarding, "conclude an attempt")?;
        self.revision += 1;
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.duration_ms = u64::try_from(between(attempt.started_at, now).as_millis()).ok();
            attempt.outcome = Some(verdict.outcome());
            attempt.http_status = verdict.status();
            attempt.detail = verdict.detail().map(str::to_owned);
            attempt.look_up_lost = matches!(verdict, Verdict::LookUpLost { .. });
        }
        match verdict {
            Verdict::Created { number, status, answer, found, duplicates } => {
                let may_be_earlier = found || status == 409 || policy.guard.repeats_earlier_success();
                let earlier = may_be_earlier && self.doubt == Doubt::EarlierContent;
                self.settle_created(number, answer, now);
                if earlier {
                    self.messages.push(self.earlier_content());
                }
                if duplicates > 0 {
                    self.messages.push(more_than_one(duplicates));
                }
            }
            Verdict::Rejected { answer, detail, .. } => {
                self.vms_response = bounded(answer);
                // The doubt stays: the refusal of this attempt does not settle an earlier one.
                let earlier = if self.doubt == Doubt::None { "" } else { "; an earlier attempt may have succeeded" };
                let message = Message::new(MessageCode::Refused, format!("11VMS refused the order: {detail}{earlier}"));
                self.settle(State::Rejected, message, now);
            }
            Verdict::NotDone { answer, retry_after, detail, .. } => {
                self.vms_response = bounded(answer).or_else(|| self.vms_response.take());
                self.wait_or_park(&detail, retry_after, now, policy, jitter);
            }
            Verdict::Unknown { answer, retry_after, detail, .. } => {
                self.vms_response = bounded(answer).or_else(|| self.vms_response.take());
                self.doubt = self.doubt.after_unknown_outcome();
                self.wait_or_park(&detail, retry_after, now, policy, jitter);
            }
            Verdict::Deferred { wait, .. } => {
                self.attempts.pop();
                self.attempts_used = self.attempts_used.saturating_sub(1);
                self.wait(wait.min(policy.longest_wait()), now);
            }
            Verdict::LookUpLost { detail } => {
                if self.give_retry_back() {
                    let delay = policy.delay(self.attempts_used.max(1), jitter).unwrap_or(policy.initial_delay);
                    self.wait(delay.max(policy.unknown_grace), now);
                } else {
                    self.wait_or_park(&detail, None, now, policy, jitter);
                }
            }
        }
        Ok(())
    }

    /// Notes that 11VMS has answered the last attempt as one that it carried out, without a number. A part of its end.
    pub fn acknowledge_attempt(&mut self) {
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.was_acknowledged = true;
        }
    }

    /// Whether 11VMS has said that it has the order, since a person last replayed it: a look-up that does not show it is then
    /// no proof that it does not.
    pub fn was_acknowledged(&self) -> bool {
        self.attempts.iter().any(|attempt| attempt.was_acknowledged)
    }

    /// Lets a look-up that does not show the order count again: a person has looked into 11VMS.
    pub(super) fn forget_acknowledgements(&mut self) {
        for attempt in &mut self.attempts {
            attempt.was_acknowledged = false;
        }
    }

    /// Puts the begin of the last attempt off by the time that the order has waited for its permit since.
    pub fn put_attempt_off(&mut self, waited: Duration) {
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.started_at = after(attempt.started_at, waited);
        }
    }

    /// Corrects how long the last attempt took: the wall clock, which [`Order::conclude`] goes by, may have stepped in it.
    pub fn measure_attempt(&mut self, took: Duration) {
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.duration_ms = u64::try_from(took.as_millis()).ok();
        }
    }

    /// Brings the next attempt nearer, if it is farther away than any wait that the policy allows: the clock was ahead when
    /// the time was stored, or has been set back since.
    ///
    /// # Errors
    /// If the order waits for no attempt, or not for so long.
    pub fn replan(&mut self, now: Timestamp, policy: &RetryPolicy) -> Result<(), IllegalChange> {
        let latest = due(now, policy.longest_wait());
        let is_too_far = self.next_attempt_at.is_some_and(|at| at > latest);
        self.expect(self.state == State::Retrying && is_too_far, "be brought nearer")?;
        self.revision += 1;
        self.next_attempt_at = Some(latest);
        Ok(())
    }

    /// Whether 11VMS has to be asked for the order because the ledger was restored from a backup of the time `backup`:
    /// the ledger may have lost an attempt, or the order. Not once an attempt was made after that restore, which asked.
    pub fn may_have_been_forgotten(&self, backup: Timestamp) -> bool {
        self.restored_from != Some(backup)
    }

    /// Puts the order in doubt, because the ledger was restored. A part of the attempt that begins next.
    /// Returns what was known before.
    pub fn doubt_since_restore(&mut self, backup: Timestamp) -> DoubtBefore {
        DoubtBefore {
            doubt: std::mem::replace(&mut self.doubt, Doubt::EarlierContent),
            restored_from: self.restored_from.replace(backup),
        }
    }

    /// Takes that doubt back, because 11VMS was not asked after all: the next attempt asks.
    pub fn withdraw_doubt_since_restore(&mut self, before: DoubtBefore) {
        self.doubt = before.doubt;
        self.restored_from = before.restored_from;
    }

    /// Ends that doubt: 11VMS has been asked, and does not have the order. What was sent before the restore has had its
    /// effect by then.
    pub fn settle_doubt_since_restore(&mut self) {
        self.doubt = Doubt::None;
    }

    /// Ends an attempt whose process stopped: its outcome is unknown.
    ///
    /// # Errors
    /// If no attempt is under way.
    pub fn interrupt(&mut self, now: Timestamp, policy: &RetryPolicy) -> Result<(), IllegalChange> {
        const DETAIL: &str = "the service stopped during this attempt";
        self.expect(self.state == State::Forwarding, "be interrupted")?;
        self.revision += 1;
        if let Some(attempt) = self.attempts.last_mut() {
            // As if the attempt had ended now: the grace counts from the last moment at which it may have been under
            // way.
            attempt.duration_ms = u64::try_from(between(attempt.started_at, now).as_millis()).ok();
            attempt.outcome = Some(Outcome::Interrupted);
            attempt.detail = Some(DETAIL.to_owned());
        }
        self.doubt = self.doubt.after_unknown_outcome();
        self.give_retry_back();
        if policy.guard.retries_in_doubt() && self.attempts_used <= policy.retries {
            self.wait(policy.unknown_grace, now);
        } else {
            self.park("the service stopped during an attempt", now);
        }
        Ok(())
    }

    fn settle_created(&mut self, number: String, answer: Option<Value>, now: Timestamp) {
        let text = format!("Purchase order {number} exists in 11VMS for shopping cart {}", self.displayed_number());
        self.purchase_order_number = Some(number);
        self.vms_response = bounded(answer);
        self.doubt = Doubt::None;
        self.settle(State::Created, Message::new(MessageCode::Created, text), now);
    }

    fn wait_or_park(
        &mut self,
        detail: &str,
        retry_after: Option<Duration>,
        now: Timestamp,
        policy: &RetryPolicy,
        jitter: f64,
    ) {
        let in_doubt = self.doubt != Doubt::None;
        match policy.delay(self.attempts_used, jitter) {
            Some(delay) if !in_doubt || policy.guard.retries_in_doubt() => {
                let asked = retry_after.unwrap_or_default().min(policy.max_delay);
                let grace = if in_doubt { policy.unknown_grace } else { Duration::ZERO };
                self.wait(delay.max(asked).max(grace), now);
            }
            _ => self.park(detail, now),
        }
    }

    fn wait(&mut self, delay: Duration, now: Timestamp) {
        self.state = State::Retrying;
        self.next_attempt_at = Some(due(now, delay));
    }

    /// Gives the last attempt's retry back, because it is no evidence, up to a limit; false beyond it.
    fn give_retry_back(&mut self) -> bool {
        let in_a_row = self.attempts.iter().rev().take_while(|attempt| attempt.is_no_evidence()).count();
        let is_free = in_a_row <= MAX_FREE_ATTEMPTS;
        self.attempts_used = self.attempts_used.saturating_sub(u32::from(is_free));
        is_free
    }

    fn earlier_content(&self) -> Message {
        let text = if self.restored_from.is_some() {
            "11VMS may hold the order of an earlier version of this cart, which the ledger lost when it was restored from a backup: compare it; changes made since may not have been sent"
        } else {
            "11VMS may hold the order of an earlier version of this cart: compare it; changes made since may not have been sent"
        };
        Message::new(MessageCode::EarlierContent, text)
    }

    fn park(&mut self, detail: &str, now: Timestamp) {
        let known = if self.doubt == Doubt::None {
            "it does not exist in 11VMS"
        } else {
            "whether it exists in 11VMS is unknown"
        };
        let text =
            format!("The order was parked after {} attempts; {known}. Last: {detail}", self.attempts_used.max(1));
        self.settle(State::Parked, Message::new(MessageCode::Parked, text), now);
    }
}

fn more_than_one(duplicates: usize) -> Message {
    let text =
        format!("11VMS shows {} purchase orders for this id; the first was taken, look at the others", duplicates + 1);
    Message::new(MessageCode::Duplicate, text)
}
