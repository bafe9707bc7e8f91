//! Status, headers and body for each outcome of a cart, alone or in a batch.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::ApiState;
use super::prefer::Preferences;
use super::views::OrderView;
use crate::config::OnDeadline;
use crate::order::{Order, State};
use crate::problem::{Problem, ProblemKind, whole_seconds};
use crate::relay::SubmitOutcome;

/// `Retry-After` for an open order without a next attempt: an attempt is under way, and ends within seconds as a rule.
const POLL_DELAY: Duration = Duration::from_secs(5);

const PATH: &str = "/v2/purchase-orders";

/// The answer for an order that is created or open.
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

/// Turns the outcome of one cart into its answer.
///
/// # Errors
/// The problem for a cart that did not become an order.
pub fn respond(api: &ApiState, outcome: SubmitOutcome, preferences: Preferences) -> Result<OrderResponse, Problem> {
    match outcome {
        SubmitOutcome::Created(order) => Ok(success(StatusCode::CREATED, &order, vec![])),
        SubmitOutcome::Replayed(order) => {
            let replayed = (HeaderName::from_static("idempotency-replayed"), HeaderValue::from_static("true"));
            Ok(success(StatusCode::OK, &order, vec![replayed]))
        }
        SubmitOutcome::Open(order) => still_open(api, &order, preferences),
        SubmitOutcome::Rejected(order) => Err(problem_of(&order, ProblemKind::REFUSED_BY_11VMS)),
        SubmitOutcome::Parked(order) => Err(problem_of(&order, ProblemKind::PARKED)),
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

fn success(status: StatusCode, order: &Order, mut headers: Vec<(HeaderName, HeaderValue)>) -> OrderResponse {
    headers.push(location(order));
    OrderResponse { status, headers, order: order.into() }
}

fn still_open(api: &ApiState, order: &Order, preferences: Preferences) -> Result<OrderResponse, Problem> {
    if api.server.on_deadline == OnDeadline::Error && !preferences.respond_async {
        let detail = format!("the order {} is recorded and still {}", order.id, order.state.name());
        let problem = Problem::new(ProblemKind::STILL_OPEN, detail).with_warnings(order.warnings.clone());
        return Err(with_location(order, problem).header(header::RETRY_AFTER, retry_after(api, order)));
    }
    let mut headers = vec![(header::RETRY_AFTER, retry_after(api, order))];
    headers.extend(preferences.applied(api.server.deadline));
    Ok(success(StatusCode::ACCEPTED, order, headers))
}

/// `Retry-After` for an open order: when it is tried next, or a little later where an attempt is under way.
pub fn retry_after(api: &ApiState, order: &Order) -> HeaderValue {
    whole_seconds(api.relay.time_until_dispatch(order).unwrap_or(POLL_DELAY))
}

/// A problem with the order's own messages.
fn problem_of(order: &Order, kind: ProblemKind) -> Problem {
    let detail = order.messages.first().map_or(kind.title, |message| &message.message);
    with_location(order, Problem::new(kind, detail))
        .with_messages(order.messages.clone())
        .with_warnings(order.warnings.clone())
        .vms(order.vms_response.clone())
}

/// Adds the order's id, its cart's number and `Location` to a problem.
pub fn with_location(order: &Order, problem: Problem) -> Problem {
    let (name, value) = location(order);
    problem.order(order.id.as_str()).cart(&order.cart_number).header(name, value)
}

/// What is encoded in a segment of a path (WHATWG URL's path percent-encode set, and the marks that divide a path).
const NO_SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'/')
    .add(b'\\')
    .add(b'%');

/// `Location` with the order's path; a cart number may have characters that need percent-encoding.
fn location(order: &Order) -> (HeaderName, HeaderValue) {
    let path = format!("{PATH}/{}", utf8_percent_encode(order.id.as_str(), NO_SEGMENT));
    (header::LOCATION, HeaderValue::try_from(path).unwrap_or(HeaderValue::from_static(PATH)))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::message::{Message, MessageCode};
    use crate::order::{Admission, Candidate, OrderId, PropagatedHeaders, Requester, Terms, admit};
    use crate::problem::RequestContext;

    fn order(id: &str, warnings: Vec<Message>) -> Order {
        let candidate = Candidate {
            id: OrderId::of(id),
            cart_number: "4711".into(),
            fingerprint: "f".into(),
            body: "{}".into(),
            mapping_version: "v".into(),
            warnings,
            propagated_headers: PropagatedHeaders::default(),
            requester: Requester::default(),
            cart: None,
        };
        match admit(None, candidate, Terms::new(Timestamp::UNIX_EPOCH, Duration::ZERO)) {
            Admission::Started(order) => order,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn location_is_the_path_of_any_id() {
        for (id, path) in [
            ("005056a207c81ed1bfc6b69e72f50550", "005056a207c81ed1bfc6b69e72f50550"),
            ("SRMCLNT300:4711", "SRMCLNT300:4711"),
            ("SRM:A/7", "SRM:A%2F7"),
            ("A B?#%:ü", "A%20B%3F%23%25:%C3%BC"),
        ] {
            let (_, value) = location(&order(id, Vec::new()));
            assert_eq!(value, format!("/v2/purchase-orders/{path}"), "{id}");
        }
    }

    #[test]
    fn the_warnings_about_a_cart_follow_what_happened_in_every_answer_with_its_order() {
        let warning = Message::new(MessageCode::Duplicate, "check it");
        let mut open = order("1", vec![warning]);
        let kinds = |problem: &Problem| -> Vec<&str> {
            problem.body(&RequestContext::unread()).messages.iter().map(|message| message.severity).collect()
        };
        let shown = |order: &Order| -> Vec<&str> {
            OrderView::from(order).messages.iter().map(|message| message.severity).collect()
        };
        assert_eq!(shown(&open), ["W"]);
        open.messages = vec![Message::new(MessageCode::Created, "done")];
        assert_eq!(shown(&open), ["S", "W"]);
        open.messages = vec![Message::new(MessageCode::Refused, "no")];
        let refused = problem_of(&open, ProblemKind::REFUSED_BY_11VMS);
        assert_eq!((kinds(&refused), refused.detail()), (vec!["E", "W"], "no"));
    }
}
