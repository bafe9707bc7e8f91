//! `POST /v2/purchase-orders/batch`: many carts at once, one result for each, in the order in which they were sent.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use jiff::Timestamp;
use serde::de::{Deserializer as _, SeqAccess, Visitor};
use serde_json::Deserializer;
use serde_json::value::RawValue;
use tokio::task::JoinSet;

use super::answer::respond;
use super::purchase_orders::candidate;
use crate::cart::{Bounds, Cart, CartError};
use crate::clock::{Clock, after, between};
use crate::http::ApiState;
use crate::http::error::COME_AGAIN_SOON;
use crate::http::extract::{BatchText, CartSender, Form, Preferences, propagated_headers, run_blocking_if_large};
use crate::http::frame::{ReceivedAt, RequestId};
use crate::http::openapi::{BodyRefusals, CartDocument, Refusals};
use crate::http::problem::{Problem, ProblemKind};
use crate::http::view::{BatchView, ResultView};
use crate::mapping::Mapping;
use crate::order::{Candidate, OrderId, PropagatedHeaders};
use crate::relay::SubmitOutcome;

/// Messages of one batch, after which each further cart lists only some: an answer has to be small enough to be read.
const MOST_MESSAGES: usize = 10_000;

/// Where the batch was read from, for the problems of its carts.
const PATH: &str = "/v2/purchase-orders/batch";

/// Create many purchase orders
///
/// Takes up to 500 carts (10 MiB) as a JSON array, or as NDJSON with one cart a line, and answers with one result for
/// each, in the order sent: what the cart alone would have got. The deadline holds for the whole. Carts are worked on at
/// the same time, those under one id one after the other; equal ones are handled once. A cart that can't be read or
/// mapped harms no other.
#[utoipa::path(
    post, path = "/v2/purchase-orders/batch", tag = "Purchase orders",
    params(
        ("Prefer" = Option<String>, Header, description = "RFC 7240: respond-async answers at once, wait=N shortens the deadline to N seconds"),
    ),
    request_body(
        content(
            (Vec<CartDocument> = "application/json"),
            (String = "application/x-ndjson"),
        ),
        description = "Carts, as SRM serializes them",
    ),
    responses(
        (status = 200, description = "One result for each cart", body = BatchView),
        Refusals,
        BodyRefusals,
    ),
    security(("oauth2" = ["purchase-orders.write"]))
)]
pub async fn create_purchase_orders(
    State(api): State<Arc<ApiState>>,
    _writer: CartSender,
    Extension(request_id): Extension<RequestId>,
    Extension(arrival): Extension<ReceivedAt>,
    headers: HeaderMap,
    BatchText { text, form, place }: BatchText,
) -> Result<Response, Problem> {
    let preferences = Preferences::of(&headers);
    let deadline = after(arrival.0, preferences.deadline(api.server.deadline));
    let reader = Reader {
        mapping: api.mapping.current(),
        propagated_headers: propagated_headers(&headers, &request_id),
        max_cart: api.server.limits.unpacked_body,
        max_carts: api.server.limits.batch_carts,
        bounds: api.bounds(),
        clock: Arc::clone(&api.clock),
        // Who does not want to wait wants its carts read all the same.
        deadline: after(arrival.0, api.server.deadline),
    };
    let candidates = run_blocking_if_large(text, move |text| reader.candidates(text, form)).await?;
    drop(place);
    // Each cart counts as a request; this request has a place already.
    let more = candidates.len().min(api.server.limits.max_in_flight).saturating_sub(1);
    let Ok(_places) = api.in_flight.try_acquire_many(u32::try_from(more).unwrap_or(u32::MAX)) else {
        let detail = format!("there is no room for {} carts now", candidates.len());
        return Err(Problem::new(ProblemKind::OVERLOADED, detail).retry_after(COME_AGAIN_SOON));
    };
    let answers = submit_all(&api, candidates, deadline).await;
    let result =
        |answer: Result<SubmitOutcome, Problem>| match answer.and_then(|answer| respond(&api, answer, preferences)) {
            Ok(reply) => ResultView { status: reply.status.as_u16(), order: Some(reply.order), problem: None },
            Err(problem) => {
                let (status, body) = (problem.status().as_u16(), problem.body(PATH, &request_id.0));
                ResultView { status, order: None, problem: Some(body) }
            }
        };
    let results: Vec<ResultView> = answers.into_iter().map(result).collect();
    let came_early = results.iter().any(|result| result.status == StatusCode::ACCEPTED.as_u16());
    let mut response = Json(BatchView { results }).into_response();
    response.headers_mut().extend(preferences.applied(api.server.deadline).filter(|_| came_early));
    Ok(response)
}

/// Makes candidates out of a batch's text.
struct Reader {
    mapping: Arc<Mapping>,
    propagated_headers: PropagatedHeaders,
    max_cart: usize,
    max_carts: usize,
    bounds: Bounds,
    clock: Arc<dyn Clock>,
    deadline: Timestamp,
}

impl Reader {
    fn candidates(&self, text: &str, form: Form) -> Result<Vec<Result<Candidate, Problem>>, Problem> {
        let carts = match form {
            Form::Array => array(text, self.max_carts)?,
            Form::Lines => lines(text, self.max_carts),
        };
        if carts.len() > self.max_carts {
            let detail = format!("the batch has more than {} carts", self.max_carts);
            return Err(Problem::new(ProblemKind::TOO_LARGE, detail));
        }
        let mut messages = 0;
        let candidates = carts.into_iter().map(|cart| {
            let candidate = self.candidate(text, cart);
            candidate.map_err(|problem| {
                let problem = if messages > MOST_MESSAGES { problem.with_fewer_messages() } else { problem };
                messages += problem.count_messages();
                problem
            })
        });
        Ok(candidates.collect())
    }

