//! The HTTP side: routes, the ordered layers around them, and what every answer has in common.
//!
//! Knows tokens, carts, the mapping and the relay; knows nothing of retries, SQL or 11VMS's wire.

mod coding;
pub mod error;
mod extract;
mod frame;
mod listen;
pub mod openapi;
pub mod problem;
mod rate;
pub mod routes;
pub mod view;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use listen::serve;
pub use rate::Rates;

use extract::MAX_BATCH;

use crate::auth::TokenVerifier;
use crate::clock::Clock;
use crate::config::{OnDeadline, Server};
use crate::ledger::Ledger;
use crate::mapping::LiveMapping;
use crate::relay::Relay;

/// Version of the API, as `API-Version` says it.
pub const API_VERSION: &str = "2";

/// The interface's Smart ID.
pub const SMART_ID: &str = "PROC-SRM7-11VMS-PURCHASE-ORDER-V1";

/// Requests under way at the same time that bring no carts.
pub const ASIDE: usize = 64;

/// Batches that are read and mapped at the same time: 10 MiB each, for some tenths of a second.
pub const BATCHES: usize = 8;

/// How long and how much.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long a caller waits for an outcome.
    pub deadline: Duration,
    /// What it gets then.
    pub on_deadline: OnDeadline,
    /// Largest body of one cart in bytes, compressed and not.
    pub max_body: usize,
    /// Requests under way at the same time; a cart of a batch counts as one.
    pub max_in_flight: usize,
}

/// What the handlers work with.
#[derive(Debug)]
pub struct Api {
    /// Brings carts to 11VMS.
    pub relay: Arc<Relay>,
    /// Where orders are read.
    pub ledger: Arc<dyn Ledger>,
    /// Turns carts into orders.
    pub mapping: Arc<LiveMapping>,
    /// Decides about tokens.
    pub tokens: TokenVerifier,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How long and how much.
    pub limits: Limits,
    /// Places for requests that bring carts.
    pub in_flight: Arc<Semaphore>,
    /// Places for those that look at orders and settle them: people are needed most when callers crowd.
    pub aside: Arc<Semaphore>,
    /// Places for batches whose bodies are held whole.
    pub batches: Semaphore,
    /// How often each client may come.
    pub rates: Rates,
}

impl Limits {
    /// The limits of `[server]`.
    pub const fn from_config(server: &Server) -> Self {
        Self {
            deadline: server.deadline,
            on_deadline: server.on_deadline,
            max_body: server.max_body,
            max_in_flight: server.max_in_flight,
        }
    }
}

/// The routes that need a token, each with its description.
fn business_routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::with_openapi(openapi::base())
        .routes(routes!(routes::purchase_orders::create_purchase_order, routes::purchase_orders::list_purchase_orders))
        .routes(routes!(routes::purchase_orders::get_purchase_order))
        .routes(routes!(routes::preview::preview_purchase_order))
        .routes(routes!(routes::operate::replay_purchase_order))
        .routes(routes!(routes::operate::resolve_purchase_order))
}

/// The one that takes more than one cart.
fn batch_route() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(routes::batch::create_purchase_orders))
}

/// Every route that needs a token, for the description.
fn described_routes() -> OpenApiRouter<Arc<Api>> {
    business_routes().merge(batch_route())
}

/// The router of `server.listen`.
pub fn public_router(api: &Arc<Api>) -> Router {
    let business = bounded(business_routes(), api.limits.max_body).merge(bounded(batch_route(), MAX_BATCH));
    let routes = business.merge(routes::docs::router()).merge(health_routes());
    framed(routes, api)
}

/// Routes that take bodies of at most `limit` bytes.
fn bounded(routes: OpenApiRouter<Arc<Api>>, limit: usize) -> Router<Arc<Api>> {
    let (routes, _) = routes.split_for_parts();
    routes
        // No more bytes off the wire than that.
        .layer(RequestBodyLimitLayer::new(limit))
}

/// The router of `server.management_listen`.
pub fn management_router(api: &Arc<Api>) -> Router {
    framed(health_routes(), api)
}

fn health_routes() -> Router<Arc<Api>> {
    Router::new().route("/livez", get(routes::health::livez)).route("/readyz", get(routes::health::readyz))
}

/// The layers around every route, from the inside out.
fn framed(routes: Router<Arc<Api>>, api: &Arc<Api>) -> Router {
    routes
        // A panic becomes a problem.
        .layer(CatchPanicLayer::custom(frame::panicked))
        // Request id, version, problem bodies, log line: on every answer, so outermost.
        .layer(from_fn_with_state(Arc::clone(api), frame::frame))
        .with_state(Arc::clone(api))
}

#[cfg(test)]
mod tests;
