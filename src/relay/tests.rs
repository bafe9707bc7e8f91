//! The relay's own failure paths, with a ledger and an 11VMS that fail on demand.

mod acknowledged;
mod clocks;
mod dispatched_ahead;
mod fakes;
mod first_attempts;
mod ledgers;
mod look_ups;
mod observed;
mod restored;
mod throttled;
mod warnings;

use std::sync::atomic::Ordering::Relaxed;

use serde_json::json;

use super::retrying_ledger::LEDGER_RETRY_DELAY;
use super::*;
use crate::clock::ManualClock;
use crate::order::State;
use crate::order::retry::RetryPolicy;
use crate::order::vms_response::{CallOutcome, ResponseRules, VmsResponse};
use fakes::*;

/// Longer than the time between two sweeps.
const SWEEP_INTERVAL: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_cart_that_can_not_be_recorded_is_not_sent() {
    let stack = stack(&[]);
    stack.ledger.fail_next(&[Failure::Refused]);
    assert!(stack.submit("1").await.unwrap().is_err());
    stack.pass(SWEEP_INTERVAL).await;
    assert_eq!(stack.calls(), Vec::<&str>::new());
}

#[tokio::test]
async fn an_attempt_that_can_not_be_recorded_sends_nothing_and_is_made_later() {
    let stack = stack(&[]);
    stack.ledger.fail_next(&[Failure::None, Failure::Refused]);
    let caller = stack.submit_and_wait("1").await;
    stack.settle().await;
    assert_eq!(stack.calls(), Vec::<&str>::new());
    assert_eq!(stack.ledger.order().state, State::Accepted);
    stack.pass(SWEEP_INTERVAL).await;
    assert!(matches!(caller.await.unwrap().unwrap(), SubmitOutcome::Created(_)));
    assert_eq!(stack.calls(), ["POST"]);
}

#[tokio::test]
async fn an_attempt_of_which_it_is_not_known_whether_it_was_recorded_is_recorded_again_and_then_made() {
    let stack = stack(&[]);
    stack.ledger.fail_next(&[Failure::None, Failure::Ambiguous]);
    let caller = stack.submit_and_wait("1").await;
    stack.settle().await;
    assert_eq!((stack.ledger.order().state, stack.calls().len()), (State::Forwarding, 0));
    stack.pass(SWEEP_INTERVAL).await;
    assert!(matches!(caller.await.unwrap().unwrap(), SubmitOutcome::Created(_)));
    assert_eq!(stack.calls(), ["POST"], "one attempt, whose begin was written twice");
    assert_eq!(stack.ledger.order().attempts.len(), 1);
}

#[tokio::test]
async fn nobody_is_told_an_outcome_that_is_not_recorded() {
    let stack = stack(&[]);
    stack.ledger.fail_next(&[Failure::None, Failure::Refused, Failure::Refused]);
    let caller = stack.submit("1");
    stack.settle().await;
    assert_eq!(stack.calls(), ["POST"]);
    assert!(!caller.is_finished(), "11VMS has created the order, the ledger does not know it yet");
    stack.pass(LEDGER_RETRY_DELAY).await;
    assert!(!caller.is_finished());
    stack.pass(LEDGER_RETRY_DELAY).await;
    assert!(matches!(caller.await.unwrap().unwrap(), SubmitOutcome::Created(_)));
    assert_eq!(stack.calls(), ["POST"], "kept, not sent again");
}

#[tokio::test]
async fn an_outcome_that_was_recorded_after_all_does_not_overwrite_a_newer_life() {
    let stack = stack(&[Post::Refuses, Post::Creates]);
    stack.ledger.fail_next(&[Failure::None, Failure::Ambiguous]);
    let first = stack.submit("1");
    stack.settle().await;
    assert_eq!(stack.ledger.order().state, State::Rejected);
    let second = stack.submit("1");
    stack.settle().await;
    stack.pass(LEDGER_RETRY_DELAY).await;
    assert!(matches!(second.await.unwrap().unwrap(), SubmitOutcome::Created(_)));
    assert_eq!(stack.ledger.order().state, State::Created);
    assert!(matches!(first.await.unwrap().unwrap(), SubmitOutcome::Created(_)), "the newest outcome is everybody's");
    assert_eq!(stack.calls(), ["POST", "POST"]);
}

#[tokio::test]
async fn an_attempt_that_panics_is_looked_up_and_harms_no_other() {
    let stack = stack(&[Post::Panics]);
    let caller = stack.submit("1");
    stack.settle().await;
    assert!(matches!(stack.submit("2").await.unwrap().unwrap(), SubmitOutcome::Created(_)));
    stack.pass(SWEEP_INTERVAL).await;
    stack.pass(Duration::from_secs(30)).await;
    assert!(matches!(caller.await.unwrap().unwrap(), SubmitOutcome::Created(_)));
    assert_eq!(stack.calls(), ["POST", "POST", "GET"], "the fake finds the other order's number");
}

