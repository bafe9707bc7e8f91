//! Which status, headers and body each answer of the relay has, alone or in a batch.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use url::Url;

use super::ApiState;
use super::prefer::Preferences;
use super::views::OrderView;
use crate::clock::between;
use crate::config::OnDeadline;
use crate::order::{Order, State};
use crate::problem::{Problem, ProblemKind};
use crate::relay::SubmitOutcome;

/// When an order without a next attempt may be asked for again.
const ASK_AGAIN: Duration = Duration::from_secs(5);

const PATH: &str = "/v2/purchase-orders";

/// A good answer.
#[derive(Debug)]
pub struct OrderResponse {
    /// 200, 201 or 202.
    pub status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// The order.
    pub order: OrderView,
}

impl IntoResponse for OrderResponse {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.order)).into_response();
        response.headers_mut().extend(self.headers);
        response
    }
}

/// The answer for one cart.
///
/// # Errors
/// The problem that a caller gets whose cart did not become an order.
pub fn respond(api: &ApiState, answer: SubmitOutcome, preferences: Preferences) -> Result<OrderResponse, Problem> {
    match answer {
        SubmitOutcome::Created(order) => Ok(good(StatusCode::CREATED, &order, vec![])),
        SubmitOutcome::Replayed(order) => {
            let replayed = (HeaderName::from_static("idempotency-replayed"), HeaderValue::from_static("true"));
            Ok(good(StatusCode::OK, &order, vec![replayed]))
        }
        SubmitOutcome::Open(order) => still_open(api, &order, preferences),
        SubmitOutcome::Rejected(order) => Err(about(&order, ProblemKind::REFUSED_BY_11VMS)),
        SubmitOutcome::Parked(order) => Err(about(&order, ProblemKind::PARKED)),
        SubmitOutcome::Conflicting(order) if order.state == State::Cancelled => {
            let why = order.messages.first().map_or("cancelled by hand", |message| &message.message);
            Err(with_location(&order, Problem::new(ProblemKind::ORDER_CANCELLED, why)))
        }
        SubmitOutcome::Conflicting(order) => {
            let detail = format!("the order {} is {} and came from another cart", order.id, order.state.name());
            Err(with_location(&order, Problem::new(ProblemKind::ORDER_EXISTS, detail)))
        }
    }
}

fn good(status: StatusCode, order: &Order, mut headers: Vec<(HeaderName, HeaderValue)>) -> OrderResponse {
    headers.push(location(order));
    OrderResponse { status, headers, order: order.into() }
}

fn still_open(api: &ApiState, order: &Order, preferences: Preferences) -> Result<OrderResponse, Problem> {
    let wait = order.next_attempt_at.map_or(ASK_AGAIN, |at| between(api.clock.now(), at));
    if api.server.on_deadline == OnDeadline::Error && !preferences.respond_async {
        let detail = format!("the order {} is recorded and still {}", order.id, order.state.name());
        return Err(with_location(order, Problem::new(ProblemKind::STILL_OPEN, detail)).retry_after(wait));
    }
    let mut headers = vec![(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)))];
    headers.extend(preferences.applied(api.server.deadline));
    Ok(good(StatusCode::ACCEPTED, order, headers))
}

/// A problem whose words are the order's own.
fn about(order: &Order, kind: ProblemKind) -> Problem {
    let detail = order.messages.first().map_or(kind.title, |message| &message.message);
    with_location(order, Problem::new(kind, detail))
        .with_messages(order.messages.clone())
        .vms(order.vms_response.clone())
}

/// Says which order it is about, and where that is.
pub fn with_location(order: &Order, problem: Problem) -> Problem {
    let (name, value) = location(order);
    problem.order(order.id.as_str()).header(name, value)
}

/// The order's path, with whatever characters a cart number has.
fn location(order: &Order) -> (HeaderName, HeaderValue) {
    let path = Url::parse("http://service/v2/purchase-orders").ok().and_then(|mut url| {
        url.path_segments_mut().ok()?.push(order.id.as_str());
        Some(url.path().to_owned())
    });
    let value = path.and_then(|path| HeaderValue::from_str(&path).ok()).unwrap_or(HeaderValue::from_static(PATH));
    (header::LOCATION, value)
}
