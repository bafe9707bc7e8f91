//! Interventions: `…/replay` tries an order again, `…/resolve` settles it by hand.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use serde_json::Value;

use super::purchase_orders::unknown;
use crate::api::ApiState;
use crate::api::access::{Operator, OrderPath};
use crate::api::body::JsonText;
use crate::api::order_response::{OrderResponse, respond, with_location};
use crate::api::prefer::Preferences;
use crate::api::schema::ResolutionBody;
use crate::api::views::OrderView;
use crate::cart::CartError;
use crate::order::{Order, Resolution, Resolved};
use crate::problem::{Problem, ProblemKind, RETRY_SOON, RequestContext};

/// Longest reason for a cancellation, in characters: it fits a message and the log.
const MAX_REASON_CHARS: usize = 500;

/// Longest purchase order number, in characters; SAP's have 10.
const MAX_NUMBER_CHARS: usize = 64;

/// Try an order again
///
/// Tries a parked or rejected order again, with the body that was recorded. Where an earlier attempt may have
/// succeeded, 11VMS is asked first. Answers as for a cart; an order that is created or open is not changed. The
/// operator's name is kept in `interventions`.
#[utoipa::path(
    post, path = "/v2/purchase-orders/{id}/replay", tag = "Operation",
    responses(
        (status = 200, description = "Created before: nothing was sent", body = OrderView),
        (status = 201, description = "Created by this call", body = OrderView),
        (status = 202, description = "Still open at the deadline. Next: wait for Retry-After, then GET Location.", body = OrderView),
    ),
    security(("oauth2" = ["purchase-orders.operate"]))
)]
pub async fn replay_purchase_order(
    State(api): State<Arc<ApiState>>,
    operator: Operator,
    OrderPath(id): OrderPath,
    Extension(context): Extension<Arc<RequestContext>>,
    headers: HeaderMap,
) -> Result<OrderResponse, Problem> {
    let preferences = Preferences::of(&headers);
    let wait = context.remaining(preferences.deadline(api.server.deadline), &*api.clock);
    let outcome = api.relay.replay(id.clone(), operator.requester, wait).await?.ok_or_else(|| unknown(&id))?;
    context.note_cart_number(&outcome.order().cart_number);
    respond(&api, outcome, preferences)
}

/// Settle an order by hand
///
/// For an open or parked order, after a look into 11VMS: either the order exists there under a number, or there will be
/// none. Nothing more is sent. An attempt that is under way is awaited first, because it may be creating the order. The
/// operator's name is kept in `interventions`. The same resolution again changes nothing.
#[utoipa::path(
    post, path = "/v2/purchase-orders/{id}/resolve", tag = "Operation",
    request_body(content = ResolutionBody, content_type = "application/json", description = "Either the number or the reason"),
    responses(
        (status = 200, description = "Settled: nothing more is sent", body = OrderView),
    ),
    security(("oauth2" = ["purchase-orders.operate"]))
)]
pub async fn resolve_purchase_order(
    State(api): State<Arc<ApiState>>,
    operator: Operator,
    OrderPath(id): OrderPath,
    Extension(context): Extension<Arc<RequestContext>>,
    JsonText(text): JsonText,
) -> Result<Json<OrderView>, Problem> {
    let resolution = resolution(&text)?;
    let wait = context.remaining(api.server.deadline, &*api.clock);
    let resolved = api.relay.resolve(&id, resolution, operator.requester, wait).await?.ok_or_else(|| unknown(&id))?;
    context.note_cart_number(&resolved.order().cart_number);
    match resolved {
        Resolved::Applied(order) | Resolved::Already(order) => Ok(Json((&order).into())),
        Resolved::SettledDifferently(order) => Err(settled_otherwise(&order)),
        Resolved::AttemptInProgress(order) => {
            let detail = format!("an attempt to create the order {} is under way, and may succeed", order.id);
            let problem = Problem::new(ProblemKind::ATTEMPT_UNDER_WAY, detail).retry_after(RETRY_SOON);
            Err(with_location(&order, problem))
        }
    }
}

fn settled_otherwise(order: &Order) -> Problem {
    let number = order.purchase_order_number.as_deref().map(|number| format!(" as {number}")).unwrap_or_default();
    let detail = format!("the order {} is {}{number}; expected an open or parked one", order.id, order.state.name());
    with_location(order, Problem::new(ProblemKind::ALREADY_SETTLED, detail))
}

fn resolution(text: &str) -> Result<Resolution, Problem> {
    let wrong = |detail: &str| Problem::new(ProblemKind::INVALID_BODY, detail);
    let body: Value = serde_json::from_str(text).map_err(CartError::from)?;
    let mut members = body.as_object().into_iter().flatten();
    let (Some((name, value)), None) = (members.next(), members.next()) else {
        return Err(wrong("expected an object with exactly one of purchaseOrderNumber and cancelled"));
    };
    let text = value.as_str().map(str::trim).filter(|text| !text.is_empty() && !text.chars().any(char::is_control));
    let within = |most: usize| text.filter(|text| text.chars().count() <= most).map(str::to_owned);
    match name.as_str() {
        "purchaseOrderNumber" => within(MAX_NUMBER_CHARS)
            .map(Resolution::Exists)
            .ok_or_else(|| wrong("purchaseOrderNumber: expected 11VMS's number, a text of at most 64 characters")),
        "cancelled" => within(MAX_REASON_CHARS)
            .map(Resolution::Cancelled)
            .ok_or_else(|| wrong("cancelled: expected the reason, a text of at most 500 characters on one line")),
        _ => Err(wrong("expected an object with exactly one of purchaseOrderNumber and cancelled")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resolution_is_a_number_or_a_reason() {
        let exists = resolution(r#"{"purchaseOrderNumber": " 4500000001 "}"#).unwrap();
        assert_eq!(exists, Resolution::Exists("4500000001".into()));
        let cancelled = resolution(r#"{"cancelled": "the buyer left"}"#).unwrap();
        assert_eq!(cancelled, Resolution::Cancelled("the buyer left".into()));
    }

    #[test]
    fn every_other_body_is_refused() {
        let long = format!(r#"{{"purchaseOrderNumber": "{}"}}"#, "4".repeat(65));
        for other in [
            "{}",
            r#"{"purchaseOrderNumber": ""}"#,
            r#"{"purchaseOrderNumber": 45}"#,
            r#"{"purchaseOrderNumber": "45", "cancelled": "x"}"#,
            r#"{"cancelled": true}"#,
            r#"{"cancelled": "a\nb"}"#,
            r#"{"canceled": "x"}"#,
            &long,
        ] {
            assert_eq!(resolution(other).unwrap_err().status().as_u16(), 400, "{other}");
        }
        assert_eq!(resolution("[").unwrap_err().kind(), ProblemKind::MALFORMED_JSON);
        assert_eq!(resolution("[]").unwrap_err().kind(), ProblemKind::INVALID_BODY);
    }
}
