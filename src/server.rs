//! The routers of both listeners, and the layers around them in their order, each with its reason.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::from_fn_with_state;
use tower::util::MapRequest;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::CorsLayer;

use crate::api::middleware::{Listener, panicked, request_middleware};
use crate::api::routes::{business_routes, metadata_routes, metrics_route, probe_routes};
use crate::api::{ApiState, answer_fetch_or_refuse, with_plain_path};
use crate::pages;

/// How long a browser may remember what a preflight allowed: a longer time would delay a change of the setting.
const PREFLIGHT_MAX_AGE: Duration = Duration::from_mins(10);

/// The router of `server.listen`.
pub fn public_router(api: &Arc<ApiState>) -> Router {
    // A GET that no route of these takes is at a path that takes a POST alone.
    let business = business_routes().method_not_allowed_fallback(answer_fetch_or_refuse);
    let routes = business.merge(pages::router()).merge(metadata_routes()).merge(probe_routes());
    let origins = &api.server.cors_origins;
    layered(if origins.is_empty() { routes } else { routes.layer(cors(origins)) }, api, Listener::Public)
}

/// The router of `server.management_listen`.
pub fn management_router(api: &Arc<ApiState>) -> Router {
    layered(probe_routes().merge(metrics_route()), api, Listener::Management)
}

/// The layers around every route, from the inside out.
fn layered(routes: Router<Arc<ApiState>>, api: &Arc<ApiState>, listener: Listener) -> Router {
    let routes = routes
        // A panic becomes a problem. Inside the middleware, so that the problem has its request id and its log line.
        .layer(CatchPanicLayer::custom(panicked))
        // Request id, version, problem bodies, access log, metrics: on every answer, so outermost.
        .layer(from_fn_with_state((Arc::clone(api), listener), request_middleware))
        .with_state(Arc::clone(api));
    // One spelling of each path: before its route is looked for, so outside of the router that has the routes.
    Router::new().fallback_service(MapRequest::new(routes, with_plain_path))
}

/// What pages of other origins may do (Fetch standard, CORS protocol): call the API with a token, and read its answers.
fn cors(origins: &[HeaderValue]) -> CorsLayer {
    let sent = [
        "authorization",
        "content-type",
        "content-encoding",
        "prefer",
        "x-request-id",
        "accept-version",
        "smart-id",
        "x-csrf-token",
        "sap-passport",
        "traceparent",
        "tracestate",
        "if-none-match",
    ];
    let read = [
        "location",
        "retry-after",
        "x-request-id",
        "idempotency-replayed",
        "preference-applied",
        "www-authenticate",
        "api-version",
        "smart-id",
        "x-csrf-token",
        "etag",
        "link",
        "allow",
        "accept",
        "accept-post",
        "accept-encoding",
    ];
    CorsLayer::new()
        .allow_origin(origins.to_vec())
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(sent.map(HeaderName::from_static))
        .expose_headers(read.map(HeaderName::from_static))
        .max_age(PREFLIGHT_MAX_AGE)
}

#[cfg(test)]
mod tests;
