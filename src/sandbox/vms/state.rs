//! The state of the sandbox's 11VMS: orders, received requests, queued faults.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

use super::fault::Fault;

/// An order that was created.
#[derive(Debug, Clone, PartialEq)]
pub struct CreatedOrder {
    /// The order's number.
    pub number: String,
    /// The body that made it.
    pub body: Value,
}

/// A request as it was received.
#[derive(Debug, Clone, PartialEq)]
pub struct ReceivedRequest {
    /// `POST`, `PATCH` or `GET`.
    pub method: String,
    /// The path, with its query.
    pub path: String,
    /// `Idempotency-Key` of an order, the external id of a look-up.
    pub id: String,
    /// Header names and values.
    pub headers: Vec<(String, String)>,
}

impl ReceivedRequest {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// The orders and faults of one 11VMS.
#[derive(Debug, Default)]
pub struct State {
    pub orders: Vec<CreatedOrder>,
    pub received: Vec<ReceivedRequest>,
    pub faults: VecDeque<Fault>,
    pub latency: Duration,
    pub in_flight: usize,
    pub max_in_flight: usize,
    pub gate: watch::Sender<Gate>,
    /// Whether tokens of any issuer are accepted.
    pub accepts_any_token: bool,
    pub api: Api,
}

/// The first order's number; SAP's purchase orders begin like this.
const FIRST_NUMBER: u64 = 4_500_000_001;

impl State {
    /// The number of the next order.
    pub fn next_number(&self) -> String {
        (FIRST_NUMBER + self.orders.len() as u64).to_string()
    }
}

/// The API that is spoken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Api {
    /// Orders are created by POST, and searched by their external id.
    #[default]
    ElevenVms,
    /// Records are upserted by an external id, and read by it.
    Salesforce,
}

/// Whether requests are handled, or wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Gate {
    #[default]
    Open,
    Closed,
}

/// Locks the state; a panic in another request leaves it usable.
pub fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
