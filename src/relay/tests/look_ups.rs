//! Look-ups that get no answer.

use super::*;
use crate::order::retry::DuplicateGuard;

fn lost() -> CallOutcome {
    CallOutcome::Lost("no answer".into())
}

fn not_sent() -> CallOutcome {
    CallOutcome::NotSent("no connection".into())
}

#[tokio::test]
async fn a_lost_look_up_costs_no_attempt() {
    for kind in [lost(), not_sent()] {
        let stack = stack_with(&[Post::IsLost], |dependencies| dependencies.policy.retries = 1);
        stack.vms.lost_look_ups.lock().unwrap().extend(vec![kind.clone(); 5]);
        let caller = stack.submit("1");
        stack.settle().await;
        stack.pass_slowly(Duration::from_mins(4)).await;
        assert!(matches!(caller.await.unwrap().unwrap(), SubmitOutcome::Created(_)), "{kind:?}");
        assert_eq!(stack.calls(), ["POST", "GET", "GET", "GET", "GET", "GET", "GET"], "{kind:?}");
        let order = stack.ledger.order();
        assert_eq!((order.attempts.len(), order.attempts_used), (7, 2), "{kind:?}");
        assert!(order.attempts[1].look_up_lost && !order.attempts[6].look_up_lost);
    }
}

#[tokio::test]
async fn an_order_for_which_11vms_can_not_be_asked_ends_parked() {
    let stack = stack(&[Post::IsLost]);
    stack.vms.lost_look_ups.lock().unwrap().extend(vec![lost(); 100]);
    let caller = stack.submit("1");
    stack.settle().await;
    stack.pass_slowly(Duration::from_mins(20)).await;
    let Ok(Ok(SubmitOutcome::Parked(order))) = caller.await else { panic!("not parked") };
    assert_eq!(order.attempts.len(), 1 + 5 + 3, "the first attempt, five free ones in a row, and the retries");
    assert!(
        order.messages[0].message.contains("whether it exists in 11VMS is unknown"),
        "{}",
        order.messages[0].message
    );
    assert_eq!(stack.calls().iter().filter(|call| **call == "POST").count(), 1);
}

#[tokio::test]
async fn a_look_up_that_hangs_is_lost_too_and_nothing_is_sent_after_it() {
    let stack = stack_with(&[Post::IsLost], |dependencies| dependencies.attempt_limit = Duration::from_secs(9));
    stack.vms.hanging_look_ups.store(1, Relaxed);
    let caller = stack.submit("1");
    stack.settle().await;
    stack.pass_slowly(Duration::from_mins(2)).await;
    assert!(matches!(caller.await.unwrap().unwrap(), SubmitOutcome::Created(_)));
    let order = stack.ledger.order();
    assert!(
        order.attempts[1].look_up_lost && order.attempts[1].detail.as_deref() == Some("look-up: cut off after 9 s")
    );
    assert_eq!((stack.calls(), order.attempts_used), (vec!["POST", "GET", "GET"], 2));
}

#[tokio::test]
async fn without_a_guard_a_lost_look_up_is_repeated_because_nothing_was_sent() {
    let without_guard = |dependencies: &mut Dependencies| dependencies.policy.guard = DuplicateGuard::None;
    let stack = stack_with(&[Post::IsLost], without_guard);
    assert!(matches!(stack.submit("1").await.unwrap().unwrap(), SubmitOutcome::Parked(_)));
    stack.vms.lost_look_ups.lock().unwrap().push_back(lost());
    let again = stack.submit("1");
    stack.settle().await;
    stack.pass_slowly(Duration::from_mins(2)).await;
    assert!(matches!(again.await.unwrap().unwrap(), SubmitOutcome::Created(_)));
    assert_eq!(stack.calls(), ["POST", "GET", "GET"]);
}
