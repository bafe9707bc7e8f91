//! `GET /v2/audit`: who sent, replayed, resolved what, when, from where.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use jiff::Timestamp;

use crate::api::ApiState;
use crate::api::access::OrderReader;
use crate::api::parameters::{DEFAULT_PAGE, known_once};
use crate::api::views::AuditListView;
use crate::ledger::audit::{AuditFilter, AuditPosition};
use crate::order::Action;
use crate::problem::Problem;

/// List what was done to orders
///
/// Newest first: who sent the cart of an order, sent it again after it was refused or parked, had it tried again, or settled
/// it by hand; with which client, from which address, in which request. Kept as long as the order. Resends that change
/// nothing are no entries. What was done to one order is in `audit` of that order.
///
/// A page looks at 10,000 entries at most: a search for what is rare may show fewer entries than `limit`, even none, with a
/// `nextCursor` at which it goes on.
#[utoipa::path(
    get, path = "/v2/audit", tag = "Operation",
    params(
        ("action" = Option<String>, Query, description = "Entries of this action alone", example = "resolved"),
        ("by" = Option<String>, Query, description = "Who, exactly as in an entry", example = "m.mueller (operations-desk)"),
        ("client" = Option<String>, Query, description = "The token's client, exactly", example = "operations-desk"),
        ("from" = Option<String>, Query, format = DateTime, description = "RFC 3339: not before this time", example = "2026-01-01T00:00:00Z"),
        ("to" = Option<String>, Query, format = DateTime, description = "RFC 3339: before this time", example = "2027-01-01T00:00:00Z"),
    ),
    responses(
        (status = 200, description = "A page of entries", body = AuditListView),
    ),
    security(("oauth2" = ["purchase-orders.read"]))
)]
pub async fn list_audit_entries(
    State(api): State<Arc<ApiState>>,
    _reader: OrderReader,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Result<Json<AuditListView>, Problem> {
    let page = api.audit.audit(filter(&parameters)?).await?;
    let entries = page.records.iter().map(Into::into).collect();
    Ok(Json(AuditListView { entries, next_cursor: page.next.map(encode_cursor) }))
}

fn encode_cursor(position: AuditPosition) -> String {
    format!("{}.{}", position.at.as_millisecond(), position.sequence)
}

fn decode_cursor(cursor: &str) -> Option<AuditPosition> {
    let (time, sequence) = cursor.split_once('.')?;
    let at = Timestamp::from_millisecond(time.parse().ok()?).ok()?;
    Some(AuditPosition { at, sequence: sequence.parse().ok()? })
}

fn filter(pairs: &[(String, String)]) -> Result<AuditFilter, Problem> {
    let mut filter = AuditFilter { limit: DEFAULT_PAGE, ..AuditFilter::default() };
    for parameter in known_once(pairs)? {
        let value = parameter.value;
        let time = || value.parse::<Timestamp>().map_err(|_| parameter.wrong("a time as 2026-01-31T00:00:00Z"));
        match parameter.name {
            "action" => {
                let names = Action::ALL.map(Action::name).join(", ");
                filter.action = Some(Action::parse(value).ok_or_else(|| parameter.wrong(&names))?);
            }
            "by" => filter.by = Some(value.to_owned()),
            "client" => filter.client = Some(value.to_owned()),
            "from" => filter.from = Some(time()?),
            "to" => filter.to = Some(time()?),
            "limit" => filter.limit = parameter.page_length()?,
            "cursor" => {
                filter.before =
                    Some(decode_cursor(value).ok_or_else(|| parameter.wrong("nextCursor of the page before"))?);
            }
            _ => return Err(parameter.unknown("action, by, client, from, to, limit or cursor")),
        }
    }
    Ok(filter)
}