    fn candidate(&self, text: &str, cart: &str) -> Result<Candidate, Problem> {
        if cart.len() > self.max_cart {
            let detail = format!("the cart is larger than {} bytes", self.max_cart);
            return Err(Problem::new(ProblemKind::TOO_LARGE, detail));
        }
        if self.clock.now() > self.deadline {
            let detail = "the batch's deadline came before this cart was read; nothing of it was recorded";
            return Err(Problem::new(ProblemKind::OVERLOADED, detail).retry_after(COME_AGAIN_SOON));
        }
        let parsed = Cart::parse_within(cart, self.bounds).map_err(|error| within(text, cart, error))?;
        candidate(&self.mapping, &parsed, self.propagated_headers.clone())
    }
}

/// A mistake in a cart, with its place in the whole body.
fn within(text: &str, cart: &str, error: CartError) -> CartError {
    let CartError::Malformed { line, column, detail } = error else { return error };
    let before = text.get(..(cart.as_ptr() as usize).saturating_sub(text.as_ptr() as usize)).unwrap_or_default();
    let lines = before.matches('\n').count();
    let columns = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
    CartError::Malformed { line: line + lines, column: if line == 1 { column + columns } else { column }, detail }
}

/// The carts of NDJSON, unread: one more than `most`, at most.
fn lines(text: &str, most: usize) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).take(most.saturating_add(1)).collect()
}

/// The carts of an array, the same way.
fn array(text: &str, most: usize) -> Result<Vec<&str>, Problem> {
    let mut deserializer = Deserializer::from_str(text);
    let carts = deserializer.deserialize_seq(Carts { most }).and_then(|carts| deserializer.end().map(|()| carts));
    carts.map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let detail = format!("line {line}, column {column}: {error}; expected an array of carts");
        Problem::new(ProblemKind::MALFORMED_JSON, detail).position(line, column)
    })
}

/// The elements of an array, unread: one more than `most`, at most.
struct Carts {
    most: usize,
}

impl<'de> Visitor<'de> for Carts {
    type Value = Vec<&'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of carts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut carts = Vec::new();
        while let Some(cart) = elements.next_element::<&RawValue>()? {
            if carts.len() <= self.most {
                carts.push(cart.get());
            }
        }
        Ok(carts)
    }
}

/// Where each cart's answer stands: at its own place, or at that of an equal cart, if none of another content under its
/// id has come in between.
fn same_as(candidates: &[Result<Candidate, Problem>]) -> Vec<usize> {
    let mut last: HashMap<&OrderId, (usize, &Candidate)> = HashMap::new();
    let mut places = Vec::with_capacity(candidates.len());
    for (at, candidate) in candidates.iter().enumerate() {
        let Ok(candidate) = candidate else {
            places.push(at);
            continue;
        };
        let equal = |other: &Candidate| other.fingerprint == candidate.fingerprint || other.body == candidate.body;
        match last.get(&candidate.id) {
            Some((first, other)) if equal(other) => places.push(*first),
            _ => {
                last.insert(&candidate.id, (at, candidate));
                places.push(at);
            }
        }
    }
    places
}

/// Submits every cart once. Carts under one id follow each other, as they were sent; all others run together.
async fn submit_all(
    api: &Arc<ApiState>,
    candidates: Vec<Result<Candidate, Problem>>,
    deadline: Timestamp,
) -> Vec<Result<SubmitOutcome, Problem>> {
    let same_as = same_as(&candidates);
    let mut answers: Vec<Option<Result<SubmitOutcome, Problem>>> = Vec::new();
    let mut chains: HashMap<OrderId, Vec<(usize, Candidate)>> = HashMap::new();
    for (at, candidate) in candidates.into_iter().enumerate() {
        match candidate {
            Err(problem) => answers.push(Some(Err(problem))),
            Ok(candidate) => {
                answers.push(None);
                if same_as.get(at) == Some(&at) {
                    chains.entry(candidate.id.clone()).or_default().push((at, candidate));
                }
            }
        }
    }
    let mut tasks = JoinSet::new();
    for chain in chains.into_values() {
        let api = Arc::clone(api);
        tasks.spawn(async move { submit_one_after_the_other(&api, chain, deadline).await });
    }
    while let Some(done) = tasks.join_next().await {
        for (at, answer) in done.unwrap_or_default() {
            if let Some(place) = answers.get_mut(at) {
                *place = Some(answer);
            }
        }
    }
    let own: Vec<_> = answers.into_iter().map(|answer| answer.unwrap_or_else(|| Err(lost()))).collect();
    (0..).zip(&same_as).map(|(at, first)| shared(own.get(*first), at == *first)).collect()
}

async fn submit_one_after_the_other(
    api: &ApiState,
    chain: Vec<(usize, Candidate)>,
    deadline: Timestamp,
) -> Vec<(usize, Result<SubmitOutcome, Problem>)> {
    let mut answers = Vec::new();
    for (at, candidate) in chain {
        let wait = between(api.clock.now(), deadline);
        answers.push((at, api.relay.submit(candidate, wait).await.map_err(Problem::from)));
    }
    answers
}

/// An equal cart's answer, told to one that did not create the order.
fn shared(answer: Option<&Result<SubmitOutcome, Problem>>, is_first: bool) -> Result<SubmitOutcome, Problem> {
    match answer.cloned().unwrap_or_else(|| Err(lost())) {
        Ok(SubmitOutcome::Created(order)) if !is_first => Ok(SubmitOutcome::Replayed(order)),
        answer => answer,
    }
}

fn lost() -> Problem {
    Problem::new(ProblemKind::INTERNAL_ERROR, "The service failed while it worked on this cart.")
}
