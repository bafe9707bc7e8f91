//! The order: what is known of one approved cart, its states, and what may follow what.
//!
//! Pure. Every change that a ledger stores is one of the functions here: [`admit`], [`Order::begin`],
//! [`Order::conclude`], [`Order::interrupt`], [`Order::resolve`], [`Order::replay`]. Each raises the revision by one,
//! so of two changes to one revision a ledger takes one. Knows nothing of HTTP, SQL or 11VMS's wire.

mod admission;
pub mod breaker;
mod intervention;
pub mod retry;
mod state;

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

pub use admission::{Admission, Candidate, admit};
pub use intervention::{Action, Intervention, Resolution, Resolved};
pub use state::{Attempt, Doubt, Outcome, State};

use crate::cart::{CartId, hex_guid, without_leading_zeros};
use crate::clock::{after, between};
use crate::message::{Message, MessageCode, quoted};
use retry::{DuplicateGuard, RetryPolicy, Verdict};

/// Attempts that an order remembers; their numbers count on. A refused cart may be sent again for ever.
const ATTEMPTS_KEPT: usize = 50;

/// Interruptions in a row that cost nothing.
const FREE_INTERRUPTIONS: usize = 5;

/// What identifies an order: the cart's GUID as 32 lower-case hex digits, else its cart number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderId(String);

impl OrderId {
    /// The id in its one spelling, from whatever spelling of GUID or cart number a caller uses.
    pub fn of(spelling: &str) -> Self {
        Self(hex_guid(spelling).unwrap_or_else(|| without_leading_zeros(spelling).to_owned()))
    }

    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<CartId> for OrderId {
    /// A cart's identity is in its one spelling already.
    fn from(id: CartId) -> Self {
        Self(id.into())
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Headers of the caller that travel on to 11VMS, with every attempt.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropagatedHeaders {
    /// W3C Trace Context.
    pub traceparent: Option<String>,
    /// SAP's passport, hex.
    pub sap_passport: Option<String>,
    /// The request that brought the cart.
    pub request_id: Option<String>,
}

/// An order as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// What identifies it.
    pub id: OrderId,
    /// The cart number as sent.
    pub cart_number: String,
    /// Where it stands.
    pub state: State,
    /// 11VMS's number, once created.
    pub purchase_order_number: Option<String>,
    /// When the cart first arrived.
    pub received_at: Timestamp,
    /// When it was created, rejected, parked or cancelled.
    pub settled_at: Option<Timestamp>,
    /// When the next attempt is due.
    pub next_attempt_at: Option<Timestamp>,
    /// Version of the mapping that made the body.
    pub mapping_version: String,
    /// Every attempt, oldest first.
    pub attempts: Vec<Attempt>,
    /// What happened, for the cart's owner.
    pub messages: Vec<Message>,
    /// 11VMS's own last answer.
    #[serde(rename = "vms")]
    pub vms_response: Option<Value>,
    /// Hash of the cart's normalised content.
    pub fingerprint: String,
    /// The body that every attempt sends.
    pub body: String,
    /// Headers that travel on.
    #[serde(rename = "baggage")]
    pub propagated_headers: PropagatedHeaders,
    /// Whether 11VMS may already have it.
    pub doubt: Doubt,
    /// Attempts used since the order was last (re)started.
    #[serde(rename = "used")]
    pub attempts_used: u32,
    /// Grows by one with every change.
    pub revision: u64,
    /// What people did to it, oldest first.
    #[serde(default)]
    pub interventions: Vec<Intervention>,
}

/// A change that an order's state does not allow: a defect of the service, never of a cart.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("an order that is {from} can't {change}", from = .state.name())]
pub struct IllegalChange {
    state: State,
    change: &'static str,
}

impl Order {
    /// An attempt begins. Stored before anything is sent.
    ///
    /// # Errors
    /// If the order is not waiting for an attempt.
    pub fn begin(&mut self, now: Timestamp) -> Result<(), IllegalChange> {
        self.expect(matches!(self.state, State::Accepted | State::Retrying), "begin an attempt")?;
        self.revision += 1;
        self.state = State::Forwarding;
        self.next_attempt_at = None;
        self.attempts_used += 1;
        let number = self.attempts.last().map_or(1, |last| last.number + 1);
        if self.attempts.len() == ATTEMPTS_KEPT {
            self.attempts.remove(0);
        }
        self.attempts.push(Attempt {
            number,
            started_at: now,
            duration_ms: None,
            outcome: None,
            http_status: None,
            detail: None,
        });
        Ok(())
    }

    /// An attempt ended. Stored before anyone is answered. `jitter` in -1..=1 places the next attempt within the jitter.
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
        }
        match verdict {
            Verdict::Created { number, status, answer, found, duplicates } => {
                let known_before = found || status == 409 || policy.guard == DuplicateGuard::IdempotencyKey;
                let earlier = known_before && self.doubt == Doubt::EarlierContent;
                self.created(number, answer, now);
                if earlier {
                    self.messages.push(earlier_content());
                }
                if duplicates > 0 {
                    self.messages.push(more_than_one(duplicates));
                }
            }
            Verdict::Rejected { answer, detail, .. } => {
                self.vms_response = answer;
                // The doubt stays: a refusal of this attempt says nothing about what became of an earlier one.
                let earlier = if self.doubt == Doubt::None { "" } else { "; an earlier attempt may have succeeded" };
                let message = Message::new(MessageCode::Refused, format!("11VMS refused the order: {detail}{earlier}"));
                self.settle(State::Rejected, message, now);
            }
            Verdict::NotDone { answer, retry_after, detail, .. } => {
                self.vms_response = answer.or_else(|| self.vms_response.take());
                self.wait_or_park(&detail, retry_after, now, policy, jitter);
            }
            Verdict::Unknown { answer, retry_after, detail, .. } => {
                self.vms_response = answer.or_else(|| self.vms_response.take());
                self.doubt = self.doubt.after_unknown_outcome();
                self.wait_or_park(&detail, retry_after, now, policy, jitter);
            }
        }
        Ok(())
    }

