//! The metrics, as Prometheus reads them.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::api::ApiState;
use crate::telemetry::metrics::MEDIA_TYPE;

/// Metrics
///
/// Everything that is counted, at this moment, in the text form of Prometheus. The management listener alone has this path.
#[utoipa::path(
    get, path = "/metrics", tag = "Health",
    responses((
        status = 200, description = "The metrics", body = String, content_type = "text/plain",
        example = "purchase_orders_parked 0\n"
    ))
)]
pub async fn metrics(State(api): State<Arc<ApiState>>) -> Response {
    ([(header::CONTENT_TYPE, MEDIA_TYPE)], api.metrics.text()).into_response()
}
