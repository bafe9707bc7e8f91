//! Faults, and their form in JSON: `{"delayMs":200,"effect":"hang-up-after"}`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A fault of one request.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Fault {
    /// Milliseconds before the effect.
    pub delay_ms: u64,
    /// The effect.
    pub effect: Effect,
}

/// The effect of a fault.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Nothing unusual.
    #[default]
    Normal,
    /// The connection is closed, and nothing was done.
    HangUpBefore,
    /// The order is created, and the connection is closed without an answer.
    HangUpAfter,
    /// The order is created, and the answer is unreadable.
    Garbage,
    /// Nothing is created, and this is the answer.
    #[serde(rename_all = "camelCase")]
    Status {
        /// The HTTP status.
        status: u16,
        /// The body.
        #[serde(default)]
        body: Value,
        /// `Retry-After`.
        #[serde(default)]
        retry_after: Option<String>,
    },
    /// Nothing is created, and the answer redirects elsewhere (307).
    Redirect(String),
    /// The order is created, but this is the answer.
    CreatedButStatus(u16),
    /// The order is created; the answer is a 201 without a body, whose `Location` is this text and the order's number.
    CreatedAt(String),
}

impl Effect {
    /// An answer without a body.
    pub const fn status(status: u16) -> Self {
        Self::Status { status, body: Value::Null, retry_after: None }
    }
}
