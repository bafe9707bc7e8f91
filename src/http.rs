//! The HTTP side: routes, the ordered layers around them, and what every answer has in common.
//!
//! Knows tokens, carts, the mapping and the relay; knows nothing of retries, SQL or 11VMS's wire.

pub mod client_certificate;
mod coding;
pub mod error;
mod extract;
mod frame;
mod listen;
pub mod openapi;
pub mod problem;
mod rate;
pub mod routes;
pub mod tls;
pub mod view;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::CorsLayer;
use tower_http::limit::RequestBodyLimitLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use listen::ConnectionServer;
pub use rate::ClientRateLimiter;

use crate::auth::TokenVerifier;
use crate::cart::Bounds;
use crate::clock::Clock;
use crate::config::Server;
use crate::ledger::Ledger;
use crate::mapping::LiveMapping;
use crate::relay::Relay;

/// Version of the API, as `API-Version` says it.
pub const API_VERSION: &str = "2";

/// The interface's Smart ID.
pub const SMART_ID: &str = "PROC-SRM7-11VMS-PURCHASE-ORDER-V1";

/// What the handlers work with.
#[derive(Debug)]
pub struct ApiState {
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
    /// How callers are served, and how much of what they send is taken.
    pub server: Server,
    /// Places for requests that bring carts.
    pub in_flight: Arc<Semaphore>,
    /// Places for those that look at orders and settle them: people are needed most when callers crowd.
    pub queries: Arc<Semaphore>,
    /// Places for batches whose bodies are held whole.
    pub batches: Arc<Semaphore>,
    /// How often each client may come.
    pub rates: ClientRateLimiter,
}

impl ApiState {
    /// How much a cart may hold.
    pub const fn bounds(&self) -> Bounds {
        Bounds { depth: self.server.limits.json_depth, rows: self.server.limits.items }
    }
}

/// The routes that need a token, each with its description.
fn business_routes() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::with_openapi(openapi::base())
        .routes(routes!(routes::purchase_orders::create_purchase_order, routes::purchase_orders::list_purchase_orders))
        .routes(routes!(routes::purchase_orders::get_purchase_order))
        .routes(routes!(routes::preview::preview_purchase_order))
        .routes(routes!(routes::operate::replay_purchase_order))
        .routes(routes!(routes::operate::resolve_purchase_order))
}

/// The one that takes more than one cart.
fn batch_route() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new().routes(routes!(routes::batch::create_purchase_orders))
}

/// Every route that needs a token, for the description.
fn described_routes() -> OpenApiRouter<Arc<ApiState>> {
    business_routes().merge(batch_route())
}

/// The router of `server.listen`.
pub fn public_router(api: &Arc<ApiState>) -> Router {
    let business = bounded(business_routes(), api.server.limits.max_body)
        .merge(bounded(batch_route(), api.server.limits.batch_body));
    let routes = business.merge(routes::docs::router()).merge(health_routes());
    let origins = &api.server.cors_origins;
    framed(if origins.is_empty() { routes } else { routes.layer(cors(origins)) }, api)
}

/// Routes that take bodies of at most `limit` bytes.
fn bounded(routes: OpenApiRouter<Arc<ApiState>>, limit: usize) -> Router<Arc<ApiState>> {
    let (routes, _) = routes.split_for_parts();
    routes
        // No more bytes off the wire than that.
        .layer(RequestBodyLimitLayer::new(limit))
}

/// What pages of other origins may do (Fetch standard, CORS protocol): call the API with a token, and read its answers.
fn cors(origins: &[HeaderValue]) -> CorsLayer {
    const PREFLIGHT: Duration = Duration::from_mins(10);
    let sent = ["authorization", "content-type", "prefer", "x-request-id", "accept-version", "smart-id"];
    let read =
        ["location", "retry-after", "x-request-id", "idempotency-replayed", "preference-applied", "www-authenticate"];
    CorsLayer::new()
        .allow_origin(origins.to_vec())
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(sent.map(HeaderName::from_static))
        .expose_headers(read.map(HeaderName::from_static))
        .max_age(PREFLIGHT)
}

/// The router of `server.management_listen`.
pub fn management_router(api: &Arc<ApiState>) -> Router {
    framed(health_routes(), api)
}

fn health_routes() -> Router<Arc<ApiState>> {
    Router::new().route("/livez", get(routes::health::livez)).route("/readyz", get(routes::health::readyz))
}

/// The layers around every route, from the inside out.
fn framed(routes: Router<Arc<ApiState>>, api: &Arc<ApiState>) -> Router {
    routes
        // A panic becomes a problem.
        .layer(CatchPanicLayer::custom(frame::panicked))
        // Request id, version, problem bodies, log line: on every answer, so outermost.
        .layer(from_fn_with_state(Arc::clone(api), frame::request_middleware))
        .with_state(Arc::clone(api))
}

#[cfg(test)]
mod tests;
