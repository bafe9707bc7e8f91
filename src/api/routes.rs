//! The routes, each registered together with its description.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::description::base;
use super::handlers::{
    audit, batch, catalogues, health, metrics, operate, preview, protected_resource, purchase_orders,
};
use super::protected_resource::WELL_KNOWN;
use super::state::ApiState;

type Routes = OpenApiRouter<Arc<ApiState>>;

/// The description of all routes.
pub fn description() -> OpenApi {
    let routes = OpenApiRouter::with_openapi(base::document()).merge(business()).merge(probes()).merge(scrape());
    routes.merge(metadata()).split_for_parts().1
}

/// Every route that needs a token.
pub fn business_routes() -> Router<Arc<ApiState>> {
    business().into()
}

/// The metrics: on the management listener alone.
pub fn metrics_route() -> Router<Arc<ApiState>> {
    scrape().into()
}

/// The probes.
pub fn probe_routes() -> Router<Arc<ApiState>> {
    probes().into()
}

/// The documents for catalogues, and the metadata of the protected resource, of one with a path too.
pub fn metadata_routes() -> Router<Arc<ApiState>> {
    let of_one_with_a_path = format!("{WELL_KNOWN}/{{*path}}");
    Router::from(metadata()).route(&of_one_with_a_path, get(protected_resource::protected_resource))
}

fn business() -> Routes {
    OpenApiRouter::new()
        .routes(routes!(purchase_orders::create_purchase_order, purchase_orders::list_purchase_orders))
        .routes(routes!(purchase_orders::get_purchase_order))
        .routes(routes!(preview::preview_purchase_order))
        .routes(routes!(operate::replay_purchase_order))
        .routes(routes!(operate::resolve_purchase_order))
        .routes(routes!(batch::create_purchase_orders))
        .routes(routes!(audit::list_audit_entries))
}

fn probes() -> Routes {
    OpenApiRouter::new().routes(routes!(health::livez)).routes(routes!(health::readyz))
}

fn scrape() -> Routes {
    OpenApiRouter::new().routes(routes!(metrics::metrics))
}

/// What clients, gateways and catalogues read before they have a token.
fn metadata() -> Routes {
    OpenApiRouter::new()
        .routes(routes!(catalogues::ord_configuration))
        .routes(routes!(catalogues::ord_document))
        .routes(routes!(catalogues::api_catalog))
        .routes(routes!(protected_resource::protected_resource))
}
