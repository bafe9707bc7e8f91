//! A ledger that was restored from a backup.

use super::*;
use crate::clock::Clock as _;
use crate::order::Outcome;
use crate::order::retry::DuplicateGuard;

/// Longer than the grace after the start.
const LATER: Duration = Duration::from_secs(31);

fn restored(clock: &ManualClock) -> RestoredLedger {
    RestoredLedger { backup: clock.now(), matters_for: Duration::from_hours(24) }
}

/// A relay whose ledger was restored a while ago; 11VMS may have orders that the ledger does not know.
async fn restored_stack(in_vms: usize, guard: DuplicateGuard, change: impl Fn(&mut Dependencies)) -> Stack {
    let stack = stack_with(&[], |dependencies| {
        dependencies.restored =
            Some(RestoredLedger { backup: dependencies.clock.now(), matters_for: Duration::from_hours(24) });
        dependencies.policy.guard = guard;
        change(dependencies);
    });
    *stack.vms.created.lock().unwrap() = in_vms;
    stack.pass(LATER).await;
    stack
}

#[tokio::test]
async fn a_cart_that_the_restored_ledger_has_lost_is_found_and_not_ordered_again() {
    for guard in [DuplicateGuard::LookUp, DuplicateGuard::IdempotencyKey, DuplicateGuard::None] {
        let stack = restored_stack(1, guard, |_| {}).await;
        let Ok(SubmitOutcome::Created(order)) = stack.submit("1").await.unwrap() else { panic!("not created") };
        assert_eq!(stack.calls(), ["GET"], "{guard:?}");
        assert_eq!(order.attempts[0].outcome, Some(Outcome::Found));
        let why = &order.messages[1].message;
        assert!(why.contains("restored from a backup") && why.contains("compare it"), "{why}");
    }
}

#[tokio::test]
async fn a_new_cart_is_asked_for_once_and_then_sent_without_doubt() {
    for guard in [DuplicateGuard::LookUp, DuplicateGuard::IdempotencyKey, DuplicateGuard::None] {
        let stack = restored_stack(0, guard, |_| {}).await;
        stack.vms.script.lock().unwrap().extend([Post::IsBusy, Post::Creates]);
        let caller = stack.submit("1");
        stack.settle().await;
        stack.pass_slowly(Duration::from_secs(40)).await;
        let Ok(SubmitOutcome::Created(order)) = caller.await.unwrap() else { panic!("not created") };
        assert_eq!(stack.calls(), ["GET", "POST", "POST"], "{guard:?}: once, before the first attempt");
        assert_eq!(order.messages.len(), 1, "{guard:?}: nothing to compare");
        assert!(order.restored_from.is_some(), "the order shows why it was asked for");
    }
}

#[tokio::test]
async fn a_look_up_that_was_put_off_is_made_the_next_time() {
    for guard in [DuplicateGuard::LookUp, DuplicateGuard::IdempotencyKey] {
        let stack = restored_stack(0, guard, |_| {}).await;
        stack.vms.lost_look_ups.lock().unwrap().push_back(deferred(7));
        let caller = stack.submit("1");
        stack.settle().await;
        let put_off = stack.ledger.order();
        let doubt = (put_off.doubt, put_off.restored_from);
        assert_eq!((put_off.state, doubt), (State::Retrying, (crate::order::Doubt::None, None)), "{guard:?}");
        stack.pass_slowly(Duration::from_secs(10)).await;
        let Ok(SubmitOutcome::Created(order)) = caller.await.unwrap() else { panic!("not created") };
        assert_eq!(stack.calls(), ["GET", "GET", "POST"], "{guard:?}");
        assert_eq!(order.messages.len(), 1, "{guard:?}: nothing to compare");
    }
}

#[tokio::test]
async fn a_look_up_that_is_put_off_beyond_the_time_of_the_restore_is_made_all_the_same() {
    let stack = restored_stack(0, DuplicateGuard::LookUp, |_| {}).await;
    // Two seconds before its end.
    stack.clock.advance(Duration::from_secs(24 * 60 * 60 - LATER.as_secs() - 2));
    stack.settle().await;
    stack.vms.lost_look_ups.lock().unwrap().push_back(deferred(7));
    let caller = stack.submit("1");
    stack.settle().await;
    assert_eq!(stack.calls(), ["GET"]);
    stack.pass_slowly(Duration::from_mins(2)).await;
    assert!(matches!(caller.await.unwrap().unwrap(), SubmitOutcome::Created(_)));
    assert_eq!(stack.calls()[1], "GET");
}

#[tokio::test]
async fn a_cart_that_11vms_refuses_after_the_restore_is_refused_without_doubt() {
    let stack = restored_stack(0, DuplicateGuard::LookUp, |_| {}).await;
    stack.vms.script.lock().unwrap().push_back(Post::Refuses);
    let Ok(SubmitOutcome::Rejected(order)) = stack.submit("1").await.unwrap() else { panic!("not refused") };
    assert!(!order.messages[0].message.contains("may have succeeded"), "{}", order.messages[0].message);
}

