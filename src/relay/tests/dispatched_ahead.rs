//! Orders that are dispatched before there is a permit for them.

use super::*;
use crate::order::retry::DuplicateGuard;

/// An order that is being sent, for ten seconds, and another one that waits for its permit.
async fn stack_with_one_ahead(failures: u32) -> Stack {
    let stack = stack_with(&[Post::Hangs], |dependencies| {
        dependencies.concurrency.ahead = 1;
        dependencies.breaker.failures = failures;
        dependencies.attempt_limit = Duration::from_secs(10);
    });
    stack.settle().await;
    drop(stack.submit("1"));
    stack.settle().await;
    drop(stack.submit("2"));
    stack.settle().await;
    stack
}

fn second(stack: &Stack) -> Order {
    stack.ledger.known(&OrderId::of("2")).unwrap()
}

#[test]
fn an_eighth_is_dispatched_ahead_and_nothing_where_a_doubt_parks_an_order() {
    use DuplicateGuard::{IdempotencyKey, LookUp, None};
    for (permits, guard, ahead) in
        [(32, LookUp, 4), (32, IdempotencyKey, 4), (32, None, 0), (8, LookUp, 1), (7, LookUp, 0), (1, LookUp, 0)]
    {
        assert_eq!(Concurrency::usual(permits, guard), Concurrency { permits, ahead }, "{guard:?}");
    }
}

#[tokio::test]
async fn the_begin_of_an_attempt_is_stored_while_the_order_waits_for_its_permit() {
    let stack = stack_with_one_ahead(9).await;
    let waits = second(&stack);
    assert_eq!((waits.state, waits.revision, stack.calls()), (State::Forwarding, 2, vec!["POST"]));
    let third = stack.submit("3");
    stack.settle().await;
    let writes = stack.ledger.writes.load(Relaxed);
    stack.pass(Duration::from_secs(10)).await;
    let sent = second(&stack);
    assert_eq!((sent.state, sent.revision, sent.attempts.len()), (State::Created, 3, 1));
    assert_eq!(sent.attempts[0].duration_ms, Some(0), "it counts from the permit on");
    assert!(matches!(third.await.unwrap().unwrap(), SubmitOutcome::Created(_)));
    assert_eq!(stack.ledger.writes.load(Relaxed) - writes, 4, "the begin of the third, and three ends");
}

#[tokio::test]
async fn an_order_that_must_not_be_sent_when_its_turn_comes_has_made_no_attempt() {
    for cause in ["breaker", "stop"] {
        let stack = stack_with_one_ahead(1).await;
        if cause == "stop" {
            stack.relay.stopping.cancel();
        }
        stack.pass(Duration::from_secs(10)).await;
        let held = second(&stack);
        assert_eq!((held.state, held.attempts.len(), held.attempts_used), (State::Retrying, 0, 0), "{cause}");
        assert_eq!((held.doubt, stack.calls()), (crate::order::Doubt::None, vec!["POST"]), "{cause}");
        let stack = if cause == "stop" { stack.restart(|_| {}).await } else { stack };
        stack.pass_slowly(Duration::from_mins(2)).await;
        let sent = second(&stack);
        assert_eq!((sent.state, sent.attempts.len()), (State::Created, 1), "{cause}");
    }
}

#[tokio::test]
async fn an_order_whose_begin_is_stored_as_the_service_stops_has_made_no_attempt() {
    let stack = stack(&[]);
    drop(stack.submit_and_wait("1").await);
    let dispatch = stack.relay.dispatcher.next().await;
    stack.relay.stopping.cancel();
    stack.relay.process(dispatch).await;
    let order = stack.ledger.order();
    assert_eq!((order.state, order.revision, order.attempts.len()), (State::Retrying, 3, 0));
    assert_eq!(stack.calls(), Vec::<&str>::new());
}

#[tokio::test]
async fn the_lease_of_an_order_that_waited_long_for_its_permit_is_renewed_before_it_is_sent() {
    let stack = stack_with_one_ahead(9).await;
    stack.ledger.is_shared.store(true, Relaxed);
    let writes = stack.ledger.writes.load(Relaxed);
    stack.pass(Duration::from_secs(10)).await;
    assert_eq!(second(&stack).state, State::Created);
    assert_eq!(stack.ledger.writes.load(Relaxed) - writes, 3, "the end of the first, the begin once more, and the end");
}

#[tokio::test]
async fn an_order_that_a_replica_has_taken_over_while_it_waited_for_its_permit_is_not_sent() {
    let stack = stack_with_one_ahead(9).await;
    stack.ledger.is_shared.store(true, Relaxed);
    let mut taken = second(&stack);
    taken.interrupt(taken.received_at, &RetryPolicy::usual()).unwrap();
    stack.ledger.put(taken.clone());
    stack.pass(Duration::from_secs(10)).await;
    assert_eq!((second(&stack), stack.calls()), (taken, vec!["POST"]));
}
