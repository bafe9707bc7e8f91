//! Probes. The health of 11VMS is no part of the verdict: a restart of this service would not cure it. The body has it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::{Value, json};

use crate::api::ApiState;
use crate::auth::jwks::fetched_at;
use crate::condition::{Condition, ConditionKind};
use crate::mapping::{LiveState, Refusal};
use crate::order::State as OrderState;
use crate::problem::{Problem, ProblemKind, RETRY_LATER};

/// The body of a readiness; that of a refused one is part of its problem. It is public: no details, no values of carts.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadinessView {
    status: &'static str,
    ledger: LedgerView,
    issuer_keys: IssuerKeysView,
    breaker: &'static str,
    orders: OrdersView,
    failing: Vec<FailureView>,
    mapping_version: String,
    mapping_since: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mapping_refused: Option<RefusalView>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LedgerView {
    can_write: bool,
    can_read: bool,
}

/// When the keys were last fetched; absent if they never were.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct IssuerKeysView {
    #[serde(skip_serializing_if = "Option::is_none")]
    fetched_at: Option<String>,
}

#[derive(Debug, Serialize)]
struct OrdersView {
    open: i64,
    parked: i64,
}

/// What does not work, by the name of its alert.
#[derive(Debug, Serialize)]
struct FailureView {
    condition: &'static str,
    since: String,
}

/// The content of the mapping's folder, if it is refused.
#[derive(Debug, Serialize)]
struct RefusalView {
    at: String,
    mistakes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

impl From<Refusal> for RefusalView {
    fn from(Refusal { at, version, mistakes, .. }: Refusal) -> Self {
        Self { at: at.to_string(), mistakes, version }
    }
}

impl ReadinessView {
    /// What the service knows, and what the ledger's check came to.
    fn new(api: &ApiState, status: &'static str, can_write: bool) -> Self {
        let LiveState { version, since, refusal } = api.mapping.state();
        let failing = api.conditions.current();
        let cannot_read = |one: &Condition| one.kind == ConditionKind::LedgerUnavailable && one.subject == "read";
        let census = api.ledger.statistics().open_orders.census();
        Self {
            status,
            ledger: LedgerView { can_write, can_read: !failing.iter().any(cannot_read) },
            issuer_keys: IssuerKeysView {
                fetched_at: fetched_at(&api.tokens.key_statistics()).map(|time| time.to_string()),
            },
            breaker: api.relay.breaker().name(),
            orders: OrdersView { open: census.open(), parked: census.count(OrderState::Parked) },
            failing: failing
                .iter()
                .map(|one| FailureView { condition: one.kind.name(), since: one.since.to_string() })
                .collect(),
            mapping_version: version,
            mapping_since: since.to_string(),
            mapping_refused: refusal.map(RefusalView::from),
        }
    }
}

/// Liveness: the process answers.
pub async fn livez() -> Json<Value> {
    Json(json!({ "status": "alive" }))
}

/// Readiness: the ledger can be written, a mapping is in use, and the service is not stopping. The body says what else works
/// or not: whether the ledger can be read, the issuer's keys, the circuit breaker, the mapping, parked orders.
pub async fn readyz(State(api): State<Arc<ApiState>>) -> Result<Json<ReadinessView>, Problem> {
    let checked = api.ledger.check().await;
    let can_write = checked.is_ok();
    let refusal = if api.stop_announced.is_cancelled() || api.relay.is_stopping() {
        Some(Problem::new(ProblemKind::STOPPING, "the service is stopping").retry_after(RETRY_LATER))
    } else {
        checked.err().map(Problem::from)
    };
    match refusal {
        None => Ok(Json(ReadinessView::new(&api, "ready", can_write))),
        Some(problem) => {
            let view = serde_json::to_value(ReadinessView::new(&api, "not-ready", can_write));
            Err(problem.readiness(view.unwrap_or_default()))
        }
    }
}
