//! `/v2/purchase-orders`: creates an order from a cart, shows an order, lists orders.

use std::sync::Arc;

use axum::Extension;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use crate::api::ApiState;
use crate::api::access::{AuthenticatedCaller, CartSender, OrderPath, OrderReader};
use crate::api::body::{JsonText, run_blocking_if_large};
use crate::api::csrf;
use crate::api::order_response::{OrderResponse, respond};
use crate::api::parameters::{DEFAULT_PAGE, known_once};
use crate::api::prefer::Preferences;
use crate::api::propagation::propagated_headers;
use crate::api::schema::{BodyRefusals, CartDocument, Refusals};
use crate::api::views::{ListView, OrderDetailView, OrderView};
use crate::auth::Permission;
use crate::intake::{self, Origin};
use crate::ledger::{Filter, ListPosition};
use crate::message::quoted;
use crate::order::{Order, OrderId, State as OrderState};
use crate::problem::{Problem, ProblemBody, ProblemKind, RequestContext};
use crate::trace::{self, SpanKind, attributes};

/// Create a purchase order
///
/// Takes an approved shopping cart, creates the order in 11VMS and answers with its result. Sending a cart again is
/// always safe: one cart becomes at most one order.
#[utoipa::path(
    post, path = "/v2/purchase-orders", tag = "Purchase orders",
    params(
        ("Prefer" = Option<String>, Header, description = "RFC 7240: respond-async answers at once, wait=N shortens the deadline to N seconds"),
        ("X-Request-Id" = Option<String>, Header, description = "Names the request in logs and answers; made if absent"),
        ("Accept-Version" = Option<String>, Header, description = "Refused unless 2"),
        ("Smart-Id" = Option<String>, Header, description = "Refused unless PROC-SRM7-11VMS-PURCHASE-ORDER-V1"),
        ("traceparent" = Option<String>, Header, description = "W3C Trace Context, passed on to 11VMS"),
        ("sap-passport" = Option<String>, Header, description = "SAP's passport in hex, passed on to 11VMS"),
    ),
    request_body(content = CartDocument, content_type = "application/json", description = "An approved cart, as SRM serializes it, or a list of one"),
    responses(
        (status = 200, description = "Created before: the same cart was sent again", body = OrderView,
            headers(("Idempotency-Replayed" = String, description = "true"))),
        (status = 201, description = "Created by this call", body = OrderView, headers(("Location" = String, description = "The order"))),
        (status = 202, description = "Recorded, and still being worked on at the deadline", body = OrderView,
            headers(("Location" = String, description = "The order"), ("Retry-After" = String, description = "Seconds until there is news"))),
        (status = 409, description = "order-exists, order-cancelled", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "invalid-cart, refused-by-11vms", body = ProblemBody, content_type = "application/problem+json"),
        (status = 502, description = "parked", body = ProblemBody, content_type = "application/problem+json"),
        (status = 504, description = "still-open, where the operator chose it over 202", body = ProblemBody, content_type = "application/problem+json"),
        Refusals,
        BodyRefusals,
    ),
    security(("oauth2" = ["purchase-orders.write"]))
)]
pub async fn create_purchase_order(
    State(api): State<Arc<ApiState>>,
    sender: CartSender,
    Extension(context): Extension<Arc<RequestContext>>,
    headers: HeaderMap,
    JsonText(text): JsonText,
) -> Result<OrderResponse, Problem> {
    let (mapping, bounds, keep_carts) = (api.mapping.current(), api.bounds(), api.keep_carts);
    let propagated_headers = propagated_headers(&headers, &context.id);
    let origin = Origin { propagated_headers, requester: sender.requester.clone() };
    let noted = Arc::clone(&context);
    let read = move |text: &str| {
        let cart = intake::read_one(text, bounds)?;
        noted.note_cart_number(cart.number());
        Ok(intake::candidate(&cart, &mapping, origin, keep_carts)?)
    };
    let mut span = trace::child("read and map cart", SpanKind::Internal);
    let candidate = run_blocking_if_large(text, read).await.inspect_err(|problem| span.fail(problem.kind().name))?;
    span.set_text(attributes::MAPPING, candidate.mapping_version.as_str());
    drop(span);
    context.note_order(candidate.id.as_str());
    let preferences = Preferences::of(&headers);
    // Thousands of callers may wait, and the headers would keep each connection's whole read buffer.
    drop(headers);
    let wait = context.remaining(preferences.deadline(api.server.deadline), &*api.clock);
    let outcome = api.relay.submit(candidate, wait).await?;
    respond(&api, outcome, preferences)
}

