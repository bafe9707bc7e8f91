//! What the handlers work with.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::protected_resource::ProtectedResource;
use super::rate_limit::ClientRateLimiter;
use crate::auth::TokenVerifier;
use crate::cart::Bounds;
use crate::clock::Clock;
use crate::condition::Conditions;
use crate::config::{Pages, Server};
use crate::ledger::Ledger;
use crate::ledger::audit::AuditTrail;
use crate::mapping::LiveMapping;
use crate::order::KeepCarts;
use crate::relay::Relay;
use crate::telemetry::metrics::Metrics;
use crate::trace::Tracer;

/// The parts that all requests share.
#[derive(Debug)]
pub struct ApiState {
    /// Brings carts to 11VMS.
    pub relay: Arc<Relay>,
    /// Where orders are read.
    pub ledger: Arc<dyn Ledger>,
    /// Where the audit trail is read.
    pub audit: Arc<dyn AuditTrail>,
    /// Turns carts into orders.
    pub mapping: Arc<LiveMapping>,
    /// Whether the text of each cart is stored with its order.
    pub keep_carts: KeepCarts,
    /// Decides about tokens.
    pub tokens: TokenVerifier,
    /// What clients learn of the issuers and scopes.
    pub resource: ProtectedResource,
    /// Cancelled when a stop is announced: the service is not ready any more, and still serves.
    pub stop_announced: CancellationToken,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What is counted.
    pub metrics: Metrics,
    /// What does not work at this moment.
    pub conditions: Conditions,
    /// Records what a request goes through, if traces are on.
    pub tracer: Tracer,
    /// How callers are served, and the limits on what they send.
    pub server: Server,
    /// What people see without a token, and where the docs page gets one.
    pub pages: Pages,
    /// Permits for requests that bring carts.
    pub in_flight: Arc<Semaphore>,
    /// Permits for requests that look at orders or settle them: people are needed most when callers crowd.
    pub queries: Arc<Semaphore>,
    /// Permits for batches whose bodies are held whole.
    pub batches: Arc<Semaphore>,
    /// The rate of each client.
    pub rates: ClientRateLimiter,
}

impl ApiState {
    /// The bounds of a cart.
    pub const fn bounds(&self) -> Bounds {
        Bounds { depth: self.server.limits.json_depth, rows: self.server.limits.items }
    }
}
