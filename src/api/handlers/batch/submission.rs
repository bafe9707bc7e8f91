//! The carts of a batch on their way to the relay: equal ones once, those under one id one after the other.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::api::ApiState;
use crate::clock::Moment;
use crate::ledger::LedgerError;
use crate::order::{Candidate, OrderId};
use crate::problem::{Problem, ProblemKind};
use crate::relay::SubmitOutcome;
use crate::trace;

/// The outcome of one cart of a batch.
type Outcome = Result<SubmitOutcome, Problem>;

/// Submits every cart once. Carts under one id follow each other, as they were sent; all others run together.
pub async fn submit_all(
    api: &Arc<ApiState>,
    candidates: Vec<Result<Candidate, Problem>>,
    deadline: Moment,
) -> Vec<Outcome> {
    let answered_by = answered_by(&candidates);
    let mut outcomes: Vec<Option<Outcome>> = Vec::with_capacity(candidates.len());
    let mut chains: HashMap<OrderId, Vec<(usize, Candidate)>> = HashMap::new();
    for (index, candidate) in candidates.into_iter().enumerate() {
        match candidate {
            Err(problem) => outcomes.push(Some(Err(problem))),
            Ok(candidate) => {
                outcomes.push(None);
                if answered_by.get(index) == Some(&index) {
                    // Nearly each has one cart, and there may be thousands.
                    let chain = chains.entry(candidate.id.clone()).or_insert_with(|| Vec::with_capacity(1));
                    chain.push((index, candidate));
                }
            }
        }
    }
    let mut tasks = JoinSet::new();
    for chain in chains.into_values() {
        let api = Arc::clone(api);
        tasks.spawn(trace::carry(async move { submit_in_order(&api, chain, deadline).await }));
    }
    while let Some(done) = tasks.join_next().await {
        for (index, outcome) in done.unwrap_or_default() {
            if let Some(slot) = outcomes.get_mut(index) {
                *slot = Some(outcome);
            }
        }
    }
    let own: Vec<Outcome> = outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|| Err(lost()))).collect();
    (0..).zip(&answered_by).map(|(index, first)| shared(own.get(*first), index == *first)).collect()
}

/// For each cart the index of the cart whose outcome it gets: its own, or that of an equal one before it, unless a
/// different cart under the same id comes in between.
fn answered_by(candidates: &[Result<Candidate, Problem>]) -> Vec<usize> {
    let mut last: HashMap<&OrderId, (usize, &Candidate)> = HashMap::new();
    let mut indexes = Vec::with_capacity(candidates.len());
    for (index, candidate) in candidates.iter().enumerate() {
        let Ok(candidate) = candidate else {
            indexes.push(index);
            continue;
        };
        let equal = |other: &Candidate| other.fingerprint == candidate.fingerprint || other.body == candidate.body;
        match last.get(&candidate.id) {
            Some((first, other)) if equal(other) => indexes.push(*first),
            _ => {
                last.insert(&candidate.id, (index, candidate));
                indexes.push(index);
            }
        }
    }
    indexes
}

async fn submit_in_order(api: &ApiState, chain: Vec<(usize, Candidate)>, deadline: Moment) -> Vec<(usize, Outcome)> {
    let mut outcomes = Vec::with_capacity(chain.len());
    for (index, candidate) in chain {
        let (cart_number, submitted) = submit(api, candidate, deadline);
        outcomes.push((index, submitted.await.map_err(|error| Problem::from(error).cart(&cart_number))));
    }
    outcomes
}

/// Submits one cart; returns its number, and its outcome to come. Thousands of them may wait, so what waits does not have the cart.
fn submit(
    api: &ApiState,
    candidate: Candidate,
    deadline: Moment,
) -> (String, impl Future<Output = Result<SubmitOutcome, LedgerError>>) {
    let cart_number = candidate.cart_number.clone();
    (cart_number, api.relay.submit(candidate, deadline.since(api.clock.moment())))
}

/// The outcome of an equal cart; a cart that did not create the order is told that it was created before.
fn shared(outcome: Option<&Outcome>, is_first: bool) -> Outcome {
    match outcome.cloned().unwrap_or_else(|| Err(lost())) {
        Ok(SubmitOutcome::Created(order)) if !is_first => Ok(SubmitOutcome::Replayed(order)),
        outcome => outcome,
    }
}

fn lost() -> Problem {
    Problem::new(ProblemKind::INTERNAL_ERROR, "The service failed while it worked on this cart.")
}
