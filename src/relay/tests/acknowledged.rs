//! Orders that 11VMS says to have, without their number, and that its look-up does not show.

use super::*;
use crate::order::vms_response::{NumberSource, Repetition};

fn not_shown() -> CallOutcome {
    CallOutcome::Answered(VmsResponse {
        status: 200,
        body: Some(json!({ "purchaseOrders": [] })),
        defect: None,
        location: None,
        retry_after: None,
        list_headers: Vec::new(),
    })
}

#[tokio::test]
async fn an_order_that_11vms_has_acknowledged_is_not_sent_again_because_a_look_up_does_not_show_it() {
    use {NumberSource::*, Repetition::*};
    for (source, repetition, lagging, calls, expected) in [
        (LookUp, SecondOrder, 2, vec!["POST", "GET", "GET", "GET"], State::Created),
        (LookUp, SecondOrder, 99, vec!["POST", "GET", "GET", "GET", "GET"], State::Parked),
        (LookUp, SameOrder, 99, vec!["POST", "GET", "GET", "POST"], State::Created),
        // Such an 11VMS always gives the number: its answer was none.
        (Answer, SecondOrder, 99, vec!["POST", "GET", "POST"], State::Created),
    ] {
        let stack = stack_with(&[Post::IsUnnumbered], |dependencies| {
            dependencies.response_rules.number_source = source;
            dependencies.response_rules.repetition = repetition;
        });
        stack.vms.lost_look_ups.lock().unwrap().extend(vec![not_shown(); lagging]);
        let caller = stack.submit("1");
        stack.settle().await;
        stack.pass_slowly(Duration::from_mins(20)).await;
        caller.await.unwrap().unwrap();
        assert_eq!(
            (stack.calls(), stack.ledger.order().state),
            (calls, expected),
            "{source:?} {repetition:?} {lagging}"
        );
    }
}

#[tokio::test]
async fn a_look_up_for_the_number_that_hangs_does_not_make_the_acknowledgement_forgotten() {
    let stack = stack_with(&[Post::IsUnnumbered], |dependencies| {
        dependencies.response_rules.number_source = NumberSource::LookUp;
        dependencies.attempt_limit = Duration::from_secs(9);
    });
    stack.vms.hanging_look_ups.store(1, Relaxed);
    stack.vms.lost_look_ups.lock().unwrap().extend(vec![not_shown(); 99]);
    let caller = stack.submit("1");
    stack.settle().await;
    stack.pass_slowly(Duration::from_mins(20)).await;
    caller.await.unwrap().unwrap();
    let order = stack.ledger.order();
    assert_eq!((order.state, stack.calls().iter().filter(|call| **call == "POST").count()), (State::Parked, 1));
    let details: Vec<&str> = order.attempts.iter().filter_map(|attempt| attempt.detail.as_deref()).collect();
    assert!(details[0].ends_with("look-up: cut off after 9 s"), "{details:?}");
    assert!(details[1].contains("has answered that it has the order"), "{details:?}");
}

#[tokio::test]
async fn an_acknowledged_order_that_11vms_does_not_have_is_sent_again_when_a_person_replays_it() {
    // What 11VMS shows after the replay: nothing; or the order after all.
    for (absences, calls) in [(99, vec!["GET", "POST"]), (4, vec!["GET"])] {
        let stack = stack_with(&[Post::IsUnnumbered, Post::IsUnnumbered], |dependencies| {
            dependencies.response_rules.number_source = NumberSource::LookUp;
        });
        stack.vms.lost_look_ups.lock().unwrap().extend(vec![not_shown(); absences]);
        let caller = stack.submit("1");
        stack.settle().await;
        stack.pass_slowly(Duration::from_mins(20)).await;
        caller.await.unwrap().unwrap();
        // The cart alone is no person's word.
        if absences == 99 {
            let again = stack.submit("1");
            stack.settle().await;
            stack.pass_slowly(Duration::from_mins(20)).await;
            assert!(matches!(again.await.unwrap().unwrap(), SubmitOutcome::Parked(_)));
        }
        assert_eq!(stack.calls().iter().filter(|call| **call == "POST").count(), 1);
        stack.vms.calls.lock().unwrap().clear();
        let relay = Arc::clone(&stack.relay);
        let replayed = tokio::spawn(async move { relay.replay(OrderId::of("1"), "me", Duration::from_hours(1)).await });
        stack.settle().await;
        stack.pass_slowly(Duration::from_secs(1)).await;
        assert_eq!(stack.calls()[..calls.len()], calls, "{absences}");
        if calls.contains(&"POST") {
            // The new acknowledgement holds as the first one did.
            stack.pass_slowly(Duration::from_mins(20)).await;
            assert_eq!(stack.calls().iter().filter(|call| **call == "POST").count(), 1);
            assert_eq!(stack.ledger.order().state, State::Parked);
        } else {
            assert!(matches!(replayed.await.unwrap().unwrap(), Some(SubmitOutcome::Created(_))));
        }
    }
}