    /// The service stopped during an attempt: whatever became of it is unknown.
    ///
    /// # Errors
    /// If no attempt is under way.
    pub fn interrupt(&mut self, now: Timestamp, policy: &RetryPolicy) -> Result<(), IllegalChange> {
        self.expect(self.state == State::Forwarding, "be interrupted")?;
        self.revision += 1;
        if let Some(attempt) = self.attempts.last_mut() {
            // As if it had ended now: the grace counts from the last moment at which it may have been under way.
            attempt.duration_ms = u64::try_from(between(attempt.started_at, now).as_millis()).ok();
            attempt.outcome = Some(Outcome::Interrupted);
            attempt.detail = Some("the service stopped during this attempt".to_owned());
        }
        self.doubt = self.doubt.after_unknown_outcome();
        // The attempt says nothing about 11VMS, so it costs nothing of the budget; but not for ever, if it is the order
        // that stops the service.
        let interrupted = |attempt: &&Attempt| attempt.outcome == Some(Outcome::Interrupted);
        if self.attempts.iter().rev().take_while(interrupted).count() <= FREE_INTERRUPTIONS {
            self.attempts_used = self.attempts_used.saturating_sub(1);
        }
        if policy.resends_unknown() && self.attempts_used <= policy.retries {
            self.state = State::Retrying;
            self.next_attempt_at = Some(due(now, policy.unknown_grace));
        } else {
            self.park("the service stopped during an attempt", now);
        }
        Ok(())
    }

    /// What people are shown of it, without what 11VMS gets.
    #[must_use]
    pub fn without_content(self) -> Self {
        Self {
            body: String::new(),
            fingerprint: String::new(),
            propagated_headers: PropagatedHeaders::default(),
            ..self
        }
    }

    fn created(&mut self, number: String, answer: Option<Value>, now: Timestamp) {
        let text = format!("Purchase order {number} exists in 11VMS for shopping cart {}", self.shown_number());
        self.purchase_order_number = Some(number);
        self.vms_response = answer;
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
            Some(delay) if !in_doubt || policy.resends_unknown() => {
                let asked = retry_after.unwrap_or_default().min(policy.max_delay);
                let grace = if in_doubt { policy.unknown_grace } else { Duration::ZERO };
                self.state = State::Retrying;
                self.next_attempt_at = Some(due(now, delay.max(asked).max(grace)));
            }
            _ => self.park(detail, now),
        }
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

    fn settle(&mut self, state: State, message: Message, now: Timestamp) {
        self.state = state;
        self.settled_at = Some(now);
        self.next_attempt_at = None;
        self.messages = vec![message];
    }

    fn shown_number(&self) -> String {
        quoted(if self.cart_number.is_empty() { self.id.as_str() } else { &self.cart_number }).replace('"', "")
    }

    const fn expect(&self, allowed: bool, change: &'static str) -> Result<(), IllegalChange> {
        if allowed { Ok(()) } else { Err(IllegalChange { state: self.state, change }) }
    }
}

/// When a wait is over: in whole milliseconds, as ledgers count, and not earlier.
fn due(start: Timestamp, wait: Duration) -> Timestamp {
    let time = after(start, wait);
    match Timestamp::from_millisecond(time.as_millisecond()) {
        Ok(whole) if whole < time => after(whole, Duration::from_millis(1)),
        _ => time,
    }
}

fn earlier_content() -> Message {
    let text = "11VMS may hold the order of an earlier version of this cart: compare it; changes made since may not have been sent";
    Message::new(MessageCode::EarlierContent, text)
}

fn more_than_one(duplicates: usize) -> Message {
    let text =
        format!("11VMS shows {} purchase orders for this id; the first was taken, look at the others", duplicates + 1);
    Message::new(MessageCode::Duplicate, text)
}

#[cfg(test)]
mod tests;
