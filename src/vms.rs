//! 11VMS, the target: the trait that the relay knows, and what a request to it carries.
//!
//! Knows nothing of what an answer means: `order/vms_response.rs` decides that. `vms/request.rs` fills the profile's
//! requests in, `vms/client.rs` builds them, `vms/transport.rs` sends them, and hides what their answers repeat
//! of secrets.

mod call_span;
pub mod client;
mod request;
pub mod token;
pub mod transport;

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use crate::clock::{Clock, PointInTime};
use crate::order::Order;
use crate::order::vms_response::CallOutcome;

/// How long an order may be sent: after it another process may have taken the order over.
#[derive(Debug, Clone, Copy)]
pub struct SendLimit {
    /// When the order became this process's own.
    pub since: PointInTime,
    /// For how long it is.
    pub longest: Duration,
}

impl SendLimit {
    /// What becomes of a call that would begin now, if it must not: the host has slept.
    pub fn passed(self, clock: &dyn Clock) -> Option<CallOutcome> {
        let has_passed = self.since.longest_elapsed(clock) >= self.longest;
        let detail = "the host slept, or its clock was set forward: another replica may have the order by now";
        has_passed.then(|| CallOutcome::NotSent(detail.to_owned()))
    }
}

/// The vendor management system.
#[async_trait]
pub trait Vms: Debug + Send + Sync + 'static {
    /// The request of `target.create` with the order's body, once, with the order's id as `Idempotency-Key`.
    /// Nothing is sent once `limit` has passed, looked at directly before.
    async fn create(&self, order: &Order, limit: Option<SendLimit>) -> CallOutcome;
    /// The request of `target.lookup` for this order.
    async fn look_up(&self, order: &Order) -> CallOutcome;
}
