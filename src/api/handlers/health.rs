//! Probes. The health of 11VMS is no part of them: a restart of this service would not cure it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::api::ApiState;
use crate::problem::{Problem, ProblemKind, RETRY_LATER};

/// Liveness: the process answers.
pub async fn livez() -> Json<Value> {
    Json(json!({ "status": "alive" }))
}

/// Readiness: the ledger can be written, a mapping is in use, and the service is not stopping.
pub async fn readyz(State(api): State<Arc<ApiState>>) -> Result<Json<Value>, Problem> {
    if api.stop_announced.is_cancelled() || api.relay.is_stopping() {
        return Err(Problem::new(ProblemKind::STOPPING, "the service is stopping").retry_after(RETRY_LATER));
    }
    api.ledger.check().await?;
    Ok(Json(json!({ "status": "ready", "mappingVersion": api.mapping.current().version() })))
}
