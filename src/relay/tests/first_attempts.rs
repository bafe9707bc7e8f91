//! First attempts that are recorded with the admission of their order, and those that are not.

use super::*;
use crate::order::Outcome;

#[tokio::test]
async fn an_order_that_need_not_wait_takes_two_writes_and_no_read() {
    let stack = stack(&[]);
    stack.settle().await;
    let Ok(SubmitOutcome::Created(order)) = stack.submit("1").await.unwrap() else { panic!("not created") };
    assert_eq!((order.revision, order.attempts_used), (2, 1));
    assert_eq!((stack.ledger.writes.load(Relaxed), stack.ledger.reads.load(Relaxed)), (2, 0));
    assert!(!stack.relay.dispatcher.knows(&OrderId::of("1")));
}

#[tokio::test]
async fn an_order_that_has_to_wait_is_recorded_as_one_that_nobody_has_begun_to_send() {
    for (why, script) in [("the permit is taken", &[Post::Hangs][..]), ("the breaker is open", &[Post::IsBusy; 3])] {
        let stack = stack_with(script, |dependencies| dependencies.policy.retries = 0);
        stack.settle().await;
        for number in 2..(2 + script.len()) {
            drop(stack.submit(&number.to_string()));
            stack.settle().await;
        }
        drop(stack.submit("1"));
        stack.settle().await;
        let order = stack.ledger.known(&OrderId::of("1")).unwrap();
        assert_eq!((order.state, order.revision), (State::Accepted, 1), "{why}");
    }
}

#[tokio::test]
async fn whoever_waits_goes_before_a_cart_that_has_just_come() {
    let stack = stack(&[]);
    let permit = stack.take_permit().await;
    drop(stack.submit("1"));
    stack.settle().await;
    drop(permit);
    // The dispatcher has not had its turn yet.
    assert!(stack.relay.dispatcher.try_reserve(&OrderId::of("2")).is_none());
    stack.settle().await;
    assert!(stack.relay.dispatcher.try_reserve(&OrderId::of("2")).is_some());
}

#[tokio::test]
async fn a_relay_that_makes_no_attempts_begins_none() {
    let stack = stack(&[]);
    let before_its_run = stack.relay.reserve_first_attempt(&OrderId::of("1")).is_some();
    stack.settle().await;
    let in_its_run = stack.relay.reserve_first_attempt(&OrderId::of("1")).is_some();
    stack.relay.stop(Duration::ZERO).await;
    drop(stack.submit("1"));
    stack.settle().await;
    assert_eq!((before_its_run, in_its_run, stack.ledger.order().state), (false, true, State::Accepted));
}

#[tokio::test]
async fn an_attempt_that_is_recorded_when_the_service_stops_is_made() {
    let stack = stack(&[]);
    stack.settle().await;
    let dispatch = stack.relay.reserve_first_attempt(&OrderId::of("1")).unwrap();
    stack.relay.stopping.cancel();
    stack.relay.admit_and_send(candidate("1"), stack.relay.now(), dispatch).await.unwrap();
    assert_eq!((stack.ledger.order().state, stack.calls().len()), (State::Forwarding, 0));
    stack.relay.stop(Duration::from_secs(9)).await;
    assert_eq!((stack.ledger.order().state, stack.calls().len()), (State::Created, 1));
}

#[tokio::test]
async fn an_attempt_that_is_recorded_again_when_the_service_stops_is_taken_back() {
    let stack = stack(&[]);
    stack.settle().await;
    let dispatch = stack.relay.reserve_first_attempt(&OrderId::of("1")).unwrap();
    stack.ledger.fail_next(&[Failure::Ambiguous]);
    stack.relay.stopping.cancel();
    assert!(stack.relay.admit_and_send(candidate("1"), stack.relay.now(), dispatch).await.is_err());
    stack.settle().await;
    let order = stack.ledger.order();
    assert_eq!((order.state, order.attempts.len(), stack.calls().len()), (State::Retrying, 0, 0));
}

