//! `POST /v2/purchase-orders/batch`: many carts at once, one result for each, in the order sent.

mod submission;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use tracing::warn;

use crate::api::ApiState;
use crate::api::access::CartSender;
use crate::api::body::{BatchText, run_blocking_if_large};
use crate::api::order_response::respond;
use crate::api::prefer::Preferences;
use crate::api::propagation::propagated_headers;
use crate::api::schema::CartDocument;
use crate::api::views::{BatchView, ResultView};
use crate::cart::Bounds;
use crate::clock::{Clock, Moment};
use crate::intake::{self, BatchFormat, Origin, RawCart, SplitError};
use crate::mapping::Mapping;
use crate::order::{Candidate, KeepCarts};
use crate::problem::{Problem, ProblemKind, RETRY_SOON, RequestContext};
use crate::relay::SubmitOutcome;
use crate::trace::{self, SpanKind, attributes};
use submission::submit_all;

/// The number of messages after which each further cart lists only its first ones: the answer has to stay readable.
const MAX_MESSAGES: usize = 10_000;

/// Create many purchase orders
///
/// Takes up to 500 carts (10 MiB) as a JSON array, alone or in one root object (`{"CARTS":[…]}`,
/// `{"d":{"results":[…]}}`), or as NDJSON with one cart a line, and answers with one result for each, in the order sent:
/// what the cart alone would have got. A single cart is a batch of one. The deadline applies to the whole batch. Carts are worked
/// on at the same time, those under one id one after the other; equal ones are handled once. A cart that can't be read or
/// mapped does not affect the others.
#[utoipa::path(
    post, path = "/v2/purchase-orders/batch", tag = "Purchase orders",
    request_body(
        content(
            (Vec<CartDocument> = "application/json"),
            (String = "application/x-ndjson"),
        ),
        description = "Carts, as SRM serializes them: an array, alone or in one root object of any name",
    ),
    responses(
        (status = 200, description = "One result for each cart, in the order sent: its status, and its order or its problem. The whole is 200 whatever became of the carts. Next, for each: as for a cart alone; to send the whole batch again is safe.", body = BatchView),
    ),
    security(("oauth2" = ["purchase-orders.write"]))
)]
pub async fn create_purchase_orders(
    State(api): State<Arc<ApiState>>,
    sender: CartSender,
    Extension(context): Extension<Arc<RequestContext>>,
    headers: HeaderMap,
    BatchText { text, format, permit }: BatchText,
) -> Result<Response, Problem> {
    let preferences = Preferences::of(&headers);
    let reader = BatchReader {
        mapping: api.mapping.current(),
        origin: Origin {
            propagated_headers: propagated_headers(&headers, &context.id),
            requester: sender.requester.clone(),
        },
        max_cart: api.server.limits.unpacked_body,
        max_carts: api.server.limits.batch_carts,
        bounds: api.bounds(),
        keep_carts: api.keep_carts,
        clock: Arc::clone(&api.clock),
        // `Prefer` shortens the waiting for outcomes, not the reading of carts.
        deadline: context.received_at.after(api.server.deadline),
    };
    let mut span = trace::child("read and map carts", SpanKind::Internal);
    let read = move |text: &str| reader.candidates(text, format);
    let candidates = run_blocking_if_large(text, read).await.inspect_err(|problem| span.fail(problem.kind().name))?;
    span.set(attributes::CARTS, candidates.len());
    drop((permit, span));
    context.note_carts(candidates.len());
    // Each cart counts as a request; this request has a permit already.
    let more = candidates.len().min(api.server.limits.max_in_flight).saturating_sub(1);
    let Ok(_permits) = api.in_flight.try_acquire_many(u32::try_from(more).unwrap_or(u32::MAX)) else {
        let detail = format!("there is no room for {} carts now", candidates.len());
        return Err(Problem::new(ProblemKind::OVERLOADED, detail).retry_after(RETRY_SOON));
    };
    let deadline = context.received_at.after(preferences.deadline(api.server.deadline));
    let outcomes = submit_all(&api, candidates, deadline).await;
    let results: Vec<ResultView> =
        (1..).zip(outcomes).map(|(position, outcome)| result(&api, position, outcome, preferences, &context)).collect();
    let came_early = results.iter().any(|result| result.status == StatusCode::ACCEPTED.as_u16());
    let mut response = Json(BatchView { results }).into_response();
    response.headers_mut().extend(preferences.applied(api.server.deadline).filter(|_| came_early));
    Ok(response)
}

fn result(
    api: &ApiState,
    position: usize,
    outcome: Result<SubmitOutcome, Problem>,
    preferences: Preferences,
    context: &RequestContext,
) -> ResultView {
    match outcome.and_then(|outcome| respond(api, outcome, preferences)) {
        Ok(response) => ResultView { status: response.status.as_u16(), order: Some(response.order), problem: None },
        Err(problem) => {
            log_problem(position, &problem, context);
            ResultView { status: problem.status().as_u16(), order: None, problem: Some(problem.body(context)) }
        }
    }
}

/// The answer to a batch is 200 whatever becomes of its carts, so each problem has a line of its own.
fn log_problem(position: usize, problem: &Problem, context: &RequestContext) {
    warn!(
        http.request.id = context.id.as_str(),
        http.response.status_code = problem.status().as_u16(),
        batch.cart.position = position,
        cart.number = problem.cart_number(),
        order.id = problem.order_id(),
        problem.type = problem.kind().name,
        error.message = problem.summary(),
        "a cart of a batch was answered with a problem"
    );
}

impl From<SplitError> for Problem {
    fn from(error: SplitError) -> Self {
        match error {
            SplitError::Malformed(error) => error.into(),
            SplitError::Ambiguous(_) | SplitError::Incomplete(_) => {
                Self::new(ProblemKind::INVALID_BODY, error.to_string())
            }
            SplitError::TooMany(_) => Self::new(ProblemKind::TOO_LARGE, error.to_string()),
        }
    }
}

/// Turns the text of a batch into candidates.
struct BatchReader {
    mapping: Arc<Mapping>,
    origin: Origin,
    max_cart: usize,
    max_carts: usize,
    bounds: Bounds,
    keep_carts: KeepCarts,
    clock: Arc<dyn Clock>,
    deadline: Moment,
}

impl BatchReader {
    fn candidates(&self, text: &str, format: BatchFormat) -> Result<Vec<Result<Candidate, Problem>>, Problem> {
        let mut messages = 0;
        let candidates = intake::split(text, format, self.max_carts)?.into_iter().map(|cart| {
            self.candidate(cart).map_err(|problem| {
                let problem = if messages > MAX_MESSAGES { problem.with_fewer_messages() } else { problem };
                messages += problem.count_messages();
                problem
            })
        });
        Ok(candidates.collect())
    }

    fn candidate(&self, cart: RawCart<'_>) -> Result<Candidate, Problem> {
        if cart.text.len() > self.max_cart {
            let detail = format!("the cart is larger than {} bytes", self.max_cart);
            return Err(Problem::new(ProblemKind::TOO_LARGE, detail));
        }
        if self.clock.moment() > self.deadline {
            let detail = "the batch's deadline came before this cart was read; nothing of it was recorded";
            return Err(Problem::new(ProblemKind::OVERLOADED, detail).retry_after(RETRY_SOON));
        }
        let read = intake::read(cart.text, self.bounds).map_err(|error| cart.place_in_text(error))?;
        intake::candidate(&read, &self.mapping, self.origin.clone(), self.keep_carts)
            .map_err(|error| Problem::from(error).cart(read.number()))
    }
}
