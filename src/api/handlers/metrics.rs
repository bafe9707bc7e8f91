//! The metrics, as Prometheus reads them.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::api::ApiState;
use crate::telemetry::metrics::MEDIA_TYPE;

/// Everything that is counted, at this moment.
pub async fn metrics(State(api): State<Arc<ApiState>>) -> Response {
    ([(header::CONTENT_TYPE, MEDIA_TYPE)], api.metrics.text()).into_response()
}