#[tokio::test]
async fn what_was_sent_before_the_restore_has_its_grace() {
    let stack = stack_with(&[], |dependencies| {
        dependencies.restored =
            Some(RestoredLedger { backup: dependencies.clock.now(), matters_for: Duration::from_hours(24) });
    });
    let caller = stack.submit("1");
    stack.settle().await;
    stack.pass_slowly(Duration::from_secs(28)).await;
    assert_eq!(stack.calls(), Vec::<&str>::new());
    stack.pass_slowly(Duration::from_secs(8)).await;
    assert!(matches!(caller.await.unwrap().unwrap(), SubmitOutcome::Created(_)));
    assert_eq!(stack.calls(), ["GET", "POST"]);
}

#[tokio::test]
async fn only_the_first_start_after_the_restore_waits_for_the_grace() {
    let stack = restored_stack(0, DuplicateGuard::LookUp, |_| {}).await;
    assert!(matches!(stack.submit("1").await.unwrap().unwrap(), SubmitOutcome::Created(_)));
    let backup = stack.ledger.order().restored_from.unwrap();
    let again = RestoredLedger { backup, matters_for: Duration::from_hours(24) };
    *stack.vms.created.lock().unwrap() = 0;
    let stack = stack.restart(|dependencies| dependencies.restored = Some(again)).await;
    assert!(matches!(stack.submit("2").await.unwrap().unwrap(), SubmitOutcome::Created(_)), "at once");
    assert_eq!(stack.calls(), ["GET", "POST", "GET", "POST"]);
}

#[tokio::test]
async fn orders_of_the_backup_are_asked_for_before_they_are_sent() {
    // What the backup has of the order, and the calls before the backup.
    for (script, calls) in
        [(vec![Post::IsBusy], vec!["POST"]), (vec![Post::Refuses], vec!["POST"]), (vec![Post::IsLost], vec!["POST"])]
    {
        let stack = stack(&script);
        stack.submit("1");
        stack.settle().await;
        assert_eq!(stack.calls(), calls);
        *stack.vms.created.lock().unwrap() = 1;
        let backup = restored(&stack.clock);
        let stack = stack.restart(|dependencies| dependencies.restored = Some(backup)).await;
        stack.submit("1");
        stack.settle().await;
        stack.pass_slowly(Duration::from_secs(70)).await;
        assert_eq!(stack.calls(), ["POST", "GET"], "{script:?}: ordered after the backup");
        assert_eq!(stack.ledger.order().state, State::Created, "{script:?}");
    }
}

#[tokio::test]
async fn an_accepted_order_of_the_backup_is_asked_for_too() {
    let stack = stack(&[]);
    stack.relay.stop(Duration::ZERO).await;
    stack.submit("1").await.unwrap().unwrap();
    *stack.vms.created.lock().unwrap() = 1;
    let backup = restored(&stack.clock);
    let stack = stack.restart(|dependencies| dependencies.restored = Some(backup)).await;
    stack.pass_slowly(Duration::from_secs(40)).await;
    assert_eq!((stack.calls(), stack.ledger.order().state), (vec!["GET"], State::Created));
}

#[tokio::test]
async fn a_look_up_that_can_not_be_read_sends_nothing_unless_a_key_protects() {
    for (guard, status, calls) in [
        (DuplicateGuard::LookUp, 404, vec!["GET"]),
        (DuplicateGuard::None, 404, vec!["GET"]),
        (DuplicateGuard::IdempotencyKey, 404, vec!["GET", "POST"]),
        (DuplicateGuard::IdempotencyKey, 405, vec!["GET", "POST"]),
        // It has a look-up, and could not answer it.
        (DuplicateGuard::IdempotencyKey, 200, vec!["GET"]),
        (DuplicateGuard::IdempotencyKey, 429, vec!["GET"]),
        (DuplicateGuard::IdempotencyKey, 500, vec!["GET"]),
        (DuplicateGuard::IdempotencyKey, 503, vec!["GET"]),
    ] {
        let stack = restored_stack(0, guard, |dependencies| dependencies.policy.retries = 0).await;
        let page = VmsResponse {
            status,
            body: Some(json!("no such page")),
            defect: None,
            location: None,
            retry_after: None,
            list_headers: Vec::new(),
        };
        stack.vms.lost_look_ups.lock().unwrap().push_back(CallOutcome::Answered(page));
        stack.submit("1").await.unwrap().unwrap();
        assert_eq!(stack.calls(), calls, "{guard:?}, {status}");
    }
}

#[tokio::test]
async fn after_the_retention_the_restore_matters_no_more() {
    let stack = restored_stack(1, DuplicateGuard::LookUp, |_| {}).await;
    stack.clock.advance(Duration::from_hours(24));
    assert!(matches!(stack.submit("1").await.unwrap().unwrap(), SubmitOutcome::Created(_)));
    assert_eq!(stack.calls(), ["POST"]);
    // Nor to a process that starts then.
    let long_ago = RestoredLedger { matters_for: Duration::from_hours(1), ..restored(&stack.clock) };
    stack.clock.advance(Duration::from_hours(2));
    let stack = stack.restart(|dependencies| dependencies.restored = Some(long_ago)).await;
    assert!(matches!(stack.submit("2").await.unwrap().unwrap(), SubmitOutcome::Created(_)));
    assert_eq!(stack.calls(), ["POST", "POST"]);
}
