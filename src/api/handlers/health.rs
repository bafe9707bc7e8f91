//! Probes. The health of 11VMS is no part of them: a restart of this service would not cure it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::{Value, json};

use crate::api::ApiState;
use crate::mapping::{LiveState, Refusal};
use crate::problem::{Problem, ProblemKind, RETRY_LATER};

/// The body of a readiness that is given.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadinessView {
    status: &'static str,
    mapping_version: String,
    mapping_since: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mapping_refused: Option<RefusalView>,
}

/// The content of the mapping's folder, if it is refused.
#[derive(Debug, Serialize)]
struct RefusalView {
    at: String,
    mistakes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

impl From<LiveState> for ReadinessView {
    fn from(LiveState { version, since, refusal }: LiveState) -> Self {
        let refusal =
            refusal.map(|Refusal { at, version, mistakes }| RefusalView { at: at.to_string(), mistakes, version });
        Self { status: "ready", mapping_version: version, mapping_since: since.to_string(), mapping_refused: refusal }
    }
}

/// Liveness: the process answers.
pub async fn livez() -> Json<Value> {
    Json(json!({ "status": "alive" }))
}

/// Readiness: the ledger can be written, a mapping is in use, and the service is not stopping. Which mapping,
/// since when, and whether the folder's content is refused.
pub async fn readyz(State(api): State<Arc<ApiState>>) -> Result<Json<ReadinessView>, Problem> {
    if api.stop_announced.is_cancelled() || api.relay.is_stopping() {
        return Err(Problem::new(ProblemKind::STOPPING, "the service is stopping").retry_after(RETRY_LATER));
    }
    api.ledger.check().await?;
    Ok(Json(ReadinessView::from(api.mapping.state())))
}