/// Show an order
///
/// One order with its attempts, and who did what to it. The id may be the cart's GUID in hex with or without dashes, or its cart number
/// where the cart has no GUID.
#[utoipa::path(
    get, path = "/v2/purchase-orders/{id}", tag = "Purchase orders",
    params(("id" = String, Path, description = "The order's id", example = "005056a207c81ed1bfc6b69e72f50550")),
    responses(
        (status = 200, description = "The order", body = OrderDetailView),
        (status = 404, description = "not-found", body = ProblemBody, content_type = "application/problem+json"),
        Refusals,
    ),
    security(("oauth2" = ["purchase-orders.read"]))
)]
pub async fn get_purchase_order(
    State(api): State<Arc<ApiState>>,
    _reader: OrderReader,
    Extension(context): Extension<Arc<RequestContext>>,
    OrderPath(id): OrderPath,
) -> Result<Json<OrderDetailView>, Problem> {
    let order = api.ledger.find(&id).await?.ok_or_else(|| unknown(&id))?;
    context.note_cart_number(&order.cart_number);
    Ok(Json((&order).into()))
}

/// The problem of an id under which there is no order.
pub fn unknown(id: &OrderId) -> Problem {
    Problem::new(ProblemKind::NOT_FOUND, format!("no order is known under the id {}", quoted(id.as_str())))
}

/// List orders
///
/// Newest first. A caller that only asks for a CSRF token (`x-csrf-token: fetch`), as ABAP clients do before their
/// first POST, gets an answer with any valid token, by GET and by HEAD, whatever the query says. So it does at every path
/// that takes a POST; no CSRF token is needed. `sap-client`, `sap-language`, `saml2` and `$format` are ignored.
#[utoipa::path(
    get, path = "/v2/purchase-orders", tag = "Purchase orders",
    params(
        ("state" = Option<String>, Query, description = "accepted, forwarding, retrying, created, rejected, parked or cancelled", example = "parked"),
        ("cartNumber" = Option<String>, Query, description = "OBJECT_ID, with or without leading zeros", example = "1000004711"),
        ("limit" = Option<u16>, Query, description = "Orders on a page, 50 unless given", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "nextCursor of the page before"),
    ),
    responses(
        (status = 200, description = "A page of orders", body = ListView),
        Refusals,
    ),
    security(("oauth2" = ["purchase-orders.read"]))
)]
pub async fn list_purchase_orders(
    State(api): State<Arc<ApiState>>,
    authenticated: AuthenticatedCaller,
    headers: HeaderMap,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let fetches_csrf = csrf::is_fetched(&headers);
    let permitted = authenticated.caller.require(Permission::Read).map_err(Problem::from);
    let list = match permitted.and_then(|()| filter(&parameters)) {
        Ok(filter) => page(&api, filter).await?,
        // Nothing was asked for but the token.
        Err(_) if fetches_csrf => ListView { orders: Vec::new(), next_cursor: None },
        Err(problem) => return Err(problem),
    };
    Ok(if fetches_csrf { csrf::with_token(Json(list)) } else { Json(list).into_response() })
}

/// Reads a page; one order more than asked for shows whether there is a next one.
async fn page(api: &ApiState, mut filter: Filter) -> Result<ListView, Problem> {
    let size = filter.limit;
    filter.limit = size + 1;
    let mut orders = api.ledger.list(filter).await?;
    let more = orders.len() > size;
    orders.truncate(size);
    let next_cursor = orders.last().filter(|_| more).map(encode_cursor);
    Ok(ListView { orders: orders.iter().map(OrderView::from).collect(), next_cursor })
}

fn filter(pairs: &[(String, String)]) -> Result<Filter, Problem> {
    let mut filter = Filter { limit: DEFAULT_PAGE, ..Filter::default() };
    for parameter in known_once(pairs)? {
        let value = parameter.value;
        match parameter.name {
            "state" => {
                let names = OrderState::ALL.map(OrderState::name).join(", ");
                filter.state = Some(OrderState::parse(value).ok_or_else(|| parameter.wrong(&names))?);
            }
            "cartNumber" => filter.cart_number = Some(value.to_owned()),
            "limit" => filter.limit = parameter.page_length()?,
            "cursor" => {
                filter.after =
                    Some(decode_cursor(value).ok_or_else(|| parameter.wrong("nextCursor of the page before"))?);
            }
            _ => return Err(parameter.unknown("state, cartNumber, limit or cursor")),
        }
    }
    Ok(filter)
}

fn encode_cursor(order: &Order) -> String {
    URL_SAFE_NO_PAD.encode(format!("{} {}", order.received_at.as_millisecond(), order.id))
}

fn decode_cursor(cursor: &str) -> Option<ListPosition> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (time, id) = text.split_once(' ')?;
    Some(ListPosition { received_at: Timestamp::from_millisecond(time.parse().ok()?).ok()?, id: OrderId::of(id) })
}
