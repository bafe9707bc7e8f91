//! `/v2/purchase-orders`: creates an order from a cart, shows an order, lists orders.

use std::sync::Arc;

use axum::Extension;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use crate::api::ApiState;
use crate::api::access::{AuthenticatedCaller, CartSender, OrderPath, OrderReader};
use crate::api::body::{JsonText, run_blocking_if_large};
use crate::api::csrf;
use crate::api::order_response::{OrderResponse, respond, retry_after};
use crate::api::parameters::{DEFAULT_PAGE, known_once};
use crate::api::prefer::Preferences;
use crate::api::propagation::propagated_headers;
use crate::api::schema::CartDocument;
use crate::api::views::{ListView, OrderDetailView, OrderView};
use crate::auth::Permission;
use crate::intake::{self, Origin};
use crate::ledger::{Filter, ListPosition};
use crate::message::quoted;
use crate::order::{Order, OrderId, State as OrderState};
use crate::problem::{Problem, ProblemKind, RequestContext};
use crate::trace::{self, SpanKind, attributes};

/// Create a purchase order
///
/// Takes an approved shopping cart, creates the order in 11VMS and answers with its result. Sending a cart again is
/// always safe: one cart becomes at most one order. Two carts under one id are the same when their content or their orders
/// are equal; spelling and order of fields do not matter. A cart that 11VMS refused, or that was parked, may be sent again,
/// changed or not: it is tried anew. An invalid cart leaves no trace. A caller that hangs up changes nothing.
#[utoipa::path(
    post, path = "/v2/purchase-orders", tag = "Purchase orders",
    request_body(content = CartDocument, content_type = "application/json", description = "An approved cart, as SRM serializes it, or a list of one"),
    responses(
        (status = 200, description = "Created before: the same cart was sent again, and nothing was sent to 11VMS. Nothing is left to do.", body = OrderView),
        (status = 201, description = "Created by this call: purchaseOrderNumber is 11VMS's number. Nothing is left to do.", body = OrderView),
        (status = 202, description = "Recorded and still open at the deadline, or at once with `Prefer: respond-async`. The service goes on by itself. Next: wait for Retry-After, then GET Location until state is created, rejected, parked or cancelled; or send the same cart again, which is as safe and waits for the same outcome.", body = OrderView),
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
    let read = run_blocking_if_large(text, read).await.inspect_err(|problem| span.fail(problem.kind().name));
    let preferences = Preferences::of(&headers);
    // Thousands of callers may wait, and the headers would keep each connection's whole read buffer.
    drop(headers);
    let wait = context.remaining(preferences.deadline(api.server.deadline), &*api.clock);
    let submitted = read.map(|candidate| {
        span.set_text(attributes::MAPPING, candidate.mapping_version.as_str());
        drop(span);
        context.note_order(candidate.id.as_str());
        api.relay.submit(candidate, wait)
    })?;
    let outcome = submitted.await?;
    respond(&api, outcome, preferences)
}

/// Show an order
///
/// One order with its attempts, and who did what to it. While the order is open, Retry-After says when there may be news. By
/// its cart number an order is found in the list: `GET /v2/purchase-orders?cartNumber=…`.
#[utoipa::path(
    get, path = "/v2/purchase-orders/{id}", tag = "Purchase orders",
    responses(
        (status = 200, description = "The order", body = OrderDetailView),
    ),
    security(("oauth2" = ["purchase-orders.read"]))
)]
pub async fn get_purchase_order(
    State(api): State<Arc<ApiState>>,
    _reader: OrderReader,
    Extension(context): Extension<Arc<RequestContext>>,
    OrderPath(id): OrderPath,
) -> Result<Response, Problem> {
    let order = api.ledger.find(&id).await?.ok_or_else(|| unknown(&id))?;
    context.note_cart_number(&order.cart_number);
    let retry_after = order.state.is_open().then(|| retry_after(&api, &order));
    let mut response = Json(OrderDetailView::from(&order)).into_response();
    response.headers_mut().extend(retry_after.map(|seconds| (header::RETRY_AFTER, seconds)));
    Ok(response)
}

/// The problem of an id under which there is no order.
pub fn unknown(id: &OrderId) -> Problem {
    let id = quoted(id.as_str());
    let detail = format!("no order is known under the id {id}; by its cart number an order is found with ?cartNumber=");
    Problem::new(ProblemKind::NOT_FOUND, detail)
}

/// List orders
///
/// Newest first. With `cartNumber` the orders of one cart number: several only where two systems use the same numbers.
///
/// A caller that only asks for a CSRF token (`x-csrf-token: fetch`), as ABAP clients do before their
/// first POST, gets an answer with any valid token, by GET and by HEAD, whatever the query says. So it does at every path
/// that takes a POST; no CSRF token is needed.
#[utoipa::path(
    get, path = "/v2/purchase-orders", tag = "Purchase orders",
    params(
        ("state" = Option<String>, Query, description = "Orders in this state alone", example = "parked"),
        ("cartNumber" = Option<String>, Query, description = "OBJECT_ID, with or without leading zeros", example = "1000004711"),
    ),
    responses(
        (status = 200, description = "A page of orders", body = ListView),
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