#[tokio::test]
async fn who_waits_for_its_turn_when_the_service_stops_is_not_sent() {
    let stack = stack(&[Post::Hangs]);
    let (first, second) = (stack.submit("1"), stack.submit("2"));
    stack.settle().await;
    let relay = Arc::clone(&stack.relay);
    let stop = tokio::spawn(async move { relay.stop(Duration::from_secs(10)).await });
    stack.settle().await;
    assert!(!first.is_finished() && !second.is_finished(), "an attempt is under way");
    stack.pass(Duration::from_secs(10)).await;
    stop.await.unwrap();
    assert!(matches!(first.await.unwrap().unwrap(), SubmitOutcome::Open(order) if order.state == State::Forwarding));
    assert!(matches!(second.await.unwrap().unwrap(), SubmitOutcome::Open(order) if order.state == State::Accepted));
    assert_eq!(stack.calls(), ["POST"]);
}

#[tokio::test]
async fn a_cart_that_arrives_during_the_stop_is_recorded_and_left_for_the_next_start() {
    let stack = stack(&[]);
    stack.relay.stop(Duration::ZERO).await;
    assert!(matches!(stack.submit("1").await.unwrap().unwrap(), SubmitOutcome::Open(_)));
    assert_eq!(stack.calls(), Vec::<&str>::new());
}

#[tokio::test]
async fn callers_of_one_order_share_its_outcome_and_one_of_them_created_it() {
    let stack = stack(&[]);
    let callers: Vec<_> = (0..10).map(|_| stack.submit("1")).collect();
    let mut created = 0;
    for caller in callers {
        match caller.await.unwrap().unwrap() {
            SubmitOutcome::Created(_) => created += 1,
            SubmitOutcome::Replayed(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((created, stack.calls()), (1, vec!["POST"]));
    assert!(!stack.relay.dispatcher.knows(&OrderId::of("1")));
}

#[tokio::test]
async fn carts_wait_for_the_ledger_in_the_order_in_which_they_came_and_are_as_old_as_they_are() {
    let stack = stack(&[]);
    stack.ledger.gate.set(Semaphore::new(0)).unwrap();
    let callers: Vec<_> = (0..MAX_ADMISSIONS + 3).map(|number| stack.submit(&format!("cart {number}"))).collect();
    let more = |count: usize| {
        stack.ledger.gate.get().unwrap().add_permits(count);
        stack.settle()
    };
    more(0).await;
    assert_eq!(stack.ledger.admissions.load(Relaxed), MAX_ADMISSIONS);
    more(2).await;
    assert_eq!(stack.ledger.admissions.load(Relaxed), MAX_ADMISSIONS + 2);
    let last = OrderId::of(&format!("cart {}", MAX_ADMISSIONS + 2));
    assert!(stack.ledger.known(&last).is_none());
    stack.pass(Duration::from_secs(1)).await;
    more(MAX_ADMISSIONS + 1).await;
    let order = stack.ledger.known(&last).unwrap();
    assert_eq!(order.received_at, stack.ledger.known(&OrderId::of("cart 0")).unwrap().received_at);
    for caller in callers {
        assert!(matches!(caller.await.unwrap().unwrap(), SubmitOutcome::Created(_)));
    }
}

#[tokio::test]
async fn a_stop_records_the_carts_that_still_wait_for_the_ledger() {
    let stack = stack(&[]);
    stack.ledger.gate.set(Semaphore::new(0)).unwrap();
    let callers: Vec<_> = (0..MAX_ADMISSIONS + 3).map(|number| stack.submit(&format!("cart {number}"))).collect();
    stack.settle().await;
    callers.iter().for_each(tokio::task::JoinHandle::abort);
    let relay = Arc::clone(&stack.relay);
    let stop = tokio::spawn(async move { relay.stop(Duration::from_secs(10)).await });
    stack.settle().await;
    stack.ledger.gate.get().unwrap().add_permits(callers.len());
    stop.await.unwrap();
    assert_eq!(stack.ledger.orders.lock().unwrap().len(), callers.len());
}

#[tokio::test]
async fn what_a_caller_waits_in_is_small() {
    let stack = stack(&[]);
    let waiting_for_the_outcome = stack.relay.submit(candidate("1"), Duration::from_secs(1));
    let now = stack.relay.now();
    let waiting_for_the_ledger = stack.relay.admit_in_order(candidate("2"), now, FirstAttempt::AtOnce);
    let beside_the_cart = size_of_val(&waiting_for_the_ledger) - size_of::<Candidate>();
    for (what, size) in [("outcome", size_of_val(&waiting_for_the_outcome)), ("ledger", beside_the_cart)] {
        assert!(
            size <= 512,
            "{what}: {size} bytes: something large lives across the waiting, and there may be thousands"
        );
    }
}

#[tokio::test]
async fn nobody_is_waited_for_when_everybody_has_gone() {
    let stack = stack(&[Post::Hangs]);
    let caller = stack.submit("1");
    stack.settle().await;
    caller.abort();
    stack.settle().await;
    assert!(stack.relay.waiters.is_empty());
}
