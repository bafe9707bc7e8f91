//! The order: everything that is known of one approved cart, and which change may follow which.
//!
//! Pure. Every change that a ledger stores is one of the functions here: [`admit`], [`Order::begin`],
//! [`Order::conclude`], [`Order::interrupt`], [`Order::replan`], [`Order::resolve`], [`Order::replay`]. Each raises the
//! revision by one, so of two changes to one revision a ledger takes one. Knows nothing of HTTP, SQL or 11VMS's wire.

mod admission;
mod attempt;
mod audit;
pub mod breaker;
mod event;
mod id;
mod intervention;
pub mod retry;
mod state;
mod stored_answer;
mod verdict;
pub mod vms_response;
mod warnings;

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

pub use admission::{Admission, Candidate, KeepCarts, Terms, admit};
pub use attempt::DoubtBefore;
pub use audit::{Action, AuditEntry, Requester};
pub use event::{OrderEvent, OrderEventKind};
pub use id::OrderId;
pub use intervention::{Resolution, Resolved};
pub use state::{Attempt, Doubt, Outcome, State};
pub use verdict::Verdict;

use crate::clock::after;
use crate::message::{Message, quoted};

/// Headers of the caller that every attempt passes on to 11VMS.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropagatedHeaders {
    /// W3C Trace Context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// What vendors added to it; absent in older records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracestate: Option<String>,
    /// SAP's passport, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sap_passport: Option<String>,
    /// The id of the request that brought the cart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// An order as the ledger stores it. Serialized names never change: they are in records that exist. What says nothing is left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// The order's identity.
    pub id: OrderId,
    /// The cart number as sent.
    pub cart_number: String,
    /// The state.
    pub state: State,
    /// 11VMS's number, once the order is created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purchase_order_number: Option<String>,
    /// When the cart first arrived.
    pub received_at: Timestamp,
    /// When it was last started again, by its cart or by a person. Absent in records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restarted_at: Option<Timestamp>,
    /// When the order was created, rejected, parked or cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<Timestamp>,
    /// When the next attempt is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<Timestamp>,
    /// The version of the mapping that made the body.
    pub mapping_version: String,
    /// The attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// What happened, for the cart's owner.
    pub messages: Vec<Message>,
    /// What the cart's owner should check, though the cart was accepted; bounded, and absent in older records.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Message>,
    /// The body of 11VMS's last response.
    #[serde(rename = "vms", default, skip_serializing_if = "Option::is_none")]
    pub vms_response: Option<Value>,
    /// The hash of the cart's normalised content.
    pub fingerprint: String,
    /// The body that every attempt sends. Ledgers store it beside the record, as it does not change with it; older records
    /// have it in them.
    #[serde(default, skip_serializing)]
    pub body: String,
    /// Headers that every attempt passes on.
    #[serde(rename = "baggage")]
    pub propagated_headers: PropagatedHeaders,
    /// Whether 11VMS may already have the order.
    pub doubt: Doubt,
    /// The time of the backup that the ledger was restored from, if 11VMS was asked for the order because of that: the
    /// ledger may have known more about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored_from: Option<Timestamp>,
    /// Attempts since the order was last started or restarted.
    #[serde(rename = "used")]
    pub attempts_used: u32,
    /// Raised by one with every change.
    pub revision: u64,
    /// What people did to the order, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interventions: Vec<AuditEntry>,
    /// Who sent its cart, as often as that began or restarted the order, oldest first; absent in older records.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub submissions: Vec<AuditEntry>,
}

/// A change that an order's state does not allow: a defect of the service, never of a cart.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("an order that is {from} can't {change}", from = .state.name())]
pub struct IllegalChange {
    state: State,
    change: &'static str,
}

impl Order {
    /// The order without what only 11VMS gets: body, fingerprint and propagated headers but for the request id.
    #[must_use]
    pub fn without_content(self) -> Self {
        let request_id = self.propagated_headers.request_id;
        let propagated_headers = PropagatedHeaders { request_id, ..PropagatedHeaders::default() };
        Self { body: String::new(), fingerprint: String::new(), propagated_headers, ..self }
    }

    /// The order without what a storage may refuse: 11VMS's answer, and in the texts of attempts and messages everything
    /// that is not plain ASCII. The last attempt says so.
    #[must_use]
    pub fn without_foreign_text(mut self, reason: &str) -> Self {
        let plain = |text: &str| -> String {
            text.chars().map(|c| if c.is_ascii() && !c.is_ascii_control() { c } else { '?' }).collect()
        };
        self.vms_response = None;
        for message in self.messages.iter_mut().chain(&mut self.warnings) {
            message.message = plain(&message.message);
        }
        for attempt in &mut self.attempts {
            attempt.detail = attempt.detail.as_deref().map(plain);
        }
        if let Some(last) = self.attempts.last_mut() {
            let detail = last.detail.take().map(|detail| format!("{detail}; ")).unwrap_or_default();
            last.detail =
                Some(format!("{detail}11VMS's answer is left out, the ledger can't store it: {}", plain(reason)));
        }
        self
    }

    /// Since when it is, or was, open: since its cart arrived, or since it was last started again.
    pub fn opened_at(&self) -> Timestamp {
        self.restarted_at.unwrap_or(self.received_at)
    }

    /// The id of the request that brought the cart.
    pub fn request_id(&self) -> Option<&str> {
        self.propagated_headers.request_id.as_deref()
    }

    fn settle(&mut self, state: State, message: Message, now: Timestamp) {
        self.state = state;
        self.settled_at = Some(now);
        self.next_attempt_at = None;
        self.messages = vec![message];
    }

    /// The cart number, or the id where there is none, for a message.
    fn displayed_number(&self) -> String {
        quoted(if self.cart_number.is_empty() { self.id.as_str() } else { &self.cart_number }).replace('"', "")
    }

    const fn expect(&self, allowed: bool, change: &'static str) -> Result<(), IllegalChange> {
        if allowed { Ok(()) } else { Err(IllegalChange { state: self.state, change }) }
    }
}

/// The end of a wait, rounded up to whole milliseconds, which is what ledgers store.
fn due(start: Timestamp, wait: Duration) -> Timestamp {
    let time = after(start, wait);
    match Timestamp::from_millisecond(time.as_millisecond()) {
        Ok(whole) if whole < time => after(whole, Duration::from_millis(1)),
        _ => time,
    }
}

#[cfg(test)]
mod tests;
