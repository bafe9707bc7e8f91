//! 11VMS, the target: the trait that the relay knows, and what a request to it carries.
//!
//! Knows nothing of what an answer means: `order/vms_response.rs` decides that. `vms/request.rs` fills the profile's
//! requests in, `vms/client.rs` builds them, `vms/transport.rs` sends them.

pub mod client;
mod request;
pub mod token;
pub mod transport;

use std::fmt::Debug;

use async_trait::async_trait;

use crate::order::Order;
use crate::order::vms_response::CallOutcome;

/// The vendor management system.
#[async_trait]
pub trait Vms: Debug + Send + Sync + 'static {
    /// The request of `target.create` with the order's body, once, with the order's id as `Idempotency-Key`.
    async fn create(&self, order: &Order) -> CallOutcome;
    /// The request of `target.lookup` for this order.
    async fn look_up(&self, order: &Order) -> CallOutcome;
}
