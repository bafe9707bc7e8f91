//! Ledgers whose reads lag behind, and ledgers that can't hold a record.

use super::dispatcher::Ticket;
use super::*;
use crate::order::{Resolution, Resolved};

#[tokio::test]
async fn an_order_that_a_lagging_read_does_not_show_is_dispatched_when_it_does() {
    let stack = stack(&[]);
    stack.ledger.freeze_reads();
    let caller = stack.submit_and_wait("1").await;
    stack.ledger.orders_are_leased();
    stack.pass_slowly(Duration::from_secs(7)).await;
    assert_eq!((stack.calls(), stack.ledger.order().state), (vec![], State::Accepted));
    stack.ledger.thaw_reads();
    stack.pass_slowly(Duration::from_secs(2)).await;
    assert!(matches!(caller.await.unwrap().unwrap(), SubmitOutcome::Created(_)));
}

#[tokio::test]
async fn a_retry_of_which_a_lagging_read_shows_the_attempt_before_is_made() {
    let stack = stack(&[Post::IsBusy]);
    let caller = stack.submit("1");
    stack.settle().await;
    let retrying = stack.ledger.order();
    let mut before = retrying.clone();
    (before.state, before.revision) = (State::Forwarding, retrying.revision - 1);
    *stack.ledger.lagging.lock().unwrap() = Some([(before.id.clone(), before)].into());
    stack.ledger.orders_are_leased();
    stack.pass_slowly(Duration::from_secs(40)).await;
    assert_eq!(stack.calls(), ["POST"]);
    stack.ledger.thaw_reads();
    stack.pass_slowly(Duration::from_secs(2)).await;
    assert!(matches!(caller.await.unwrap().unwrap(), SubmitOutcome::Created(_)));
}

/// The wall clock stands still, so a begin by a read that lags behind is, to the letter, the begin that is stored already.
#[tokio::test]
async fn an_order_is_not_sent_again_while_the_end_of_its_attempt_is_being_stored() {
    let stack = stack(&[]);
    let permit = stack.take_permit().await;
    let caller = stack.submit("1");
    stack.settle().await;
    let accepted = stack.ledger.order();
    stack.ledger.freeze_reads();
    stack.ledger.fail_next(&[Failure::None, Failure::Refused]);
    drop(permit);
    stack.settle().await;
    assert_eq!((stack.calls(), stack.ledger.order().state), (vec!["POST"], State::Forwarding));
    stack.relay.dispatcher.enqueue(&accepted.id, Ticket::of(&accepted));
    stack.settle().await;
    stack.pass(LEDGER_RETRY_DELAY).await;
    assert!(matches!(caller.await.unwrap().unwrap(), SubmitOutcome::Created(_)));
    assert_eq!(stack.calls(), ["POST"]);
}

#[tokio::test]
async fn an_order_that_another_replica_has_put_off_waits_for_that_time() {
    const PUT_OFF: Duration = Duration::from_mins(5);
    let stack = stack(&[Post::IsBusy]);
    stack.ledger.is_shared.store(true, Relaxed);
    let caller = stack.submit("1");
    stack.settle().await;
    let mut order = stack.ledger.order();
    order.revision += 1;
    order.next_attempt_at = order.next_attempt_at.map(|time| time + PUT_OFF);
    stack.ledger.put(order);
    stack.pass_slowly(PUT_OFF).await;
    assert_eq!(stack.calls(), ["POST"], "its own reckoning is that of the attempt before");
    stack.pass_slowly(Duration::from_mins(1)).await;
    assert!(matches!(caller.await.unwrap().unwrap(), SubmitOutcome::Created(_)));
    assert_eq!(stack.calls(), ["POST", "POST"]);
}

#[tokio::test]
async fn a_read_that_never_shows_the_order_is_given_up_after_a_lease() {
    let stack = stack_with(&[], |dependencies| dependencies.attempt_limit = Duration::from_secs(9));
    stack.ledger.freeze_reads();
    stack.submit("1");
    stack.settle().await;
    stack.ledger.orders_are_leased();
    stack.pass_slowly(lease_length(Duration::from_secs(9)) + Duration::from_secs(2)).await;
    assert!(!stack.relay.dispatcher.knows(&OrderId::of("1")));
    assert_eq!(stack.relay.holds.next(), None, "only a sweep takes it up again");
}

#[tokio::test]
async fn a_cart_that_the_ledger_refused_is_read_once_and_not_again() {
    let stack = stack(&[]);
    stack.ledger.fail_next(&[Failure::Refused]);
    assert!(stack.submit_and_wait("1").await.await.unwrap().is_err());
    stack.pass_slowly(Duration::from_secs(30)).await;
    assert_eq!((stack.ledger.reads.load(Relaxed), stack.relay.holds.next()), (1, None));
}

#[tokio::test]
async fn a_cart_whose_write_has_failed_and_was_made_all_the_same_is_sent() {
    let stack = stack(&[]);
    stack.ledger.fail_next(&[Failure::Ambiguous]);
    assert!(stack.submit("1").await.unwrap().is_err());
    stack.settle().await;
    assert_eq!((stack.calls(), stack.ledger.order().state), (vec!["POST"], State::Created));
}

