//! Probes. The health of 11VMS is no part of the verdict: a restart of this service would not cure it. The body has it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::ApiState;
use crate::auth::jwks::fetched_at;
use crate::condition::{Condition, ConditionKind};
use crate::mapping::{LiveState, Refusal};
use crate::order::State as OrderState;
use crate::problem::{Problem, ProblemKind, RETRY_LATER};

/// The body of a readiness; that of a refused one is part of its problem. It is public: no details, no values of carts.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Readiness)]
pub struct ReadinessView {
    /// ready or not-ready.
    status: &'static str,
    ledger: LedgerView,
    issuer_keys: IssuerKeysView,
    /// The circuit breaker towards 11VMS: closed, open or half-open.
    breaker: &'static str,
    orders: OrdersView,
    /// What does not work.
    failing: Vec<FailureView>,
    /// The mapping that is in use.
    mapping_version: String,
    /// Since when.
    #[schema(format = DateTime)]
    mapping_since: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mapping_refused: Option<RefusalView>,
}

/// Whether the ledger works.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ReadinessLedger)]
struct LedgerView {
    can_write: bool,
    can_read: bool,
}

/// When the keys were last fetched; absent if they never were.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ReadinessIssuerKeys)]
struct IssuerKeysView {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    fetched_at: Option<String>,
}

/// The orders that are not settled.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReadinessOrders)]
struct OrdersView {
    open: i64,
    parked: i64,
}

/// What does not work, by the name of its alert.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReadinessFailure)]
struct FailureView {
    condition: &'static str,
    #[schema(format = DateTime)]
    since: String,
}

/// The content of the mapping's folder, if it is refused.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReadinessRefusal)]
struct RefusalView {
    #[schema(format = DateTime)]
    at: String,
    mistakes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

impl From<Refusal> for RefusalView {
    fn from(refusal: Refusal) -> Self {
        Self { at: refusal.at.to_string(), mistakes: refusal.mistakes(), version: refusal.version }
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

/// The body of a liveness.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Liveness)]
pub struct LivenessView {
    /// Always alive.
    #[schema(example = "alive")]
    status: &'static str,
}

/// Liveness
///
/// The process answers. Nothing else is looked at: a restart would not cure it.
#[utoipa::path(
    get, path = "/livez", tag = "Health",
    responses((status = 200, description = "It answers", body = LivenessView))
)]
pub async fn livez() -> Json<LivenessView> {
    Json(LivenessView { status: "alive" })
}

/// Readiness
///
/// The ledger can be written, a mapping is in use, and the service is not stopping. The body says what else works
/// or not: whether the ledger can be read, the issuer's keys, the circuit breaker, the mapping, parked orders. An 11VMS that
/// fails is no reason to be not ready: carts are taken, and sent later.
#[utoipa::path(
    get, path = "/readyz", tag = "Health",
    responses((status = 200, description = "The service takes carts", body = ReadinessView))
)]
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