#[tokio::test]
async fn an_interrupted_attempt_is_taken_over_though_its_cart_comes_again_at_that_moment() {
    let stack = stack(&[Post::Hangs]);
    stack.settle().await;
    drop(stack.submit("1"));
    stack.settle().await;
    stack.ledger.is_shared.store(true, Relaxed);
    let stack = stack.restart(|_| {}).await;
    // The cart that comes again.
    let admission = stack.relay.dispatcher.reserve_without_permit(&OrderId::of("1"));
    stack.pass_slowly(SWEEP_INTERVAL).await;
    stack.ledger.orders_are_leased();
    drop(admission);
    stack.pass_slowly(Duration::from_secs(2)).await;
    assert_eq!(stack.ledger.order().attempts[0].outcome, Some(Outcome::Interrupted));
}

#[tokio::test]
async fn a_caller_that_does_not_wait_gets_the_order_as_it_was_recorded() {
    let stack = stack(&[]);
    stack.settle().await;
    let Ok(SubmitOutcome::Open(order)) = stack.relay.submit(candidate("1"), Duration::ZERO).await else { panic!() };
    assert_eq!((order.state, order.revision), (State::Accepted, 1));
    stack.settle().await;
    assert_eq!((stack.ledger.order().state, stack.ledger.order().revision), (State::Created, 3));
    assert_eq!(stack.ledger.writes.load(Relaxed), 3, "recorded, begun, settled");
}

#[tokio::test]
async fn a_first_attempt_of_which_it_is_not_known_whether_it_was_recorded_is_made_once_without_doubt() {
    for (failure, calls) in [(Failure::Ambiguous, vec!["POST"]), (Failure::Refused, vec![])] {
        let stack = stack(&[]);
        stack.settle().await;
        stack.ledger.fail_next(&[failure]);
        assert!(stack.submit("1").await.unwrap().is_err());
        stack.pass_slowly(Duration::from_secs(30)).await;
        assert_eq!(stack.calls(), calls, "{failure:?}: neither looked up nor sent twice");
        let attempts = stack.ledger.known(&OrderId::of("1")).map(|order| order.attempts.len());
        assert_eq!(attempts, (failure == Failure::Ambiguous).then_some(1), "{failure:?}");
        let next = stack.submit("2").await.unwrap();
        assert!(matches!(next, Ok(SubmitOutcome::Created(_))), "{failure:?}: the permit is free again: {next:?}");
    }
}

#[tokio::test]
async fn an_order_whose_process_ends_after_its_admission_is_in_doubt() {
    let stack = stack(&[Post::Hangs]);
    stack.settle().await;
    drop(stack.submit("1"));
    stack.settle().await;
    let stack = stack.restart(|_| {}).await;
    stack.pass_slowly(Duration::from_secs(40)).await;
    assert_eq!(stack.calls(), ["POST", "GET", "POST"], "11VMS is asked before the order is sent again");
    assert_eq!(stack.ledger.order().attempts[0].outcome, Some(Outcome::Interrupted));
}

#[tokio::test]
async fn of_two_carts_under_one_id_that_come_together_one_is_recorded_and_the_other_shares_or_conflicts() {
    let stack = stack(&[]);
    stack.settle().await;
    let other = Candidate { fingerprint: "other".into(), body: "{}".into(), ..candidate("1") };
    let (one, two) = tokio::join!(
        stack.relay.submit(candidate("1"), Duration::from_secs(9)),
        stack.relay.submit(other, Duration::from_secs(9))
    );
    assert!(
        matches!((&one, &two), (Ok(SubmitOutcome::Created(_)), Ok(SubmitOutcome::Conflicting(_)))),
        "{one:?} {two:?}"
    );
    assert_eq!(stack.calls(), ["POST"]);
}

#[tokio::test]
async fn a_first_attempt_that_was_not_recorded_takes_no_other_carts_place() {
    let stack = stack(&[]);
    stack.settle().await;
    stack.ledger.fail_next(&[Failure::Refused]);
    let other = Candidate { fingerprint: "other".into(), body: "{}".into(), ..candidate("1") };
    let wait = Duration::from_secs(9);
    let (first, second) = tokio::join!(stack.relay.submit(candidate("1"), wait), stack.relay.submit(other, wait));
    assert!(first.is_err() && matches!(&second, Ok(SubmitOutcome::Created(_))), "{first:?} {second:?}");
    stack.pass_slowly(Duration::from_secs(9)).await;
    assert_eq!((stack.ledger.order().body.as_str(), stack.calls().len()), ("{}", 1));
}
