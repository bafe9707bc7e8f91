//! A token endpoint that wants to be left alone: nothing is sent until then, and no attempt is used up.

use super::*;

#[tokio::test]
async fn throttling_uses_up_no_attempt_however_often_it_comes() {
    let script = [&[Post::IsDeferred(6); 20][..], &[Post::Creates]].concat();
    let stack = stack_with(&script, |dependencies| dependencies.policy.retries = 0);
    let caller = stack.submit("1");
    stack.settle().await;
    let order = stack.ledger.order();
    assert_eq!((order.state, order.attempts.len(), order.attempts_used), (State::Retrying, 0, 0));
    stack.pass_slowly(Duration::from_secs(6 * 21)).await;
    let Ok(Ok(SubmitOutcome::Created(order))) = caller.await else { panic!("not created") };
    assert_eq!((order.attempts.len(), order.attempts_used, stack.calls().len()), (1, 1, 21));
    assert_eq!(stack.relay.breaker(), BreakerState::Closed);
}

#[tokio::test]
async fn all_orders_wait_for_the_end_of_one_pause() {
    let stack = stack(&[Post::IsDeferred(6)]);
    drop(stack.submit("1"));
    stack.settle().await;
    let others: Vec<_> = ["2", "3"].map(|number| stack.submit(number)).into();
    stack.pass_slowly(Duration::from_secs(5)).await;
    assert_eq!(stack.calls(), ["POST"], "nobody else is sent");
    stack.pass_slowly(Duration::from_secs(2)).await;
    for other in others {
        assert!(matches!(other.await.unwrap().unwrap(), SubmitOutcome::Created(_)));
    }
    assert_eq!(stack.ledger.known(&OrderId::of("1")).unwrap().state, State::Created);
}

#[tokio::test]
async fn what_an_order_has_behind_it_stays_when_it_is_deferred() {
    let stack = stack_with(&[Post::IsBusy, Post::IsDeferred(3), Post::IsBusy, Post::IsDeferred(3)], |dependencies| {
        dependencies.policy.retries = 2;
    });
    let caller = stack.submit("1");
    stack.settle().await;
    stack.pass_slowly(Duration::from_mins(5)).await;
    let Ok(Ok(SubmitOutcome::Created(order))) = caller.await else { panic!("not created") };
    let numbers: Vec<u32> = order.attempts.iter().map(|attempt| attempt.number).collect();
    assert_eq!((numbers, order.attempts_used), (vec![1, 2, 3], 3));
}

#[tokio::test]
async fn an_order_in_doubt_stays_in_doubt_when_its_look_up_is_deferred() {
    let stack = stack_with(&[Post::IsLost], |dependencies| dependencies.policy.retries = 1);
    stack.vms.lost_look_ups.lock().unwrap().extend(vec![deferred(7); 9]);
    let caller = stack.submit("1");
    stack.settle().await;
    stack.pass_slowly(Duration::from_secs(40)).await;
    let order = stack.ledger.order();
    assert_eq!(
        (order.state, order.attempts.len(), order.doubt),
        (State::Retrying, 1, crate::order::Doubt::ThisContent)
    );
    stack.pass_slowly(Duration::from_mins(8)).await;
    assert!(matches!(caller.await.unwrap().unwrap(), SubmitOutcome::Created(_)));
    assert_eq!(stack.calls().iter().filter(|call| **call == "POST").count(), 1, "it was there");
}

#[tokio::test]
async fn a_look_up_that_is_deferred_begins_no_grace_anew() {
    let stack = stack(&[Post::IsLost]);
    stack.vms.lost_look_ups.lock().unwrap().push_back(deferred(7));
    let caller = stack.submit("1");
    stack.settle().await;
    while stack.calls() != ["POST", "GET"] {
        stack.pass(Duration::from_secs(1)).await;
    }
    stack.pass_slowly(Duration::from_secs(8)).await;
    assert_eq!(stack.calls(), ["POST", "GET", "GET"]);
    assert!(matches!(caller.await.unwrap().unwrap(), SubmitOutcome::Created(_)));
}
