//! `GET /v2/audit`: who sent, replayed, resolved what, when, from where.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use jiff::Timestamp;

use super::purchase_orders::{DEFAULT_PAGE, MAX_PAGE, is_ignored};
use crate::api::ApiState;
use crate::api::access::OrderReader;
use crate::api::schema::Refusals;
use crate::api::views::AuditListView;
use crate::ledger::audit::AuditFilter;
use crate::message::quoted;
use crate::order::Action;
use crate::problem::{Problem, ProblemKind};

/// List what was done to orders
///
/// Newest first: who sent the cart of an order, sent it again after it was refused or parked, had it tried again, or settled
/// it by hand; with which client, from which address, in which request. Kept as long as the order. Resends that change
/// nothing are no entries. What was done to one order is in `audit` of that order.
#[utoipa::path(
    get, path = "/v2/audit", tag = "Operation",
    params(
        ("action" = Option<String>, Query, description = "sent, sent-again, replayed, resolved or cancelled", example = "resolved"),
        ("by" = Option<String>, Query, description = "Who, exactly as in an entry"),
        ("client" = Option<String>, Query, description = "The token's client, exactly"),
        ("from" = Option<String>, Query, description = "RFC 3339: not before this time", example = "2026-01-01T00:00:00Z"),
        ("to" = Option<String>, Query, description = "RFC 3339: before this time"),
        ("limit" = Option<u16>, Query, description = "Entries on a page, 50 unless given", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "nextCursor of the page before"),
    ),
    responses(
        (status = 200, description = "A page of entries", body = AuditListView),
        Refusals,
    ),
    security(("oauth2" = ["purchase-orders.read"]))
)]
pub async fn list_audit_entries(
    State(api): State<Arc<ApiState>>,
    _reader: OrderReader,
    Query(parameters): Query<BTreeMap<String, String>>,
) -> Result<Json<AuditListView>, Problem> {
    let mut filter = filter(&parameters)?;
    let size = filter.limit;
    // One more shows whether there is a next page.
    filter.limit = size + 1;
    let mut records = api.audit.audit(filter).await?;
    let has_more = records.len() > size;
    records.truncate(size);
    let next_cursor = records.last().filter(|_| has_more).map(|last| last.sequence.to_string());
    Ok(Json(AuditListView { entries: records.iter().map(Into::into).collect(), next_cursor }))
}

fn filter(parameters: &BTreeMap<String, String>) -> Result<AuditFilter, Problem> {
    let mut filter = AuditFilter { limit: DEFAULT_PAGE, ..AuditFilter::default() };
    for (name, value) in parameters.iter().filter(|(name, _)| !is_ignored(name)) {
        let wrong = |expected: &str| {
            let detail = format!("{name} is {}; expected {expected}", quoted(value));
            Problem::new(ProblemKind::INVALID_PARAMETER, detail)
        };
        let time = || value.parse::<Timestamp>().map_err(|_| wrong("a time as 2026-01-31T00:00:00Z"));
        match name.as_str() {
            "action" => {
                let names = Action::ALL.map(Action::name).join(", ");
                filter.action = Some(Action::parse(value).ok_or_else(|| wrong(&names))?);
            }
            "by" => filter.by = Some(value.clone()),
            "client" => filter.client = Some(value.clone()),
            "from" => filter.from = Some(time()?),
            "to" => filter.to = Some(time()?),
            "limit" => {
                let limit = value.parse().ok().filter(|limit| (1..=MAX_PAGE).contains(limit));
                filter.limit = limit.ok_or_else(|| wrong("a whole number from 1 to 200"))?;
            }
            "cursor" => {
                filter.before = Some(value.parse().map_err(|_| wrong("nextCursor of the page before"))?);
            }
            _ => {
                let detail = format!("{name} is unknown; expected action, by, client, from, to, limit or cursor");
                return Err(Problem::new(ProblemKind::INVALID_PARAMETER, detail));
            }
        }
    }
    Ok(filter)
}
