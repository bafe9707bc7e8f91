//! 11VMS, the target: the trait that the relay knows, and what a request to it carries.
//!
//! Knows nothing of what an answer means: `order/vms_response.rs` decides that. `vms/client.rs` builds the requests,
//! `vms/transport.rs` sends them.

pub mod client;
pub mod token;
pub mod transport;

use std::fmt::Debug;

use async_trait::async_trait;

use crate::order::vms_response::CallOutcome;
use crate::order::{Order, OrderId};

/// The vendor management system.
#[async_trait]
pub trait Vms: Debug + Send + Sync + 'static {
    /// `POST /purchase-orders` with the order's body, once, with the order's id as `Idempotency-Key`.
    async fn create(&self, order: &Order) -> CallOutcome;
    /// `GET /purchase-orders?externalId={id}`.
    async fn look_up(&self, id: &OrderId) -> CallOutcome;
}
