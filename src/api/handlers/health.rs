//! Probes. 11VMS's health is no part of them: restarting this service would not heal it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::api::ApiState;
use crate::problem::{Problem, ProblemKind, RETRY_LATER};

/// The process answers.
pub async fn livez() -> Json<Value> {
    Json(json!({ "status": "alive" }))
}

/// The ledger can be read and its writer runs, a mapping is in use, and the service is not about to stop.
pub async fn readyz(State(api): State<Arc<ApiState>>) -> Result<Json<Value>, Problem> {
    if api.relay.is_stopping() {
        return Err(Problem::new(ProblemKind::STOPPING, "the service is stopping").retry_after(RETRY_LATER));
    }
    api.ledger.check().await?;
    Ok(Json(json!({ "status": "ready", "mappingVersion": api.mapping.current().version() })))
}