#[tokio::test]
async fn a_person_who_decides_by_a_lagging_read_is_answered_in_time() {
    let stack = stack_with(&[Post::IsLost], |dependencies| dependencies.policy.retries = 0);
    assert!(matches!(stack.submit("1").await.unwrap().unwrap(), SubmitOutcome::Parked(_)));
    stack.ledger.freeze_reads();
    let mut newer = stack.ledger.order();
    newer.revision += 1;
    stack.ledger.put(newer);
    let (relay, other) = (Arc::clone(&stack.relay), Arc::clone(&stack.relay));
    let resolved = tokio::spawn(async move {
        relay.resolve(&OrderId::of("1"), Resolution::Exists("45".into()), "me", Duration::from_secs(3)).await
    });
    let replayed = tokio::spawn(async move { other.replay(OrderId::of("1"), "me", Duration::from_secs(3)).await });
    stack.settle().await;
    stack.pass_slowly(Duration::from_secs(9)).await;
    assert!(matches!(resolved.await.unwrap(), Err(LedgerError::TimedOut)));
    assert!(matches!(replayed.await.unwrap(), Err(LedgerError::TimedOut)));
    stack.ledger.thaw_reads();
    let applied = stack.relay.resolve(&OrderId::of("1"), Resolution::Exists("45".into()), "me", Duration::ZERO).await;
    assert!(matches!(applied.unwrap(), Some(Resolved::Applied(_))));
}

#[tokio::test]
async fn a_cart_that_the_ledger_can_not_hold_is_refused_and_not_sent() {
    let stack = stack(&[]);
    stack.ledger.refuse(|order| order.body.contains('1'));
    assert!(matches!(stack.submit("1").await.unwrap(), Err(LedgerError::Unwritable(_))));
    assert!(matches!(stack.submit("2").await.unwrap().unwrap(), SubmitOutcome::Created(_)));
    assert_eq!(stack.calls(), ["POST"]);
}

#[tokio::test]
async fn an_outcome_that_the_ledger_can_not_hold_is_stored_in_plain_words() {
    for (post, state) in [(Post::Creates, State::Created), (Post::Refuses, State::Rejected)] {
        let stack = stack(&[post]);
        stack.ledger.refuse(|order| order.vms_response.is_some());
        let outcome = stack.submit("1").await.unwrap().unwrap();
        let order = stack.ledger.order();
        assert_eq!((order.state, outcome.order().state, &order.vms_response), (state, state, &None));
        let detail = order.attempts[0].detail.clone().unwrap();
        assert!(detail.contains("11VMS's answer is left out, the ledger can't store it"), "{detail}");
    }
}

#[tokio::test]
async fn an_order_whose_outcome_the_ledger_can_not_hold_in_any_form_is_settled_by_a_person() {
    for resolution in [Resolution::Exists("45".into()), Resolution::Cancelled("not wanted".into())] {
        let stack = stack(&[]);
        stack
            .ledger
            .refuse(|order| order.attempts.iter().any(|a| a.outcome.is_some()) && order.interventions.is_empty());
        let caller = stack.submit("1");
        stack.settle().await;
        stack.pass_slowly(Duration::from_mins(2)).await;
        assert_eq!((stack.ledger.order().state, stack.calls()), (State::Forwarding, vec!["POST"]));
        let resolved = stack.relay.resolve(&OrderId::of("1"), resolution.clone(), "me", Duration::ZERO).await;
        let Ok(Some(Resolved::Applied(order))) = resolved else { panic!("{resolved:?}") };
        assert_eq!(order.attempts[0].detail.as_deref(), Some("the ledger could not store how this attempt ended"));
        assert!(!stack.ledger.order().state.is_open());
        caller.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn an_order_whose_outcome_can_not_be_held_at_first_is_taken_up_again() {
    let stack = stack(&[]);
    stack.ledger.refuse(|order| order.state == State::Created);
    let caller = stack.submit("1");
    stack.settle().await;
    *stack.ledger.refuses.lock().unwrap() = None;
    let stack = stack.restart(|_| {}).await;
    stack.pass_slowly(Duration::from_secs(70)).await;
    assert_eq!((stack.ledger.order().state, stack.calls()), (State::Created, vec!["POST", "GET"]));
    assert!(matches!(caller.await.unwrap().unwrap(), SubmitOutcome::Open(_)));
}

#[tokio::test]
async fn a_stop_waits_for_a_silent_ledger_for_two_seconds() {
    let stack = stack(&[]);
    stack.ledger.release_hangs.store(true, Relaxed);
    let relay = Arc::clone(&stack.relay);
    let stop = tokio::spawn(async move { relay.stop(Duration::from_mins(1)).await });
    stack.settle().await;
    assert!(!stop.is_finished());
    stack.pass_slowly(Duration::from_secs(3)).await;
    assert!(stop.is_finished());
}
