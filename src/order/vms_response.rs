//! What a response of 11VMS means for an order: created, rejected, not done or unknown. Pure.
//!
//! `create` reads the answer to a created order, `look_up` the answer to a look-up, each by the rules of 11VMS's profile
//! (`rules`).

mod cached;
mod codes;
mod contradiction;
mod create;
mod detail;
mod look_up;
mod number;
mod owner;
mod page;
mod rules;
mod signs;

use std::time::Duration;

use serde_json::Value;

use super::id::OrderId;
use super::verdict::Verdict;
use crate::cart::without_leading_zeros;

pub use cached::CACHE_HEADERS;
pub use create::{is_success, needs_look_up, read_create, read_create_with_look_up};
pub use look_up::read_look_up;
pub use page::LIST_HEADERS;
pub use rules::{LookUpRules, NumberSource, Repetition, ResponseRules};

/// How a call to 11VMS ended.
#[derive(Debug, Clone, PartialEq)]
pub enum CallOutcome {
    /// 11VMS responded.
    Answered(VmsResponse),
    /// Nothing reached 11VMS, provably: there was no token, or no connection.
    NotSent(String),
    /// Nothing was done in 11VMS, because there is no token, and the token endpoint wants to be left alone.
    Deferred {
        /// What happened, for people.
        detail: String,
        /// For how long: before, no token can be fetched.
        wait: Duration,
    },
    /// The request was sent, or may have been, and no complete response arrived.
    Lost(String),
}

/// An HTTP response of 11VMS.
#[derive(Debug, Clone, PartialEq)]
pub struct VmsResponse {
    /// The HTTP status.
    pub status: u16,
    /// The body: JSON as it is, other text as a JSON string, `None` if it is empty.
    pub body: Option<Value>,
    /// What is wrong with the body, if it is not JSON, or not whole; of JSON, that a name which counts occurs twice in one
    /// object. The body has the last one then.
    pub defect: Option<String>,
    /// `Location`, as it was sent; `None` if several were that differ.
    pub location: Option<String>,
    /// `Retry-After` as a duration from the response's arrival.
    pub retry_after: Option<Duration>,
    /// Those of [`LIST_HEADERS`] and [`CACHE_HEADERS`] that were sent, with their values, one by one.
    pub list_headers: Vec<(String, String)>,
}

/// The names of an order, by which what belongs to it is told from what belongs to others.
#[derive(Debug, Clone, Copy)]
pub struct OrderNames<'o> {
    /// The order's id.
    pub id: &'o OrderId,
    /// The number of its cart.
    pub cart_number: &'o str,
}

impl OrderNames<'_> {
    /// Whether a text is the order's id, or its cart's number, with leading zeros or without.
    fn has(self, text: &str) -> bool {
        OrderId::of(text) == *self.id || without_leading_zeros(text) == without_leading_zeros(self.cart_number)
    }
}

/// What a look-up shows.
#[derive(Debug, Clone, PartialEq)]
pub enum LookUpResult {
    /// 11VMS has the order.
    Found(Verdict),
    /// 11VMS does not have the order: sending is safe.
    Absent,
    /// The response proves neither: nothing may be sent.
    Inconclusive(Verdict),
}

impl LookUpResult {
    /// What the look-up shows, for people.
    pub fn description(&self) -> String {
        match self {
            Self::Found(Verdict::Created { number, .. }) => format!("11VMS has the order, under the number {number}"),
            Self::Found(verdict) | Self::Inconclusive(verdict) => {
                format!("whether 11VMS has the order can't be told: {}", verdict.detail().unwrap_or("no detail"))
            }
            Self::Absent => "11VMS does not have the order".to_owned(),
        }
    }
}

impl VmsResponse {
    fn not_done(self, rules: &ResponseRules) -> Verdict {
        let detail = self.summary(rules);
        Verdict::NotDone { status: Some(self.status), answer: self.body, detail, retry_after: self.retry_after }
    }

    /// An unknown outcome; `what` follows the response's summary.
    fn unknown(&self, what: &str, rules: &ResponseRules) -> Verdict {
        let Self { status, body, retry_after, .. } = self.clone();
        let detail = format!("{}{what}", self.summary(rules));
        Verdict::Unknown { status: Some(status), answer: body, detail, retry_after }
    }

    /// A look-up that proves nothing; `what` says why.
    fn inconclusive(&self, what: &str, rules: &ResponseRules) -> LookUpResult {
        LookUpResult::Inconclusive(self.unknown(&format!(" to the look-up{what}"), rules))
    }
}

#[cfg(test)]
mod tests;
