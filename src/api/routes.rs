//! The routes that need a token, each registered together with its description; and the probes.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::catalogues::{API_CATALOG, ORD_CONFIGURATION, ORD_DOCUMENT};
use super::description::base;
use super::handlers::{
    audit, batch, catalogues, health, metrics, operate, preview, protected_resource, purchase_orders,
};
use super::protected_resource::WELL_KNOWN;
use super::state::ApiState;

/// Every route that needs a token, with its description.
pub fn described_routes() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::with_openapi(base::document())
        .routes(routes!(purchase_orders::create_purchase_order, purchase_orders::list_purchase_orders))
        .routes(routes!(purchase_orders::get_purchase_order))
        .routes(routes!(preview::preview_purchase_order))
        .routes(routes!(operate::replay_purchase_order))
        .routes(routes!(operate::resolve_purchase_order))
        .routes(routes!(batch::create_purchase_orders))
        .routes(routes!(audit::list_audit_entries))
}

/// The metrics: on the management listener alone.
pub fn metrics_route() -> Router<Arc<ApiState>> {
    Router::new().route("/metrics", get(metrics::metrics))
}

/// The probes.
pub fn probe_routes() -> Router<Arc<ApiState>> {
    Router::new().route("/livez", get(health::livez)).route("/readyz", get(health::readyz))
}

/// The metadata of the protected resource, of one with a path too, and the documents for catalogues.
pub fn metadata_routes() -> Router<Arc<ApiState>> {
    Router::new()
        .route(ORD_CONFIGURATION, get(catalogues::ord_configuration))
        .route(ORD_DOCUMENT, get(catalogues::ord_document))
        .route(API_CATALOG, get(catalogues::api_catalog))
        .route(WELL_KNOWN, get(protected_resource::protected_resource))
        .route(&format!("{WELL_KNOWN}/{{*path}}"), get(protected_resource::protected_resource))
}
